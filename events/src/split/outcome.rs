//! What splitting gives: events, pieces that are none, or the reason why there is neither.

use std::fmt;

use serde_json::value::RawValue;

use crate::event::Event;

/// Why a signed body holds no event at all; it goes to the dead letters whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The body is not one JSON value in UTF-8.
    #[error("the body is not JSON")]
    NotJson,
    /// The body is JSON without a non-empty `entry` array.
    #[error("the body is not Meta's envelope: it has no entries")]
    NotAnEnvelope,
    /// `object` names another product of Meta's.
    #[error("the body is not for WhatsApp: its object is not whatsapp_business_account")]
    OtherObject,
}

impl Malformed {
    /// The reason as a subject token and metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnEnvelope => "not_an_envelope",
            Self::OtherObject => "other_object",
        }
    }
}

/// Why one piece of an otherwise usable body is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// An element of `entry` that is not an object.
    EntryNotAnObject,
    /// An entry that holds no change and nothing else.
    EntryWithoutChanges,
    /// A change without a field or a value.
    ChangeWithoutField,
    /// A member beside `object` and `entry`.
    UnknownMember,
}

impl Reason {
    /// The reason as a subject token and metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EntryNotAnObject => "entry_not_an_object",
            Self::EntryWithoutChanges => "entry_without_changes",
            Self::ChangeWithoutField => "change_without_field",
            Self::UnknownMember => "unknown_member",
        }
    }
}

/// A piece of a body that is no event: a dead letter of its own. `Debug` does not print the bytes.
#[derive(Clone, Copy)]
pub struct Unusable<'a> {
    /// Why.
    pub reason: Reason,
    /// Meta's bytes.
    pub raw: &'a RawValue,
}

impl fmt::Debug for Unusable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unusable")
            .field("reason", &self.reason)
            .field("bytes", &self.raw.get().len())
            .finish()
    }
}

/// What a body holds. `Debug` prints nothing that a customer wrote.
#[derive(Debug, Default)]
pub struct Split<'a> {
    /// The events, change by change in the order of the body. What is unknown follows what is known.
    pub events: Vec<Event>,
    /// The pieces that are no events.
    pub unusable: Vec<Unusable<'a>>,
}
