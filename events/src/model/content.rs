//! What a message says: the object that its `type` names.

use serde_json::{Map, Value};

use super::{
    Button, ContactCard, Edit, Interactive, Location, Media, Order, Reaction, Revoke, System, Text,
    Unsupported,
    shape::{Member, Members, Shape},
};

/// The content of a message, by its `type` (Meta, Webhooks reference: messages and its sub-pages).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MessageContent {
    /// `text`
    Text(Text),
    /// `image`
    Image(Media),
    /// `video`
    Video(Media),
    /// `audio`, and the old type `voice`. See [`Media::voice`] for a voice note.
    Audio(Media),
    /// `document`
    Document(Media),
    /// `sticker`
    Sticker(Media),
    /// `location`
    Location(Location),
    /// `contacts`: address cards.
    Contacts(Vec<ContactCard>),
    /// `button`: a tap on a template's quick reply.
    Button(Button),
    /// `interactive`: the answer to an interactive message.
    Interactive(Box<Interactive>),
    /// `reaction`
    Reaction(Reaction),
    /// `order`: a filled shopping cart.
    Order(Order),
    /// `system`: the customer's number or identity changed.
    System(Box<System>),
    /// `edit`: an earlier message was changed.
    Edit(Edit),
    /// `revoke`: an earlier message was taken back.
    Revoke(Revoke),
    /// `unsupported`, and `unknown` in older payloads: the message's `errors` say why.
    Unsupported(Unsupported),
    /// `request_welcome`: the customer opened the chat for the first time.
    RequestWelcome,
    /// `media_placeholder`: a media message of the history whose content follows in a later webhook.
    MediaPlaceholder,
    /// A type that this version does not know, or content that does not have the shape of its type: the value
    /// as Meta sent it, `null` where there was none.
    Unknown(Value),
}

impl MessageContent {
    /// The content of an object whose type is `kind`; the member it came from is marked as read.
    fn of(kind: &str, members: &mut Members<'_>) -> Self {
        let typed = match kind {
            "text" => members.value(kind).map(Self::Text),
            "image" => members.value(kind).map(Self::Image),
            "video" => members.value(kind).map(Self::Video),
            "audio" | "voice" => members.value(kind).map(Self::Audio),
            "document" => members.value(kind).map(Self::Document),
            "sticker" => members.value(kind).map(Self::Sticker),
            "location" => members.value(kind).map(Self::Location),
            "contacts" => members.value(kind).map(Self::Contacts),
            "button" => members.value(kind).map(Self::Button),
            "interactive" => members.value(kind).map(Self::Interactive),
            "reaction" => members.value(kind).map(Self::Reaction),
            "order" => members.value(kind).map(Self::Order),
            "system" => members.value(kind).map(Self::System),
            "edit" => members.value(kind).map(Self::Edit),
            "revoke" => members.value(kind).map(Self::Revoke),
            "unsupported" | "unknown" => match members.peek(kind) {
                Some(_) => members.value(kind).map(Self::Unsupported),
                None => Some(Self::Unsupported(Unsupported::default())),
            },
            "request_welcome" if members.peek(kind).is_none() => Some(Self::RequestWelcome),
            "media_placeholder" if members.peek(kind).is_none() => Some(Self::MediaPlaceholder),
            _ => None,
        };
        typed.unwrap_or_else(|| Self::Unknown(unknown(kind, members)))
    }

    /// The value that goes back under the name of the type; `None` for a type without one.
    fn value(&self) -> Option<Value> {
        match self {
            Self::Text(part) => Some(part.write()),
            Self::Image(part)
            | Self::Video(part)
            | Self::Audio(part)
            | Self::Document(part)
            | Self::Sticker(part) => Some(part.write()),
            Self::Location(part) => Some(part.write()),
            Self::Contacts(cards) => Some(cards.write()),
            Self::Button(part) => Some(part.write()),
            Self::Interactive(part) => Some(part.write()),
            Self::Reaction(part) => Some(part.write()),
            Self::Order(part) => Some(part.write()),
            Self::System(part) => Some(part.write()),
            Self::Edit(part) => Some(part.write()),
            Self::Revoke(part) => Some(part.write()),
            Self::Unsupported(part) => Some(part.write()).filter(|value| value != &Value::Object(Map::new())),
            Self::RequestWelcome | Self::MediaPlaceholder => None,
            Self::Unknown(value) => Some(value.clone()).filter(|value| !value.is_null()),
        }
    }
}

/// The raw value of a type that could not be read. A member that was taken already (a type could be called `id`)
/// is left alone.
pub(super) fn unknown(kind: &str, members: &mut Members<'_>) -> Value {
    let Some(value) = members.peek(kind).filter(|_| !members.is_taken(kind)) else {
        return Value::Null;
    };
    members.mark(kind);
    value.clone()
}

/// The content has no name of its own: it stands under the name that `type` holds. The struct that has it
/// declares it last, so that `put` finds the type and an odd type takes no other member away.
impl Member for MessageContent {
    fn take(members: &mut Members<'_>, _key: &'static str) -> Option<Self> {
        let kind = members.peek("type").and_then(Value::as_str).unwrap_or_default();
        Some(Self::of(kind, members))
    }

    fn put(&self, _key: &'static str, object: &mut Map<String, Value>) {
        if let (Some(Value::String(kind)), Some(value)) = (object.get("type"), self.value()) {
            object.insert(kind.clone(), value);
        }
    }
}

/// The parts of a message, each under the name of its type; a message has one of them.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for MessageContent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MessageContent".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        use crate::schema::part;
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "text": part::<Text>(generator, "A text."),
                "image": part::<Media>(generator, "A picture."),
                "video": part::<Media>(generator, "A video."),
                "audio": part::<Media>(generator, "A recording or a voice note."),
                "voice": part::<Media>(generator, "A voice note of the old type."),
                "document": part::<Media>(generator, "A file."),
                "sticker": part::<Media>(generator, "A sticker."),
                "location": part::<Location>(generator, "A place."),
                "contacts": part::<Vec<ContactCard>>(generator, "Address cards."),
                "button": part::<Button>(generator, "A tap on a template's quick reply."),
                "interactive": part::<Interactive>(generator, "The answer to an interactive message."),
                "reaction": part::<Reaction>(generator, "A reaction, or that it was taken back."),
                "order": part::<Order>(generator, "A filled shopping cart."),
                "system": part::<System>(generator, "The customer's number or identity changed."),
                "edit": part::<Edit>(generator, "An earlier message was changed."),
                "revoke": part::<Revoke>(generator, "An earlier message was taken back."),
                "unsupported": part::<Unsupported>(generator, "What the API cannot show; `errors` say why."),
            },
        })
    }
}
