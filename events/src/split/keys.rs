//! What identifies an element, and what else it says about itself: type, time, customer and error codes.
//!
//! The natural keys are those Meta's references imply for each object; where an object has none, the digest of its own
//! bytes and its place among its siblings stand in, on top of the digest of the change it came in.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::canonical;
use super::catalog::{Natural, WholeKey};
use super::shape::{Members, elements};
use super::{element, rare};
use crate::id::{EventId, Key};

/// The change an element came in, as far as keys need it.
pub(crate) struct ChangeKey<'a> {
    pub(crate) field: Cow<'a, str>,
    /// The phone number id, else the entry's id: the scope in which natural keys are unique.
    pub(crate) account: Cow<'a, str>,
    pub(crate) entry_id: &'a str,
    pub(crate) entry_time: Option<&'a str>,
    pub(crate) value: &'a RawValue,
    pub(crate) body: &'a Body<'a>,
    pub(crate) digest: OnceCell<[u8; 32]>,
}

/// The body an element came in, hashed once at most.
pub(crate) struct Body<'a> {
    bytes: &'a [u8],
    digest: OnceCell<[u8; 32]>,
}

impl<'a> Body<'a> {
    /// A body, not hashed yet.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            digest: OnceCell::new(),
        }
    }

    /// The digest of the body.
    pub(super) fn digest(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| Sha256::digest(self.bytes).into())
    }
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
        self.hashed(kind)
            .digest_and_ordinal(&canonical::digest(raw), ordinal)
            .finish()
    }

    /// The id of an unknown member beside a change's events.
    pub(crate) fn extra(&self, name: &str, raw: &RawValue, ordinal: usize) -> EventId {
        self.hashed("extra")
            .text(Some(name))
            .digest_and_ordinal(&canonical::digest(raw), ordinal)
            .finish()
    }

    /// The id of a value published whole.
    pub(crate) fn whole(&self, rule: WholeKey, members: Option<&Members<'_>>) -> EventId {
        // A key with a hole would be shared by different events, and the second one would be lost.
        let by_members = |names: &[&str], key: Key| {
            let members = members?;
            names.iter().try_fold(key, |key, name| {
                let raw = members.get(name).filter(|raw| raw.get() != "null")?;
                Some(key.bytes(&canonical::digest(raw)))
            })
        };
        let key = match rule {
            WholeKey::Digest => None,
            WholeKey::Members(names) => by_members(names, self.key("value")),
            WholeKey::MembersAndTime(names) => self
                .entry_time
                .and_then(|time| by_members(names, self.key("value").text(Some(time)))),
        };
        key.unwrap_or_else(|| self.hashed("value")).finish()
    }
}

/// Who an element is about, to find its contact and its lane.
#[derive(Default)]
pub(crate) struct Customer<'a> {
    pub(crate) group: Option<Cow<'a, str>>,
    pub(crate) user_id: Option<Cow<'a, str>>,
    /// The user id until the change that the element reports.
    pub(crate) former_user_id: Option<Cow<'a, str>>,
    pub(crate) phone: Option<Cow<'a, str>>,
}

impl Customer<'_> {
    /// What the lane is hashed from: a group stays together. Then the phone number, the contact's before the element's own,
    /// since it is spelled in one way only; failed statuses and echoes name nothing else. Last the user id, which is all that
    /// Meta tells of customers with a username.
    pub(crate) fn lane_key<'c>(&'c self, contact_phone: Option<&'c str>) -> Option<&'c str> {
        let candidates = [
            self.group.as_deref(),
            contact_phone,
            self.phone.as_deref(),
            self.user_id.as_deref(),
        ];
        candidates.into_iter().flatten().next()
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

/// Who wrote the messages of an array, and so which of the two ends is the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A customer.
    Customer,
    /// The business: an echo.
    Business,
    /// Either: history. What the business sent names whom it went to.
    Either,
}

/// Reads an element's facts; `ordinal` is its place among everything split out of the body.
pub(crate) fn facts<'a>(
    natural: Natural,
    raw: &'a RawValue,
    change: &ChangeKey<'_>,
    ordinal: usize,
    sender: Sender,
) -> Facts<'a> {
    match natural {
        Natural::Message => element::message(raw, change, ordinal, sender),
        Natural::Status => element::status(raw, change, ordinal),
        Natural::Call => element::call(raw, change, ordinal),
        Natural::CallStatus => element::call_status(raw, change, ordinal),
        Natural::Error => element::error(raw, change, ordinal),
        _ => rare::facts(natural, raw, change, ordinal),
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
