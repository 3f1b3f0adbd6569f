//! Conversation routing: who owns a thread, and copies for those who do not.

use super::{Contact, Id, Message, PhoneNumber, Status, Timestamp};

object! {
    /// Copies for a partner that does not own the thread (Meta, Webhooks reference: standby). They stand one
    /// level deeper than in `messages`.
    pub struct Standby {
        /// The customers.
        contacts: Vec<Contact>,
        /// What customers sent.
        messages: Vec<Message>,
        /// What the owner of the thread sent: an id, a time and the request in [`Message::message`].
        message_echoes: Vec<Message>,
        /// What became of it.
        statuses: Vec<Status>,
    }
}

object! {
    /// A thread changed its owner (Meta, Webhooks reference: messaging-handovers).
    pub struct Handover {
        /// Always `whatsapp`.
        messaging_product: Option<String>,
        /// The customer.
        sender: Option<HandoverSender>,
        /// The business phone number.
        recipient: Option<PhoneNumber>,
        /// Which way the control went.
        kind: Option<HandoverKind> = "type",
        /// When.
        timestamp: Option<Timestamp>,
        /// The thread is yours now.
        control_passed: Option<Control>,
        /// The thread is no longer yours.
        control_taken: Option<Control>,
    }
}

words! {
    /// Which way the control of a thread went (Meta, Webhooks reference: messaging-handovers, `type`).
    pub enum HandoverKind {
        /// You are to answer from now on.
        Passed = "control_passed",
        /// You are to be silent from now on.
        Taken = "control_taken",
    }
}

object! {
    /// The customer of a thread (Meta, Webhooks reference: messaging-handovers, `sender`).
    pub struct HandoverSender {
        /// The phone number.
        phone_number: Option<Id>,
        /// The business-scoped user id.
        user_id: Option<Id>,
    }
}

object! {
    /// Who had a thread and who has it (Meta, Webhooks reference: messaging-handovers).
    pub struct Control {
        /// The app that had it. Meta advises to read the role.
        previous_owner_app_id: Option<Id>,
        /// The role of that app, such as `meta_business_agent`. Meta advises to read the role of the owner.
        previous_owner_app_role: Option<String>,
        /// The role that had it, such as `ai_agent` or `customer_service`.
        previous_owner_role: Option<String>,
        /// The app that has it.
        new_owner_app_id: Option<Id>,
        /// The role that has it, such as `escalation`.
        new_owner_role: Option<String>,
        /// What the one that passed it on wrote.
        metadata: Option<String>,
        /// What was said before.
        conversation_context: Option<ConversationContext>,
    }
}

object! {
    /// What was said before the thread came here (Meta, Conversation routing: conversation context). A model
    /// wrote it: show it to people, do not parse it.
    pub struct ConversationContext {
        /// `summary`.
        kind: Option<String> = "type",
        /// The summary.
        summary: Option<ContextSummary>,
    }
}

object! {
    /// A summary of a conversation (Meta, Conversation routing: conversation context).
    pub struct ContextSummary {
        /// The summary.
        text: Option<String>,
    }
}
