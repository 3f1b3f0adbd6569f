//! What a consumer holds: the data of one event and the headers beside it.
//!
//! ```
//! # use wahook_events::received::EventData;
//! # let payload = br#"{"phone_number_id":"106","message":{"id":"wamid.A","type":"text","text":{"body":"Hi"}}}"#;
//! let data = EventData::parse(payload)?;
//! if let Some(message) = data.message()? {
//!     // Answer the message, and acknowledge the event only then.
//! #   assert_eq!(message.kind.as_deref(), Some("text"));
//! }
//! # Ok::<(), wahook_events::received::DataError>(())
//! ```

mod error;
mod family;
mod headers;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::model::{
    Call, Contact, ConversationContext, FieldValue, HistoryMetadata, HistoryThread, Id, Message, MetaError,
    Status, UserAction,
};

pub use error::DataError;
pub use family::Family;
pub use headers::Headers;

/// The data of an event: Meta's object, its bytes unchanged, and the account it belongs to.
///
/// `Debug` prints which object it is and how large, nothing of what it says.
#[derive(Clone)]
pub struct EventData {
    context: Beside,
    kind: ObjectKind,
    object: Box<RawValue>,
}

/// What stands beside Meta's object. Whatever Meta did not send is `None`.
#[derive(Clone)]
struct Beside {
    waba_id: Option<Id>,
    portfolio_id: Option<Id>,
    phone_number_id: Option<Id>,
    display_phone_number: Option<Id>,
    contact: Option<Box<RawValue>>,
    conversation_context: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    history: Option<Box<RawValue>>,
    thread: Option<Box<RawValue>>,
}

/// Which of Meta's objects an event carries: the last key of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// `message`: a [`Message`], from `messages` as well as from echoes, history and standby.
    Message,
    /// `status`: a [`Status`] of a message, a payment or a call.
    Status,
    /// `call`: a [`Call`].
    Call,
    /// `error`: a [`MetaError`] that belongs to no message.
    Error,
    /// `user_action`: a [`UserAction`].
    UserAction,
    /// `value`: anything else, most often the whole value of an account field.
    Value,
}

impl ObjectKind {
    /// The key under which the object stands.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Status => "status",
            Self::Call => "call",
            Self::Error => "error",
            Self::UserAction => "user_action",
            Self::Value => "value",
        }
    }
}

impl fmt::Debug for EventData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventData")
            .field("kind", &self.kind)
            .field("bytes", &self.object.get().len())
            .finish_non_exhaustive()
    }
}

impl EventData {
    /// Reads the payload of an event.
    ///
    /// # Errors
    /// [`DataError::NotEventData`], [`DataError::NoObject`] or [`DataError::TwoObjects`] where the payload is not
    /// what Wahook publishes. Meta's object itself is not looked into.
    pub fn parse(payload: &[u8]) -> Result<Self, DataError> {
        let wire: Wire = serde_json::from_slice(payload).map_err(|error| DataError::NotEventData {
            line: error.line(),
            column: error.column(),
        })?;
        let objects = [
            (ObjectKind::Message, wire.message),
            (ObjectKind::Status, wire.status),
            (ObjectKind::Call, wire.call),
            (ObjectKind::Error, wire.error),
            (ObjectKind::UserAction, wire.user_action),
            (ObjectKind::Value, wire.value),
        ];
        let mut present = objects
            .into_iter()
            .filter_map(|(kind, object)| Some((kind, object?)));
        let (kind, object) = present.next().ok_or(DataError::NoObject)?;
        if let Some((second, _)) = present.next() {
            return Err(DataError::TwoObjects(kind.key(), second.key()));
        }
        let context = Beside {
            waba_id: wire.waba_id,
            portfolio_id: wire.portfolio_id,
            phone_number_id: wire.phone_number_id,
            display_phone_number: wire.display_phone_number,
            contact: wire.contact,
            conversation_context: wire.conversation_context,
            metadata: wire.metadata,
            history: wire.history,
            thread: wire.thread,
        };
        Ok(Self {
            context,
            kind,
            object,
        })
    }

    /// The WhatsApp Business Account.
    pub fn waba_id(&self) -> Option<&str> {
        self.context.waba_id.as_deref()
    }

    /// The business portfolio, which some partner fields name in place of the account.
    pub fn portfolio_id(&self) -> Option<&str> {
        self.context.portfolio_id.as_deref()
    }

    /// The business phone number's id. Route on it.
    pub fn phone_number_id(&self) -> Option<&str> {
        self.context.phone_number_id.as_deref()
    }

    /// The business phone number as it is displayed.
    pub fn display_phone_number(&self) -> Option<&str> {
        self.context.display_phone_number.as_deref()
    }

    /// The customer, where Meta described one.
    ///
    /// # Errors
    /// [`DataError::Shape`] where the description is not an object.
    pub fn contact(&self) -> Result<Option<Contact>, DataError> {
        self.context
            .contact
            .as_deref()
            .map(|raw| read(raw, "contact"))
            .transpose()
    }

    /// The customer as Meta described him.
    pub fn contact_raw(&self) -> Option<&RawValue> {
        self.context.contact.as_deref()
    }

    /// What was said before the thread came here, where Meta sent a summary.
    ///
    /// # Errors
    /// [`DataError::Shape`] where the summary is not an object.
    pub fn conversation_context(&self) -> Result<Option<ConversationContext>, DataError> {
        self.context
            .conversation_context
            .as_deref()
            .map(|raw| read(raw, "conversation_context"))
            .transpose()
    }

    /// Meta's `metadata` as it came, where it says more than the phone number and its id.
    pub fn metadata_raw(&self) -> Option<&RawValue> {
        self.context.metadata.as_deref()
    }

    /// History: the place of the chunk that the message comes from.
    ///
    /// # Errors
    /// [`DataError::Shape`] where the description is not an object.
    pub fn history(&self) -> Result<Option<HistoryMetadata>, DataError> {
        self.context
            .history
            .as_deref()
            .map(|raw| read(raw, "history"))
            .transpose()
    }

    /// History: the conversation that the message comes from, without its messages.
    ///
    /// # Errors
    /// [`DataError::Shape`] where the description is not an object.
    pub fn thread(&self) -> Result<Option<HistoryThread>, DataError> {
        self.context
            .thread
            .as_deref()
            .map(|raw| read(raw, "thread"))
            .transpose()
    }

    /// History: the conversation as Meta described it, without its messages.
    pub fn thread_raw(&self) -> Option<&RawValue> {
        self.context.thread.as_deref()
    }

    /// Which object the event carries.
    pub const fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// Meta's object, byte for byte as Meta sent it.
    pub const fn raw(&self) -> &RawValue {
        &self.object
    }

    /// The message, if the event carries one.
    ///
    /// # Errors
    /// [`DataError::Shape`] where it has no id.
    pub fn message(&self) -> Result<Option<Message>, DataError> {
        self.object(ObjectKind::Message)
    }

    /// The status, if the event carries one.
    ///
    /// # Errors
    /// [`DataError::Shape`] where it has no id or no status.
    pub fn status(&self) -> Result<Option<Status>, DataError> {
        self.object(ObjectKind::Status)
    }

    /// The call, if the event carries one.
    ///
    /// # Errors
    /// [`DataError::Shape`] where it has no id.
    pub fn call(&self) -> Result<Option<Call>, DataError> {
        self.object(ObjectKind::Call)
    }

    /// The error, if the event carries one.
    ///
    /// # Errors
    /// [`DataError::Shape`] where it is not an object.
    pub fn error(&self) -> Result<Option<MetaError>, DataError> {
        self.object(ObjectKind::Error)
    }

    /// The customer's action, if the event carries one.
    ///
    /// # Errors
    /// [`DataError::Shape`] where it is not an object.
    pub fn user_action(&self) -> Result<Option<UserAction>, DataError> {
        self.object(ObjectKind::UserAction)
    }

    /// The value of a field, if the event carries one.
    pub fn value(&self) -> Option<&RawValue> {
        (self.kind == ObjectKind::Value).then_some(&*self.object)
    }

    /// Meta's object as a type of yours, whatever the object is.
    ///
    /// # Errors
    /// [`DataError::Shape`] where the object does not have the shape of `T`.
    pub fn value_as<T: DeserializeOwned>(&self) -> Result<T, DataError> {
        read(&self.object, self.kind.key())
    }

    /// The value as the type of its field, whose name is the event's [`Family`]. An event with another object
    /// has no such value and gives `None`.
    pub fn field_value(&self, family: &Family) -> Option<FieldValue> {
        let value = serde_json::from_str(self.value()?.get()).ok()?;
        Some(FieldValue::of(family.as_str(), &value))
    }

    fn object<T: DeserializeOwned>(&self, kind: ObjectKind) -> Result<Option<T>, DataError> {
        if self.kind == kind {
            self.value_as().map(Some)
        } else {
            Ok(None)
        }
    }
}

/// `serde`'s message is left out on purpose: it may quote what the customer sent.
fn read<T: DeserializeOwned>(raw: &RawValue, key: &'static str) -> Result<T, DataError> {
    serde_json::from_str(raw.get()).map_err(|_| DataError::Shape(key))
}

/// The data as it is published. Keys that this version does not know are skipped: the contract only grows.
#[derive(Deserialize)]
struct Wire {
    waba_id: Option<Id>,
    portfolio_id: Option<Id>,
    phone_number_id: Option<Id>,
    display_phone_number: Option<Id>,
    contact: Option<Box<RawValue>>,
    conversation_context: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    history: Option<Box<RawValue>>,
    thread: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    message: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    status: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    call: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    error: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    user_action: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Box<RawValue>>,
}

/// A key that is there counts, even where Meta's object is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}
