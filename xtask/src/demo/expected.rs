//! What a body must become, worked out from its bytes alone and without the code under test: so that the demo can be
//! wrong about neither together.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// One event that must be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) family: String,
    pub(super) kind: String,
    pub(super) account: String,
    pub(super) payload: Payload,
}

/// What the stored bytes must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payload {
    /// An object whose last member is Meta's, byte for byte.
    EndsWith(String),
    /// These bytes.
    Is(String),
}

impl Payload {
    /// Whether stored bytes are as they must be.
    pub(super) fn fits(&self, stored: &[u8]) -> bool {
        match self {
            Self::EndsWith(object) => stored
                .strip_suffix(b"}")
                .and_then(|rest| rest.strip_suffix(object.as_bytes()))
                .is_some_and(|rest| rest.ends_with(b":") && rest.starts_with(b"{")),
            Self::Is(bytes) => stored == bytes.as_bytes(),
        }
    }
}

/// The arrays whose elements are events, and the member that names an element's type.
const LISTS: [(&str, &str); 6] = [
    ("messages", "type"),
    ("message_echoes", "type"),
    ("statuses", "status"),
    ("errors", "code"),
    ("user_actions", "action_type"),
    ("calls", "event"),
];

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    id: String,
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    field: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Every event of a body, in its order. Covers the fields that the demo sends, not all that exist.
pub(super) fn events(body: &str) -> serde_json::Result<Vec<Expected>> {
    let body: Body<'_> = serde_json::from_str(body)?;
    let mut events = Vec::new();
    for Entry { id, changes } in body.entry {
        for Change { field, value } in changes {
            let members: Members<'_> = serde_json::from_str(value.get())?;
            let number = match members.get("metadata") {
                Some(metadata) => text(metadata, "phone_number_id")?,
                None => None,
            };
            let account = number.unwrap_or_else(|| id.clone());
            let before = events.len();
            for (list, named_by) in LISTS {
                let Some(elements) = members.get(list) else {
                    continue;
                };
                for element in serde_json::from_str::<Vec<&RawValue>>(elements.get())? {
                    let family = if field == "messages" { list } else { &field };
                    events.push(expected(family, &account, element, named_by)?);
                }
            }
            if events.len() == before {
                events.push(expected(&field, &account, value, "event")?);
            }
        }
    }
    Ok(events)
}

fn expected(family: &str, account: &str, object: &RawValue, named_by: &str) -> serde_json::Result<Expected> {
    Ok(Expected {
        family: family.to_owned(),
        kind: text(object, named_by)?.unwrap_or_else(|| "_".to_owned()),
        account: account.to_owned(),
        payload: Payload::EndsWith(object.get().to_owned()),
    })
}

/// A member of an object as text, whether Meta writes it as a string or as a number.
fn text(object: &RawValue, name: &str) -> serde_json::Result<Option<String>> {
    let members: Members<'_> = serde_json::from_str(object.get())?;
    Ok(members
        .get(name)
        .map(|raw| raw.get().trim_matches('"').to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const BODY: &str = r#"{"entry":[
        {"id":"1","changes":[
            {"field":"messages","value":{"metadata":{"phone_number_id":"2"},"messages":[{"type":"text"}, {"type":"new"}],
                "statuses":[{"status":"sent"}],"errors":[{"code":130429}]}},
            {"field":"calls","value":{"statuses":[{"status":"RINGING"}]}}]},
        {"id":"3","changes":[{"field":"account_update","value":{"event":"PAUSED"}}]}]}"#;

    #[test]
    fn each_element_is_one_event_and_a_value_without_any_is_one() {
        let found: Vec<_> = events(BODY)
            .unwrap()
            .into_iter()
            .map(|event| [event.account, event.family, event.kind].join(" "))
            .collect();
        assert_eq!(
            found,
            [
                "2 messages text",
                "2 messages new",
                "2 statuses sent",
                "2 errors 130429",
                "1 calls RINGING",
                "3 account_update PAUSED",
            ]
        );
    }

    #[test]
    fn metas_bytes_must_be_the_last_member_unchanged() {
        let payload = Payload::EndsWith(r#"{"id": "A"}"#.to_owned());
        assert!(payload.fits(br#"{"waba_id":"1","message":{"id": "A"}}"#));
        for other in [
            &br#"{"waba_id":"1","message":{"id":"A"}}"#[..],
            br#"{"message":{"id": "A"},"waba_id":"1"}"#,
            br#"{"id": "A"}"#,
            b"",
        ] {
            assert!(!payload.fits(other), "{}", String::from_utf8_lossy(other));
        }
    }
}
