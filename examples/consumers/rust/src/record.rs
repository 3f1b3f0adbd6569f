//! What an event says, in the form this bot works with. Pure; the same in every language, held to `golden/`.

use serde::Serialize;
use wahook_events::model::{Id, Media, Message, MessageContent, Reply, Status};
use wahook_events::received::{DataError, EventData, Family, Headers};

/// An event. What Meta did not send is `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Record {
    /// `ce-id`: the same for every delivery of the same thing.
    pub(crate) event_id: Option<String>,
    /// `messages`, `statuses`, `calls`, ...
    pub(crate) family: Option<String>,
    /// The type of the message, the status, ...
    pub(crate) r#type: Option<String>,
    /// When it happened, by Meta's clock (RFC 3339).
    pub(crate) at: Option<String>,
    /// The phone number id, else the WhatsApp Business Account.
    pub(crate) account: Option<String>,
    /// Whom it is from or about.
    pub(crate) customer: Option<Customer>,
    /// The message, if it is one.
    pub(crate) message: Option<Said>,
    /// The status, if it is one.
    pub(crate) status: Option<Became>,
}

/// A customer. One of the two ids may be missing, and so may the name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Customer {
    /// The business-scoped user id.
    pub(crate) user_id: Option<String>,
    /// The phone number, which Meta hides for customers with a username.
    pub(crate) phone: Option<String>,
    /// The name of the profile.
    pub(crate) name: Option<String>,
}

/// What a customer said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Said {
    /// The wamid.
    pub(crate) id: String,
    /// The words: of a text, a caption, a button, a choice.
    pub(crate) text: Option<String>,
    /// The file.
    pub(crate) media: Option<File>,
    /// The wamid of the message it answers.
    pub(crate) answers: Option<String>,
}

/// A media file, still at Meta's.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct File {
    /// The media id.
    pub(crate) id: Option<String>,
    /// The media type.
    pub(crate) mime_type: Option<String>,
    /// The digest, in base64 or hex.
    pub(crate) sha256: Option<String>,
}

/// What became of something the business sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Became {
    /// The wamid of the message, or the id of the call.
    pub(crate) id: String,
    /// `payment` or `call`; `null` for a message.
    pub(crate) of: Option<String>,
    /// `sent`, `delivered`, `read`, `failed`, ...
    pub(crate) status: String,
    /// The codes of its errors.
    pub(crate) errors: Vec<i64>,
    /// What the business attached when it sent the message: here, the id of the event that was replied to.
    pub(crate) attached: Option<String>,
}

impl Record {
    /// Reads an event.
    ///
    /// # Errors
    /// [`DataError`] when the data is not the data of an event. A dead letter has none.
    pub(crate) fn of(headers: &Headers<'_>, payload: &[u8]) -> Result<Self, DataError> {
        let mut record = Self {
            event_id: headers.event_id().map(str::to_owned),
            family: headers.family().map(|family| family.to_string()),
            r#type: headers.kind().map(str::to_owned),
            at: headers.time().map(str::to_owned),
            ..Self::default()
        };
        if headers.family() == Some(Family::DeadLetter) {
            return Ok(record);
        }
        let data = EventData::parse(payload)?;
        record.account = data.phone_number_id().or(data.waba_id()).map(str::to_owned);
        if let Some(message) = data.message()? {
            record.customer = Some(sender(&data, &message));
            record.message = Some(said(message));
        }
        if let Some(status) = data.status()? {
            record.customer = Some(recipient(&status));
            record.status = Some(became(status));
        }
        Ok(record)
    }
}

/// The customer of a message: who sent it, or, of an echo, whom it was sent to.
fn sender(data: &EventData, message: &Message) -> Customer {
    let contact = data.contact().ok().flatten();
    let (phone, user_id) = if message.to.is_some() || message.to_user_id.is_some() {
        (&message.to, &message.to_user_id)
    } else {
        (&message.from, &message.from_user_id)
    };
    let contact = contact.as_ref();
    let text = |id: Option<&Id>| id.map(|id| id.as_str().to_owned());
    Customer {
        user_id: text(
            user_id
                .as_ref()
                .or(contact.and_then(|contact| contact.user_id.as_ref())),
        ),
        phone: text(
            phone
                .as_ref()
                .or(contact.and_then(|contact| contact.wa_id.as_ref())),
        ),
        name: contact.and_then(|contact| contact.profile.as_ref()?.name.clone()),
    }
}

fn recipient(status: &Status) -> Customer {
    let is_group = status.recipient_type.as_deref() == Some("group");
    Customer {
        user_id: status.recipient_user_id.as_ref().map(|id| id.as_str().to_owned()),
        phone: status
            .recipient_id
            .as_ref()
            .filter(|_| !is_group)
            .map(|id| id.as_str().to_owned()),
        name: None,
    }
}

fn said(message: Message) -> Said {
    let (text, media) = match message.content {
        MessageContent::Text(text) => (Some(text.body), None),
        MessageContent::Image(media)
        | MessageContent::Video(media)
        | MessageContent::Audio(media)
        | MessageContent::Document(media)
        | MessageContent::Sticker(media) => {
            let (caption, file) = file(media);
            (caption, Some(file))
        }
        MessageContent::Button(button) => (button.text, None),
        MessageContent::Interactive(interactive) => match interactive.reply {
            Reply::Button(reply) => (reply.title, None),
            Reply::List(reply) => (reply.title, None),
            _ => (None, None),
        },
        _ => (None, None),
    };
    Said {
        id: message.id.into_string(),
        text,
        media,
        answers: message
            .context
            .and_then(|context| context.id.map(Id::into_string)),
    }
}

fn file(media: Media) -> (Option<String>, File) {
    let file = File {
        id: media.id.map(Id::into_string),
        mime_type: media.mime_type,
        sha256: media.sha256,
    };
    (media.caption, file)
}

fn became(status: Status) -> Became {
    Became {
        id: status.id.into_string(),
        of: status.kind,
        status: status.status.to_string(),
        errors: status.errors.iter().filter_map(|error| error.code).collect(),
        attached: status.biz_opaque_callback_data,
    }
}
