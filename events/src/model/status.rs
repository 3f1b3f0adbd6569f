//! What became of something the business sent: a message, a payment or a call.

use super::{Id, MetaError, Payment, Timestamp};

object! {
    /// A status (Meta, Webhooks reference: messages/status; Groups: webhooks; Payments; Calling: reference).
    ///
    /// Its `id` is that of the message or call the business sent, so several statuses share it. Statuses may
    /// come late, twice or not at all, `delivered` in particular.
    pub struct Status {
        /// The message (`wamid.…`) or the call (`wacid.…`) that the business sent.
        id: Id,
        /// What became of it.
        status: StatusKind,
        /// `payment` or `call`; absent for a message.
        kind: Option<String> = "type",
        /// When it happened.
        timestamp: Option<Timestamp>,
        /// The customer's phone number, or the group.
        recipient_id: Option<Id>,
        /// The customer's business-scoped user id.
        recipient_user_id: Option<Id>,
        /// The customer's parent id.
        recipient_parent_user_id: Option<Id>,
        /// The customer's parent id, as it was spelt until May 2026.
        parent_recipient_user_id: Option<Id>,
        /// `group` for a message to a group.
        recipient_type: Option<String>,
        /// The member of the group that the status is about.
        recipient_participant_id: Option<Id>,
        /// The same member, as other pages of Meta's spell it.
        participant_recipient_id: Option<Id>,
        /// The business-scoped user id of the member.
        recipient_participant_user_id: Option<Id>,
        /// The hash of the customer's identity. Only with the identity check turned on.
        recipient_identity_key_hash: Option<String>,
        /// What the business attached when it sent the message.
        biz_opaque_callback_data: Option<String>,
        /// The conversation that the message opened or belongs to.
        conversation: Option<Conversation>,
        /// What the message costs.
        pricing: Option<Pricing>,
        /// The payment, when `kind` is `payment`.
        payment: Option<Payment>,
        /// Why it failed.
        errors: Vec<MetaError>,
    }
}

impl Status {
    /// The member of the group that the status is about, under whichever name Meta sent it.
    pub fn participant(&self) -> Option<&Id> {
        let numbers = self
            .recipient_participant_id
            .as_ref()
            .or(self.participant_recipient_id.as_ref());
        self.recipient_participant_user_id.as_ref().or(numbers)
    }

    /// What the message costs, wherever Meta put it: beside the conversation or inside it.
    pub fn price(&self) -> Option<&Pricing> {
        self.pricing
            .as_ref()
            .or_else(|| self.conversation.as_ref()?.pricing.as_ref())
    }
}

words! {
    /// What became of a message, a payment or a call (Meta, Webhooks reference: messages/status; Payments;
    /// Calling: reference).
    pub enum StatusKind {
        /// Accepted by WhatsApp.
        Sent = "sent",
        /// On the customer's device.
        Delivered = "delivered",
        /// Opened by the customer.
        Read = "read",
        /// Not sent or not delivered; `errors` say why.
        Failed = "failed",
        /// A voice message was played for the first time.
        Played = "played",
        /// Deleted by the customer.
        Deleted = "deleted",
        /// A warning about the message; only old payloads have it.
        Warning = "warning",
        /// A payment has begun.
        Pending = "pending",
        /// A payment has succeeded.
        Captured = "captured",
        /// A call rings at the customer's.
        Ringing = "RINGING",
        /// The customer took the call.
        Accepted = "ACCEPTED",
        /// The customer declined the call.
        Rejected = "REJECTED",
    }
}

required!(StatusKind);

object! {
    /// A conversation (Meta, Webhooks reference: messages/status, `conversation`). Absent from Graph version 24
    /// on, except in a free entry point window.
    pub struct Conversation {
        /// The conversation.
        id: Option<Id>,
        /// When it ends; only with `sent`.
        expiration_timestamp: Option<Timestamp>,
        /// How it began.
        origin: Option<ConversationOrigin>,
        /// The price, which some group statuses put here.
        pricing: Option<Pricing>,
    }
}

object! {
    /// How a conversation began (Meta, Webhooks reference: messages/status, `conversation.origin`).
    pub struct ConversationOrigin {
        /// The category, such as `service`, `marketing` or `referral_conversion`.
        kind: Option<String> = "type",
    }
}

object! {
    /// What a message costs (Meta, Webhooks reference: messages/status, `pricing`; Pricing). With `sent` and
    /// with one of `delivered` and `read`.
    pub struct Pricing {
        /// Whether it is billed. Meta is going to drop it: see `kind`.
        billable: Option<bool>,
        /// How it is billed.
        pricing_model: Option<PricingModel>,
        /// Why it costs something, or nothing.
        kind: Option<PricingKind> = "type",
        /// The rate.
        category: Option<PricingCategory>,
    }
}

words! {
    /// How messages are billed (Meta, Pricing: `pricing_model`).
    pub enum PricingModel {
        /// By conversation, until July 2025.
        Conversation = "CBP",
        /// By message.
        Message = "PMP",
    }
}

words! {
    /// Why a message costs something, or nothing (Meta, Pricing: `type`).
    pub enum PricingKind {
        Regular = "regular",
        FreeCustomerService = "free_customer_service",
        FreeEntryPoint = "free_entry_point",
        FreeGroupCustomerService = "free_group_customer_service",
    }
}

words! {
    /// The rate of a message (Meta, Pricing: `category`).
    pub enum PricingCategory {
        Authentication = "authentication",
        AuthenticationInternational = "authentication-international" | "authentication_international",
        Marketing = "marketing",
        MarketingLite = "marketing_lite",
        ReferralConversion = "referral_conversion",
        Service = "service",
        Utility = "utility",
        GroupMarketing = "group_marketing",
        GroupService = "group_service",
        GroupUtility = "group_utility",
    }
}
