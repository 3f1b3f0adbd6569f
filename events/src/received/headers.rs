//! The headers beside the data of an event.

use std::fmt;

use super::Family;
use crate::contract;

/// The headers of an event, looked up among all headers of a message.
///
/// All of them may be logged but [`subject`](Self::subject), which `Debug` leaves out. Names are compared without regard to
/// case.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    event_id: Option<&'a str>,
    event_type: Option<&'a str>,
    time: Option<&'a str>,
    subject: Option<&'a str>,
    data_ref: Option<&'a str>,
    message_id: Option<&'a str>,
    received: Option<&'a str>,
    original_family: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Picks the event's headers. Of a header that is there twice, the first counts.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            let slots = [
                (contract::ID, &mut headers.event_id),
                (contract::TYPE, &mut headers.event_type),
                (contract::TIME, &mut headers.time),
                (contract::SUBJECT, &mut headers.subject),
                (contract::DATA_REF, &mut headers.data_ref),
                (contract::MSG_ID, &mut headers.message_id),
                (contract::RECEIVED, &mut headers.received),
                (contract::FAMILY, &mut headers.original_family),
            ];
            let mut slots = slots.into_iter();
            if let Some((_, slot)) = slots.find(|(known, _)| name.eq_ignore_ascii_case(known)) {
                slot.get_or_insert(value);
            }
        }
        headers
    }

    /// The event's id (`ce-id`): the same for every delivery of the same thing. Deduplicate on it.
    pub const fn event_id(&self) -> Option<&'a str> {
        self.event_id
    }

    /// The event's type (`ce-type`): `com.whatsapp.<family>.<type>`.
    pub const fn event_type(&self) -> Option<&'a str> {
        self.event_type
    }

    /// The family under which Meta sent it (`wahook-family`), where [`family`](Self::family) is `test` or `quarantine`.
    pub fn original_family(&self) -> Option<Family> {
        self.original_family.map(Family::from)
    }

    /// The family in the event's type.
    pub fn family(&self) -> Option<Family> {
        Some(Family::from(self.type_parts()?.0))
    }

    /// The last part of the event's type: the message type, status or event name.
    pub fn kind(&self) -> Option<&'a str> {
        Some(self.type_parts()?.1)
    }

    /// When it happened by Meta's clock (`ce-time`), as RFC 3339 writes it. Order by it.
    pub const fn time(&self) -> Option<&'a str> {
        self.time
    }

    /// Meta's own id of the object (`ce-subject`): a wamid, a call id, a group id. Such an id may embed a phone number: do
    /// not log it.
    pub const fn subject(&self) -> Option<&'a str> {
        self.subject
    }

    /// Where the data is (`ce-dataref`), when it was too large for the message itself.
    pub const fn data_ref(&self) -> Option<&'a str> {
        self.data_ref
    }

    /// The id by which the broker deduplicates (`Nats-Msg-Id`): the event's id, in quarantine with `q-` in front.
    pub const fn message_id(&self) -> Option<&'a str> {
        self.message_id
    }

    /// When the receiver took it (`wahook-received`), as RFC 3339 writes it.
    pub const fn received(&self) -> Option<&'a str> {
        self.received
    }

    fn type_parts(&self) -> Option<(&'a str, &'a str)> {
        self.event_type?
            .strip_prefix(contract::TYPE_PREFIX)?
            .split_once('.')
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers")
            .field("event_id", &self.event_id)
            .field("event_type", &self.event_type)
            .field("time", &self.time)
            .field("data_ref", &self.data_ref)
            .field("message_id", &self.message_id)
            .field("received", &self.received)
            .field("original_family", &self.original_family)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn headers_are_found_whatever_their_case() {
        let pairs = [
            ("Nats-Msg-Id", "m"),
            ("CE-Type", "com.whatsapp.messages.text"),
            ("ce-type", "later"),
            ("wahook-family", "messages"),
            ("ce-subject", "wamid.SECRET"),
            ("ce-dataref", "nats-object:b/x"),
            ("traceparent", "00"),
        ];
        let headers = Headers::from_pairs(pairs);
        assert_eq!(
            (headers.message_id(), headers.data_ref()),
            (Some("m"), Some("nats-object:b/x"))
        );
        assert_eq!(
            (headers.family(), headers.kind()),
            (Some(Family::Messages), Some("text"))
        );
        assert_eq!(headers.event_id(), None);
        assert_eq!(headers.original_family(), Some(Family::Messages));
        assert_eq!(headers.subject(), Some("wamid.SECRET"));
        assert!(!format!("{headers:?}").contains("SECRET"));
        let foreign = Headers::from_pairs([("ce-type", "org.example.messages.text")]);
        assert_eq!(foreign.family(), None);
    }
}
