//! Meta's envelope, `{object, entry[]{id, time, changes[]{field, value}}}`: once quickly for what Meta documents, and once
//! piece by piece for anything else, so that a piece that is not understood costs no other piece.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shape::{Members, Scalar, elements};
use super::{Malformed, Reason, Unusable};

/// What `object` says in every WhatsApp delivery.
const OBJECT: &str = "whatsapp_business_account";

/// One entry of the envelope.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Scalar<'a>,
    #[serde(borrow, default)]
    pub(crate) time: Scalar<'a>,
    #[serde(borrow)]
    pub(crate) changes: Vec<Change<'a>>,
    /// Members of the entry or its changes that the envelope does not know, by name.
    #[serde(skip)]
    pub(crate) unknown: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// One change of an entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change<'a> {
    #[serde(borrow)]
    pub(crate) field: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) value: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

impl Envelope<'_> {
    fn is_as_documented(&self) -> bool {
        let full = |entry: &Entry<'_>| {
            !entry.changes.is_empty() && entry.changes.iter().all(|change| !change.field.is_empty())
        };
        self.object == OBJECT && !self.entry.is_empty() && self.entry.iter().all(full)
    }
}

/// Reads the envelope of a body.
pub(crate) fn read(body: &[u8]) -> Result<(Vec<Entry<'_>>, Vec<Unusable<'_>>), Malformed> {
    // Once for all of it: from bytes, the parser would look at each value on each level.
    let body = std::str::from_utf8(body).map_err(|_| Malformed::NotJson)?;
    match serde_json::from_str::<Envelope<'_>>(body) {
        Ok(envelope) if envelope.is_as_documented() => Ok((envelope.entry, Vec::new())),
        _ => piece_by_piece(body),
    }
}

fn piece_by_piece(body: &str) -> Result<(Vec<Entry<'_>>, Vec<Unusable<'_>>), Malformed> {
    let raw: &RawValue = serde_json::from_str(body).map_err(|_| Malformed::NotJson)?;
    let members = Members::of(raw).ok_or(Malformed::NotAnEnvelope)?;
    match members.scalar("object").as_str() {
        Some(OBJECT) | None => {}
        Some(_) => return Err(Malformed::OtherObject),
    }
    let mut pieces = Pieces::default();
    let mut found = false;
    let mut rest = Vec::new();
    for (name, raw) in members.0 {
        match (name.as_ref(), elements(raw)) {
            ("object", _) => {}
            ("entry", Some(list)) => {
                found |= !list.is_empty();
                for raw in list {
                    pieces.entry(raw);
                }
            }
            _ => rest.push(Unusable {
                reason: Reason::UnknownMember,
                raw,
            }),
        }
    }
    if !found {
        return Err(Malformed::NotAnEnvelope);
    }
    pieces.unusable.extend(rest);
    Ok((pieces.entries, pieces.unusable))
}

#[derive(Default)]
struct Pieces<'a> {
    entries: Vec<Entry<'a>>,
    unusable: Vec<Unusable<'a>>,
}

impl<'a> Pieces<'a> {
    fn entry(&mut self, raw: &'a RawValue) {
        let Some(members) = Members::of(raw) else {
            self.unusable.push(Unusable {
                reason: Reason::EntryNotAnObject,
                raw,
            });
            return;
        };
        let mut entry = Entry {
            id: members.scalar("id"),
            time: members.scalar("time"),
            changes: Vec::new(),
            unknown: Vec::new(),
        };
        let before = self.unusable.len();
        for (name, raw) in members.0 {
            match (name.as_ref(), elements(raw)) {
                ("id" | "time", _) => {}
                ("changes", Some(list)) => {
                    for raw in list {
                        self.change(raw, &mut entry);
                    }
                }
                _ => entry.unknown.push((name, raw)),
            }
        }
        if entry.changes.is_empty() && entry.unknown.is_empty() && self.unusable.len() == before {
            self.unusable.push(Unusable {
                reason: Reason::EntryWithoutChanges,
                raw,
            });
        } else {
            self.entries.push(entry);
        }
    }

    fn change(&mut self, raw: &'a RawValue, entry: &mut Entry<'a>) {
        let members = Members::of(raw).unwrap_or_default();
        let (Some(field), Some(value)) = (members.scalar("field").into_non_empty(), members.get("value"))
        else {
            self.unusable.push(Unusable {
                reason: Reason::ChangeWithoutField,
                raw,
            });
            return;
        };
        entry.changes.push(Change { field, value });
        let mut taken = (false, false);
        for (name, raw) in members.0 {
            let first = match name.as_ref() {
                "field" => !std::mem::replace(&mut taken.0, true),
                "value" => !std::mem::replace(&mut taken.1, true),
                _ => false,
            };
            if !first {
                entry.unknown.push((name, raw));
            }
        }
    }
}
