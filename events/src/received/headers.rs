//! The headers beside the data of an event.

use crate::model::words::words;

/// The headers of an event, looked up among all headers of a message.
///
/// None of them holds personal data, so all of them may be logged. Names are compared without regard to case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    event_id: Option<&'a str>,
    event_type: Option<&'a str>,
    time: Option<&'a str>,
    subject: Option<&'a str>,
    data_ref: Option<&'a str>,
    message_id: Option<&'a str>,
    received: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Picks the event's headers. Of a header that is there twice, the first counts.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            let slot = match name.to_ascii_lowercase().as_str() {
                "ce-id" => &mut headers.event_id,
                "ce-type" => &mut headers.event_type,
                "ce-time" => &mut headers.time,
                "ce-subject" => &mut headers.subject,
                "ce-dataref" => &mut headers.data_ref,
                "nats-msg-id" => &mut headers.message_id,
                "wahook-received" => &mut headers.received,
                _ => continue,
            };
            slot.get_or_insert(value);
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

    /// What the event is about (`ce-subject`).
    pub const fn subject(&self) -> Option<&'a str> {
        self.subject
    }

    /// Where the data is (`ce-dataref`), when it was too large for the message itself.
    pub const fn data_ref(&self) -> Option<&'a str> {
        self.data_ref
    }

    /// The id by which the broker deduplicates (`Nats-Msg-Id`).
    pub const fn message_id(&self) -> Option<&'a str> {
        self.message_id
    }

    /// When the receiver took it (`wahook-received`), as RFC 3339 writes it.
    pub const fn received(&self) -> Option<&'a str> {
        self.received
    }

    fn type_parts(&self) -> Option<(&'a str, &'a str)> {
        self.event_type?.strip_prefix("com.whatsapp.")?.split_once('.')
    }
}

words! {
    /// The family of an event: what kind of thing it tells. An account field's family is the field's name, kept
    /// in `Other` where it has no item here.
    pub enum Family {
        /// A customer's message.
        Messages = "messages",
        /// What became of a message or a payment.
        Statuses = "statuses",
        /// An error that belongs to no message.
        Errors = "errors",
        /// A call, or what became of one.
        Calls = "calls",
        /// A click on a marketing message.
        UserActions = "user_actions",
        /// An earlier conversation.
        History = "history",
        /// A message the business sent from another place.
        MessageEchoes = "message_echoes",
        /// A message the business sent from the WhatsApp Business app.
        SmbMessageEchoes = "smb_message_echoes",
        /// A change of the app's address book.
        SmbAppStateSync = "smb_app_state_sync",
        /// A copy for a partner that does not own the thread.
        Standby = "standby",
        /// A thread changed its owner.
        MessagingHandovers = "messaging_handovers",
        /// A template's status.
        TemplateStatus = "message_template_status_update",
        /// An account changed.
        AccountUpdate = "account_update",
        /// A test from Meta's dashboard.
        Test = "test",
        /// An event of a phone number that the webhook does not list.
        Quarantine = "quarantine",
        /// A signed body that could not be split.
        DeadLetter = "dead_letter",
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
            ("ce-dataref", "nats:x"),
            ("traceparent", "00"),
        ];
        let headers = Headers::from_pairs(pairs);
        assert_eq!(
            (headers.message_id(), headers.data_ref()),
            (Some("m"), Some("nats:x"))
        );
        assert_eq!(
            (headers.family(), headers.kind()),
            (Some(Family::Messages), Some("text"))
        );
        assert_eq!(headers.event_id(), None);
        let foreign = Headers::from_pairs([("ce-type", "org.example.messages.text")]);
        assert_eq!(foreign.family(), None);
    }
}
