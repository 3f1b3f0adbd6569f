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

    fn digest(&self) -> &[u8; 32] {
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
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    payment: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
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
        Natural::Message => message(raw, change, ordinal, sender),
        Natural::Status => status(raw, change, ordinal),
        Natural::Call => call(raw, change, ordinal),
        Natural::CallStatus => call_status(raw, change, ordinal),
        Natural::Error => error(raw, change, ordinal),
        _ => rare::facts(natural, raw, change, ordinal),
    }
}

/// The members of an element. In one pass where it is as documented; one by one where a member is there twice or an id is
/// not even text.
fn read(raw: &RawValue) -> Element<'_> {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| {
        let members = Members::of(raw).unwrap_or_default();
        let scalar = |name| members.scalar(name);
        Element {
            id: scalar("id"),
            kind: scalar("type"),
            status: scalar("status"),
            event: scalar("event"),
            timestamp: scalar("timestamp"),
            from: scalar("from"),
            from_user_id: scalar("from_user_id"),
            to: scalar("to"),
            to_user_id: scalar("to_user_id"),
            recipient_id: scalar("recipient_id"),
            recipient_user_id: scalar("recipient_user_id"),
            recipient_type: scalar("recipient_type"),
            recipient_participant_id: scalar("recipient_participant_id"),
            participant_recipient_id: scalar("participant_recipient_id"),
            recipient_participant_user_id: scalar("recipient_participant_user_id"),
            group_id: scalar("group_id"),
            direction: scalar("direction"),
            message: members.get("message"),
            payment: members.get("payment"),
            errors: members.get("errors"),
        }
    })
}

fn owned<'a>(text: &Scalar<'a>) -> Option<Cow<'a, str>> {
    text.clone().into_non_empty()
}

fn message<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize, sender: Sender) -> Facts<'a> {
    let element = read(raw);
    let id = match element.id.non_empty() {
        Some(id) => change.key("message").text(Some(id)).finish(),
        None => change.sibling("message", raw, ordinal),
    };
    // An echo in standby holds the request that sent it: type and recipient are in there.
    let request = match (sender, element.kind.non_empty(), element.message) {
        (Sender::Business, None, Some(request)) => read(request),
        _ => Element::default(),
    };
    let kind = element.kind.non_empty().or(request.kind.non_empty());
    let to = || owned(&element.to).or_else(|| owned(&request.to));
    let to_user_id = || owned(&element.to_user_id).or_else(|| owned(&request.to_user_id));
    let outgoing = match sender {
        Sender::Customer => false,
        Sender::Business => true,
        Sender::Either => to().is_some() || to_user_id().is_some(),
    };
    let (user_id, phone) = if outgoing {
        (to_user_id(), to())
    } else {
        (owned(&element.from_user_id), owned(&element.from))
    };
    Facts {
        id,
        kind: known::kind(kind),
        time: element.timestamp.integer(),
        natural_id: element.id.non_empty().map(str::to_owned),
        customer: Customer {
            group: owned(&element.group_id),
            user_id,
            phone,
            ..Customer::default()
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
    let customer = if to_group {
        Customer {
            group: owned(&element.group_id).or(recipient),
            user_id: owned(&element.recipient_participant_user_id),
            phone: owned(&element.recipient_participant_id)
                .or_else(|| owned(&element.participant_recipient_id)),
            ..Customer::default()
        }
    } else {
        Customer {
            group: owned(&element.group_id),
            user_id: owned(&element.recipient_user_id),
            phone: recipient,
            ..Customer::default()
        }
    };
    Facts {
        id,
        kind: known::kind(element.status.non_empty()),
        time: element.timestamp.integer(),
        natural_id: element.id.non_empty().map(str::to_owned),
        customer,
        error_codes: codes(element.errors),
    }
}

/// Payment statuses share the message's id, and a refund repeats the transaction with its id and status: whatever the
/// transaction says makes an event of its own.
fn payment(key: Key, payment: Option<&RawValue>) -> Key {
    match payment.and_then(Members::of).and_then(|p| p.get("transaction")) {
        Some(transaction) => key.bytes(&canonical::digest(transaction)),
        None => key,
    }
}

fn call<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
    let element = read(raw);
    let id = match (element.id.non_empty(), element.event.non_empty()) {
        (Some(id), Some(event)) => change.key("call").text(Some(id)).text(Some(event)).finish(),
        _ => change.sibling("call", raw, ordinal),
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
            user_id: owned(user_id),
            phone: owned(phone),
            ..Customer::default()
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
            user_id: owned(&element.recipient_user_id),
            phone: owned(&element.recipient_id),
            ..Customer::default()
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
            .bytes(change.body.digest())
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
