//! What one element says about itself: its id, type, time, customer and error codes.
//!
//! The natural keys are those Meta's references imply for each object; where an object has none, the digest of its own
//! bytes and its place among its siblings stand in, on top of the digest of the change it came in.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::canonical;
use super::catalog::{Natural, WholeKey};
use super::rare;
use super::shape::{Members, Scalar, elements};
use crate::id::{EventId, Key};
use crate::known;

/// The change an element came in, as far as keys need it.
pub(crate) struct ChangeKey<'a> {
    pub(crate) field: Cow<'a, str>,
    /// The phone number id, else the entry's id: the scope in which natural keys are unique.
    pub(crate) account: Cow<'a, str>,
    pub(crate) entry_id: &'a str,
    pub(crate) entry_time: Option<&'a str>,
    pub(crate) value: &'a RawValue,
    pub(crate) body: &'a [u8],
    pub(crate) digest: OnceCell<[u8; 32]>,
}

impl ChangeKey<'_> {
    /// A key in this change's scope.
    pub(crate) fn key(&self, kind: &str) -> Key {
        Key::new(&self.field, &self.account, kind)
    }

    /// The change as a key of its own: canonical digest of entry id, entry time, field and value. The entry's time stays
    /// in: a template that is approved, paused and approved again must give three events.
    pub(crate) fn hashed(&self, kind: &str) -> Key {
        let digest = self.digest.get_or_init(|| canonical::digest(self.value));
        self.key(kind)
            .text(Some(self.entry_id))
            .text(self.entry_time)
            .bytes(digest)
    }

    /// The id of an element that has none: its change, its own bytes and its place.
    pub(crate) fn sibling(&self, kind: &str, raw: &RawValue, ordinal: usize) -> EventId {
        self.hashed(kind).digest_and_ordinal(raw.get(), ordinal).finish()
    }

    /// The id of an unknown member beside a change's events.
    pub(crate) fn extra(&self, name: &str, raw: &RawValue, ordinal: usize) -> EventId {
        self.hashed("extra")
            .text(Some(name))
            .digest_and_ordinal(raw.get(), ordinal)
            .finish()
    }

    /// The id of a value published whole.
    pub(crate) fn whole(&self, rule: WholeKey, members: Option<&Members<'_>>) -> EventId {
        let by_members = |names: &[&str], key: Key| {
            let members = members?;
            names.iter().try_fold(key, |key, name| {
                let raw = members.get(name)?;
                Some(key.bytes(&canonical::digest(raw)))
            })
        };
        let key = match rule {
            WholeKey::Digest => None,
            WholeKey::Members(names) => by_members(names, self.key("value")),
            WholeKey::MembersAndTime(names) => by_members(names, self.key("value").text(self.entry_time)),
        };
        key.unwrap_or_else(|| self.hashed("value")).finish()
    }
}

/// Who an element is about, to find its contact and its lane.
#[derive(Default)]
pub(crate) struct Customer<'a> {
    pub(crate) group: Option<Cow<'a, str>>,
    pub(crate) user_id: Option<Cow<'a, str>>,
    pub(crate) phone: Option<Cow<'a, str>>,
}

impl Customer<'_> {
    /// What the lane is hashed from: a group stays together; a user id outlives a phone number that Meta may omit.
    pub(crate) fn lane_key(&self) -> Option<&str> {
        self.group
            .as_deref()
            .or(self.user_id.as_deref())
            .or(self.phone.as_deref())
    }
}

/// What an element says about itself.
pub(crate) struct Facts<'a> {
    pub(crate) id: EventId,
    pub(crate) kind: Cow<'static, str>,
    pub(crate) time: Option<i64>,
    pub(crate) natural_id: Option<String>,
    pub(crate) customer: Customer<'a>,
    pub(crate) error_codes: Vec<i64>,
}

/// Every member any element is identified by. One structure for all kinds, since Meta names alike things alike.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Element<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
    #[serde(borrow, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow)]
    status: Scalar<'a>,
    #[serde(borrow)]
    event: Scalar<'a>,
    #[serde(borrow)]
    timestamp: Scalar<'a>,
    #[serde(borrow)]
    from: Scalar<'a>,
    #[serde(borrow)]
    from_user_id: Scalar<'a>,
    #[serde(borrow)]
    to: Scalar<'a>,
    #[serde(borrow)]
    to_user_id: Scalar<'a>,
    #[serde(borrow)]
    recipient_id: Scalar<'a>,
    #[serde(borrow)]
    recipient_user_id: Scalar<'a>,
    #[serde(borrow)]
    recipient_type: Scalar<'a>,
    #[serde(borrow)]
    recipient_participant_id: Scalar<'a>,
    #[serde(borrow)]
    participant_recipient_id: Scalar<'a>,
    #[serde(borrow)]
    recipient_participant_user_id: Scalar<'a>,
    #[serde(borrow)]
    group_id: Scalar<'a>,
    #[serde(borrow)]
    direction: Scalar<'a>,
    #[serde(borrow)]
    payment: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

/// Reads an element's facts; `ordinal` is its place among everything split out of the body.
pub(crate) fn facts<'a>(
    natural: Natural,
    raw: &'a RawValue,
    change: &ChangeKey<'_>,
    ordinal: usize,
    echo: bool,
) -> Facts<'a> {
    match natural {
        Natural::Message => message(raw, change, ordinal, echo),
        Natural::Status => status(raw, change, ordinal),
        Natural::Call => call(raw, change, ordinal),
        Natural::CallStatus => call_status(raw, change, ordinal),
        Natural::Error => error(raw, change, ordinal),
        _ => rare::facts(natural, raw, change, ordinal),
    }
}

fn read(raw: &RawValue) -> Element<'_> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn owned<'a>(text: &Scalar<'a>) -> Option<Cow<'a, str>> {
    text.clone().into_non_empty()
}

fn message<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize, echo: bool) -> Facts<'a> {
    let element = read(raw);
    let id = match element.id.non_empty() {
        Some(id) => change.key("message").text(Some(id)).finish(),
        None => change.sibling("message", raw, ordinal),
    };
    // An echo is what the business sent: its customer is the one it went to.
    let (user_id, phone) = if echo {
        (&element.to_user_id, &element.to)
    } else {
        (&element.from_user_id, &element.from)
    };
    Facts {
        id,
        kind: known::kind(element.kind.non_empty()),
        time: element.timestamp.integer(),
        natural_id: element.id.non_empty().map(str::to_owned),
        customer: Customer {
            group: owned(&element.group_id),
            user_id: owned(user_id),
            phone: owned(phone),
        },
        error_codes: codes(element.errors),
    }
}

fn status<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
    let element = read(raw);
    let participant = [
        &element.recipient_participant_user_id,
        &element.recipient_participant_id,
        &element.participant_recipient_id,
    ]
    .into_iter()
    .find_map(Scalar::non_empty);
    let id = match (element.id.non_empty(), element.status.non_empty()) {
        (Some(id), Some(status)) => {
            let key = change
                .key("status")
                .text(Some(id))
                .text(element.kind.non_empty())
                .text(Some(status));
            payment(key.text(participant), element.payment).finish()
        }
        _ => change.sibling("status", raw, ordinal),
    };
    let to_group = element.recipient_type.as_str() == Some("group");
    let recipient = owned(&element.recipient_id);
    Facts {
        id,
        kind: known::kind(element.status.non_empty()),
        time: element.timestamp.integer(),
        natural_id: element.id.non_empty().map(str::to_owned),
        customer: Customer {
            group: owned(&element.group_id).or_else(|| if to_group { recipient.clone() } else { None }),
            user_id: owned(&element.recipient_user_id),
            phone: if to_group {
                owned(&element.recipient_participant_id)
            } else {
                recipient
            },
        },
        error_codes: codes(element.errors),
    }
}

/// Payment statuses share the message's id: each transaction and each of its states is an event.
fn payment(key: Key, payment: Option<&RawValue>) -> Key {
    let Some(transaction) = payment.and_then(Members::of).and_then(|p| p.get("transaction")) else {
        return key;
    };
    let members = Members::of(transaction).unwrap_or_default();
    key.text(members.scalar("id").as_str())
        .text(members.scalar("status").as_str())
}

fn call<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
    let element = read(raw);
    let id = match element.id.non_empty() {
        Some(id) => change
            .key("call")
            .text(Some(id))
            .text(element.event.non_empty())
            .finish(),
        None => change.sibling("call", raw, ordinal),
    };
    let outgoing = element.direction.as_str() == Some("BUSINESS_INITIATED");
    let (user_id, phone) = if outgoing {
        (&element.to_user_id, &element.to)
    } else {
        (&element.from_user_id, &element.from)
    };
    Facts {
        id,
        kind: known::kind(element.event.non_empty()),
        time: element.timestamp.integer(),
        natural_id: element.id.non_empty().map(str::to_owned),
        customer: Customer {
            group: None,
            user_id: owned(user_id),
            phone: owned(phone),
        },
        error_codes: codes(element.errors),
    }
}

fn call_status<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
    let element = read(raw);
    let id = match (element.id.non_empty(), element.status.non_empty()) {
        (Some(id), Some(status)) => change
            .key("call_status")
            .text(Some(id))
            .text(Some(status))
            .finish(),
        _ => change.sibling("call_status", raw, ordinal),
    };
    Facts {
        id,
        kind: known::kind(element.status.non_empty()),
        time: element.timestamp.integer(),
        natural_id: element.id.non_empty().map(str::to_owned),
        customer: Customer {
            group: None,
            user_id: owned(&element.recipient_user_id),
            phone: owned(&element.recipient_id),
        },
        error_codes: codes(element.errors),
    }
}

/// An error has no id and no time, and the same one legitimately comes again: only a repeat of the very body is one.
fn error<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
    let code = Members::of(raw)
        .map(|members| members.scalar("code"))
        .unwrap_or_default();
    Facts {
        id: change
            .key("error")
            .bytes(&Sha256::digest(change.body))
            .bytes(&(ordinal as u64).to_be_bytes())
            .finish(),
        kind: known::kind(code.non_empty()),
        time: None,
        natural_id: None,
        customer: Customer::default(),
        error_codes: code.integer().into_iter().collect(),
    }
}

/// The codes of an `errors` array.
pub(crate) fn codes(errors: Option<&RawValue>) -> Vec<i64> {
    let Some(list) = errors.and_then(elements) else {
        return Vec::new();
    };
    list.into_iter()
        .filter_map(Members::of)
        .filter_map(|error| error.scalar("code").integer())
        .collect()
}
