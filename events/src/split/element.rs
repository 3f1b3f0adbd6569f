//! What the frequent objects say about themselves: messages, statuses, calls and errors, each read in one pass.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::canonical;
use super::keys::{ChangeKey, Customer, Facts, Sender, codes};
use super::shape::{Members, Scalar};
use crate::id::Key;
use crate::known;

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

pub(super) fn message<'a>(
    raw: &'a RawValue,
    change: &ChangeKey<'_>,
    ordinal: usize,
    sender: Sender,
) -> Facts<'a> {
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

pub(super) fn status<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
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

pub(super) fn call<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
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

pub(super) fn call_status<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
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
pub(super) fn error<'a>(raw: &'a RawValue, change: &ChangeKey<'_>, ordinal: usize) -> Facts<'a> {
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
