//! Coexistence: a business that uses the WhatsApp Business app and the API with one number.

use super::{Id, Message, MetaError, Timestamp};

object! {
    /// A chunk of earlier conversations (Meta, Webhooks reference: history).
    pub struct HistoryChunk {
        /// Where the chunk belongs.
        metadata: Option<HistoryMetadata>,
        /// The conversations in it.
        threads: Vec<HistoryThread>,
        /// Why there is no history: 2593109 when the business does not share it.
        errors: Vec<MetaError>,
    }
}

object! {
    /// Where a chunk of history belongs (Meta, Webhooks reference: history, `metadata`).
    pub struct HistoryMetadata {
        /// 0 for the first day, 1 up to day 90, 2 up to day 180.
        phase: Option<i64>,
        /// The chunk's place in its phase. Chunks come in any order.
        chunk_order: Option<i64>,
        /// How much has been sent, in percent; 100 is the end.
        progress: Option<i64>,
    }
}

object! {
    /// One conversation (Meta, Webhooks reference: history, `threads`).
    pub struct HistoryThread {
        /// The customer's phone number.
        id: Option<Id>,
        /// The customer's identifiers.
        context: Option<ThreadContext>,
        /// The messages, in both directions.
        messages: Vec<Message>,
    }
}

object! {
    /// The customer of a conversation (Meta, Business-scoped user IDs: history).
    pub struct ThreadContext {
        /// The phone number.
        wa_id: Option<Id>,
        /// The business-scoped user id.
        user_id: Option<Id>,
        /// The parent id.
        parent_user_id: Option<Id>,
        /// The username.
        username: Option<String>,
    }
}

object! {
    /// What became of a message of the history (Meta, Webhooks reference: history, `history_context`).
    pub struct HistoryContext {
        /// The last status at the time.
        status: Option<HistoryStatus>,
    }
}

words! {
    /// The last status of a message of the history (Meta, Webhooks reference: history).
    pub enum HistoryStatus {
        Delivered = "DELIVERED",
        Error = "ERROR",
        Pending = "PENDING",
        Played = "PLAYED",
        Read = "READ",
        Sent = "SENT",
    }
}

object! {
    /// A change of the app's address book (Meta, Webhooks reference: `smb_app_state_sync`).
    pub struct StateSync {
        /// `contact`.
        kind: Option<String> = "type",
        /// The entry that changed.
        contact: Option<SyncedContact>,
        /// What happened to it.
        action: Option<SyncAction>,
        /// When.
        metadata: Option<SyncMetadata>,
    }
}

words! {
    /// What happened to an entry of the address book (Meta, Webhooks reference: `smb_app_state_sync`).
    pub enum SyncAction {
        /// Added or changed.
        Add = "add",
        Remove = "remove",
    }
}

object! {
    /// An entry of the address book (Meta, Webhooks reference: `smb_app_state_sync`). Without names when it was
    /// removed.
    pub struct SyncedContact {
        /// The whole name.
        full_name: Option<String>,
        /// The first name.
        first_name: Option<String>,
        /// The phone number.
        phone_number: Option<Id>,
        /// The business-scoped user id.
        user_id: Option<Id>,
        /// The parent id.
        parent_user_id: Option<Id>,
        /// The username.
        username: Option<String>,
    }
}

object! {
    /// When an entry of the address book changed (Meta, Webhooks reference: `smb_app_state_sync`).
    pub struct SyncMetadata {
        /// The moment.
        timestamp: Option<Timestamp>,
    }
}
