//! The contents of messages: text, media, places, orders, reactions, edits and system notes.

use super::{Context, Id, MessageContent};

object! {
    /// A text (Meta, Webhooks reference: messages/text).
    pub struct Text {
        /// The text.
        body: String,
    }
}

object! {
    /// A picture, video, sound, document or sticker (Meta, Webhooks reference: messages/image, video, audio,
    /// document and sticker).
    pub struct Media {
        /// The media id; the Media API answers it with an address that is valid for five minutes.
        id: Option<Id>,
        /// The media type, such as `image/jpeg` or `audio/ogg; codecs=opus`.
        mime_type: Option<String>,
        /// The SHA-256 of the bytes, mostly in base64, sometimes in hex.
        sha256: Option<String>,
        /// Where the bytes are; needs the business's token. Sent since late 2025.
        url: Option<String>,
        /// What the customer wrote under it.
        caption: Option<String>,
        /// The name of a document's file.
        filename: Option<String>,
        /// Whether a sound is a voice note.
        voice: Option<bool>,
        /// Whether a sticker is animated.
        animated: Option<bool>,
    }
}

object! {
    /// A place (Meta, Webhooks reference: messages/location).
    pub struct Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// The name of the place.
        name: Option<String>,
        /// The address of the place.
        address: Option<String>,
        /// The web page of the place.
        url: Option<String>,
    }
}

object! {
    /// A tap on a template's quick reply (Meta, Webhooks reference: messages/button).
    pub struct Button {
        /// What the business put on the button.
        payload: Option<String>,
        /// What the customer read on it.
        text: Option<String>,
    }
}

object! {
    /// A reaction to a message (Meta, Webhooks reference: messages/reaction).
    pub struct Reaction {
        /// The message that is reacted to.
        message_id: Id,
        /// The emoji; absent or empty when the reaction is taken back.
        emoji: Option<String>,
    }
}

impl Reaction {
    /// Whether the customer took an earlier reaction back.
    pub fn is_removal(&self) -> bool {
        self.emoji.as_deref().unwrap_or_default().is_empty()
    }
}

object! {
    /// A filled shopping cart (Meta, Webhooks reference: messages/order).
    pub struct Order {
        /// The catalogue.
        catalog_id: Option<Id>,
        /// What the customer wrote with it.
        text: Option<String>,
        /// What is in the cart.
        product_items: Vec<ProductItem>,
    }
}

object! {
    /// A line of an order (Meta, Webhooks reference: messages/order, `product_items`).
    pub struct ProductItem {
        /// The product's id in the catalogue.
        product_retailer_id: Option<Id>,
        /// How many.
        quantity: Option<i64>,
        /// The price of one, in units of the currency.
        item_price: Option<f64>,
        /// The currency, as ISO 4217 writes it.
        currency: Option<String>,
    }
}

object! {
    /// A note that the customer's number or identity changed (Meta, Webhooks reference: messages/system).
    /// The change that carries it has no `contacts`.
    pub struct System {
        /// What happened, in a sentence with the customer's name and numbers.
        body: Option<String>,
        /// What happened.
        kind: Option<SystemKind> = "type",
        /// The new phone number.
        wa_id: Option<Id>,
        /// The new phone number, in older payloads.
        new_wa_id: Option<Id>,
        /// The new business-scoped user id.
        user_id: Option<Id>,
        /// The new parent id.
        parent_user_id: Option<Id>,
        /// The customer, in older payloads.
        customer: Option<Id>,
        /// The hash of the new identity, in older payloads.
        identity: Option<String>,
    }
}

impl System {
    /// The customer's phone number after the change, under whichever name Meta sent it.
    pub fn new_number(&self) -> Option<&Id> {
        self.wa_id.as_ref().or(self.new_wa_id.as_ref())
    }
}

words! {
    /// What a system note is about (Meta, Webhooks reference: messages/system; Business-scoped user IDs).
    pub enum SystemKind {
        UserChangedNumber = "user_changed_number" | "customer_changed_number",
        UserChangedUserId = "user_changed_user_id",
        CustomerIdentityChanged = "customer_identity_changed" | "user_identity_changed",
    }
}

object! {
    /// The change of an earlier message (Meta, Webhooks reference: messages/edit).
    pub struct Edit {
        /// The message that was changed.
        original_message_id: Id,
        /// What it says now.
        message: Option<Box<EditedMessage>>,
    }
}

object! {
    /// What a changed message says now (Meta, Webhooks reference: messages/edit, `message`).
    pub struct EditedMessage {
        /// Meta's `type`, as sent.
        kind: Option<String> = "type",
        /// The message it answers.
        context: Option<Context>,
        /// The new content: the object named by `type`.
        #[cfg_attr(feature = "schema", schemars(flatten))]
        content: MessageContent,
    }
}

object! {
    /// The withdrawal of an earlier message (Meta, Webhooks reference: messages/revoke).
    pub struct Revoke {
        /// The message that was taken back.
        original_message_id: Id,
    }
}

object! {
    /// A message that the API cannot show (Meta, Webhooks reference: messages/unsupported).
    #[derive(Default)]
    pub struct Unsupported {
        /// What the customer sent, such as `video_note`.
        kind: Option<String> = "type",
    }
}
