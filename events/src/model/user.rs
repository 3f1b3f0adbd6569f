//! What customers choose and what Meta notices about them: preferences, identifiers, purchases and leads.

use super::{Id, Timestamp};

object! {
    /// A customer stopped or resumed marketing messages (Meta, Webhooks reference: `user_preferences`).
    pub struct UserPreference {
        /// The phone number.
        wa_id: Option<Id>,
        /// The business-scoped user id.
        user_id: Option<Id>,
        /// The parent id.
        parent_user_id: Option<Id>,
        /// What was chosen, in a sentence.
        detail: Option<String>,
        /// `marketing_messages`.
        category: Option<String>,
        /// What was chosen.
        value: Option<Preference>,
        /// When.
        timestamp: Option<Timestamp>,
    }
}

words! {
    /// What a customer chose (Meta, Webhooks reference: `user_preferences`, `value`).
    pub enum Preference {
        /// No more marketing messages.
        Stop = "stop",
        /// Marketing messages again.
        Resume = "resume",
    }
}

object! {
    /// A customer's business-scoped user id changed (Meta, Business-scoped user IDs: `user_id_update`). What is
    /// stored under the previous id belongs to the current one.
    pub struct UserIdUpdate {
        /// The phone number.
        wa_id: Option<Id>,
        /// What happened, in a sentence.
        detail: Option<String>,
        /// The id.
        user_id: Option<IdChange>,
        /// The parent id.
        parent_user_id: Option<IdChange>,
        /// When.
        timestamp: Option<Timestamp>,
    }
}

object! {
    /// An identifier before and after (Meta, Business-scoped user IDs: `user_id_update`).
    pub struct IdChange {
        /// Before.
        previous: Option<Id>,
        /// After.
        current: Option<Id>,
    }
}

object! {
    /// A purchase or lead that Meta detected in a chat which an ad began (Meta, Webhooks reference:
    /// `automatic_events`).
    pub struct AutomaticEvent {
        /// The message it was detected in.
        id: Option<Id>,
        /// What was detected.
        event_name: Option<AutomaticEventName>,
        /// When.
        timestamp: Option<Timestamp>,
        /// The click id for the Conversions API.
        ctwa_clid: Option<String>,
        /// What was bought.
        custom_data: Option<Purchase>,
    }
}

words! {
    /// What Meta detected (Meta, Webhooks reference: `automatic_events`, `event_name`).
    pub enum AutomaticEventName {
        LeadSubmitted = "LeadSubmitted",
        Purchase = "Purchase",
    }
}

object! {
    /// What was bought (Meta, Webhooks reference: `automatic_events`, `custom_data`).
    pub struct Purchase {
        /// The currency, as ISO 4217 writes it.
        currency: Option<String>,
        /// The price, in units of the currency.
        value: Option<f64>,
    }
}
