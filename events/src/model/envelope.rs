//! The envelope of a webhook body, and the value that every field of a phone number shares.

use serde_json::Value;

use super::{
    AutomaticEvent, Call, Contact, ConversationContext, FieldValue, GroupUpdate, HistoryChunk, Id, Message,
    MetaError, Standby, StateSync, Status, Timestamp, UserAction, UserIdUpdate, UserPreference,
};

object! {
    /// A whole webhook body (Meta, Webhooks overview: payload). Wahook publishes its parts one by one, so a
    /// consumer meets it only in a dead letter.
    pub struct Payload {
        /// Always `whatsapp_business_account`.
        object: Option<String>,
        /// One entry per account. A body may hold several.
        entry: Vec<Entry>,
    }
}

object! {
    /// An entry of a body: what happened to one account (Meta, Webhooks overview: payload).
    pub struct Entry {
        /// The WhatsApp Business Account, or the business portfolio for `partner_solutions` and for the
        /// `account_update` events that carry `waba_info`. `0` in a test from the dashboard.
        id: Option<Id>,
        /// When Meta sent the notification. Only account fields carry it (Meta, Graph API webhooks).
        time: Option<Timestamp>,
        /// What changed. Absent where the subscription asked for no values.
        changes: Vec<Change>,
    }
}

object! {
    /// One change: the field that changed and its value (Meta, Webhooks overview: payload).
    pub struct Change {
        /// The webhook field, such as `messages`.
        field: Option<String>,
        /// The value, whose shape depends on the field.
        value: Option<Value>,
    }
}

impl Change {
    /// The value as the type of its field.
    pub fn typed(&self) -> FieldValue {
        FieldValue::of(
            self.field.as_deref().unwrap_or_default(),
            self.value.as_ref().unwrap_or(&Value::Null),
        )
    }
}

object! {
    /// The business phone number that a change belongs to (Meta, Webhooks reference: messages, `metadata`).
    pub struct PhoneNumber {
        /// The number as it is displayed, digits only.
        display_phone_number: Option<String>,
        /// The id of the number. Route on it: it never changes.
        phone_number_id: Option<Id>,
    }
}

object! {
    /// The value of every field that belongs to a phone number. Which lists are filled depends on the field,
    /// and several may be filled at once (Meta, Webhooks reference: messages, calls, history and others).
    pub struct ChangeValue {
        /// Always `whatsapp`.
        messaging_product: Option<String>,
        /// The business phone number.
        metadata: Option<PhoneNumber>,
        /// The customers that the change is about.
        contacts: Vec<Contact>,
        /// `messages`, and the media of a `history`: what customers sent.
        messages: Vec<Message>,
        /// `messages` and `calls`: what became of something the business sent.
        statuses: Vec<Status>,
        /// `messages` and `calls`: errors of no particular message.
        errors: Vec<MetaError>,
        /// `messages`: clicks on marketing messages.
        user_actions: Vec<UserAction>,
        /// `messages`: what was said before the thread was routed here.
        conversation_context: Option<ConversationContext>,
        /// `smb_message_echoes`, `message_echoes` and `history`: what the business sent from another place.
        message_echoes: Vec<Message>,
        /// `calls`: events of calls.
        calls: Vec<Call>,
        /// `history`: chunks of earlier conversations.
        history: Vec<HistoryChunk>,
        /// `smb_app_state_sync`: changes of the address book.
        state_sync: Vec<StateSync>,
        /// The four `group_*` fields.
        groups: Vec<GroupUpdate>,
        /// `standby`: copies for a partner that does not own the thread.
        standby: Option<Standby>,
        /// `user_preferences`: who stopped or resumed marketing messages.
        user_preferences: Vec<UserPreference>,
        /// `user_id_update`: whose business-scoped id changed.
        user_id_update: Vec<UserIdUpdate>,
        /// `automatic_events`: purchases and leads that Meta detected.
        automatic_events: Vec<AutomaticEvent>,
    }
}
