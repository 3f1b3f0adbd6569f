//! A message: what a customer sent, and every copy of a message that Meta sends elsewhere.

use super::{HistoryContext, Id, MessageContent, MetaError, Timestamp};

object! {
    /// A message (Meta, Webhooks reference: messages).
    ///
    /// The same type serves `messages`, `smb_message_echoes`, `message_echoes`, `history` and `standby`, which
    /// differ only in the members that are present.
    pub struct Message {
        /// The message id (`wamid.…`). An edit and a revocation have their own.
        id: Id,
        /// The sender's phone number. Absent for a customer whose number the business may not see.
        from: Option<Id>,
        /// The sender's business-scoped user id.
        from_user_id: Option<Id>,
        /// The sender's parent id, where the business has linked portfolios.
        from_parent_user_id: Option<Id>,
        /// Echoes and history: the customer that the business wrote to.
        to: Option<Id>,
        /// Echoes and history: the business-scoped user id of that customer.
        to_user_id: Option<Id>,
        /// Echoes and history: the parent id of that customer.
        to_parent_user_id: Option<Id>,
        /// When it was sent. Order by it: Meta does not keep the order.
        timestamp: Option<Timestamp>,
        /// Meta's `type`, as sent. Absent in a standby echo.
        kind: Option<String> = "type",
        /// The message it answers, or that it was forwarded.
        context: Option<Context>,
        /// The ad or post that brought the customer.
        referral: Option<Referral>,
        /// The group it was sent in.
        group_id: Option<Id>,
        /// The sender's identity. Only with the identity check turned on.
        identity: Option<Identity>,
        /// The hash of the sender's identity, in its newer form.
        identity_key_hash: Option<String>,
        /// Why the content is not here: unsupported, too large, expired.
        errors: Vec<MetaError>,
        /// History: what became of the message at the time.
        history_context: Option<HistoryContext>,
        /// Standby echoes: the request by which the owner of the thread sent the message.
        message: Option<serde_json::Value>,
        /// What the message says: the object named by `type`.
        #[cfg_attr(feature = "schema", schemars(flatten))]
        content: MessageContent,
    }
}

impl Message {
    /// The best identifier of the sender: the business-scoped user id, else the phone number.
    pub fn sender(&self) -> Option<&str> {
        self.from_user_id.as_deref().or(self.from.as_deref())
    }
}

object! {
    /// What a message refers to (Meta, Webhooks reference: messages, `context`).
    pub struct Context {
        /// Who sent the message that is answered.
        from: Option<Id>,
        /// The business-scoped user id of who sent it.
        from_user_id: Option<Id>,
        /// The message that is answered.
        id: Option<Id>,
        /// Forwarded, up to five times.
        forwarded: Option<bool>,
        /// Forwarded more than five times.
        frequently_forwarded: Option<bool>,
        /// The product the customer asks about.
        referred_product: Option<ReferredProduct>,
    }
}

object! {
    /// A product of the catalogue (Meta, Webhooks reference: messages/text, `referred_product`).
    pub struct ReferredProduct {
        /// The catalogue.
        catalog_id: Option<Id>,
        /// The product's id in the catalogue.
        product_retailer_id: Option<Id>,
    }
}

object! {
    /// The ad or post that brought the customer (Meta, Webhooks reference: messages/text, `referral`).
    pub struct Referral {
        /// The address of the ad or post.
        source_url: Option<String>,
        /// The id of the ad or post.
        source_id: Option<Id>,
        /// `ad` or `post`.
        source_type: Option<String>,
        /// The headline.
        headline: Option<String>,
        /// The primary text.
        body: Option<String>,
        /// `image` or `video`.
        media_type: Option<String>,
        /// The image of an image ad.
        image_url: Option<String>,
        /// The video of a video ad.
        video_url: Option<String>,
        /// The still of a video ad.
        thumbnail_url: Option<String>,
        /// The click id for the Conversions API. Absent for an ad in WhatsApp Status.
        ctwa_clid: Option<String>,
        /// The greeting that the ad showed.
        welcome_message: Option<WelcomeMessage>,
    }
}

object! {
    /// The greeting of an ad (Meta, Webhooks reference: messages/text, `referral.welcome_message`).
    pub struct WelcomeMessage {
        /// The greeting itself.
        text: Option<String>,
    }
}

object! {
    /// A customer's identity (Meta, Identity change check; the On-Premises form of it).
    pub struct Identity {
        /// Whether the latest change was acknowledged.
        acknowledged: Option<bool>,
        /// When the identity was made. Some payloads count milliseconds here.
        created_timestamp: Option<Timestamp>,
        /// The hash to compare.
        hash: Option<String>,
    }
}
