//! Meta's fields: which arrays hold events, what one element is called, and which natural key it has.
//!
//! A field that is not listed here is published whole, under its own name.

/// What an element is identified by. Natural keys as Meta's references state them; see `keys.rs` for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Natural {
    /// `id` (a wamid).
    Message,
    /// `id`, `type`, `status`, the group participant and what the payment transaction says.
    Status,
    /// Nothing of its own: the digest of the body and the place in it.
    Error,
    /// `click_id`, else a digest.
    UserAction,
    /// `id` (a wacid) and `event`.
    Call,
    /// `id` (a wacid) and `status`.
    CallStatus,
    /// The contact, `action` and the time of the change.
    StateSync,
    /// `group_id`, `type`, the request and `timestamp`.
    Group,
    /// The customer, `category`, `value` and `timestamp`.
    UserPreference,
    /// Previous and current user id and `timestamp`.
    UserIdUpdate,
    /// `id` and `event_name`.
    AutomaticEvent,
}

/// One array of a field's value whose elements become one event each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct List {
    /// The array's name in the value.
    pub(crate) name: &'static str,
    /// The family of its events; `None` where it is the field itself.
    pub(crate) family: Option<&'static str>,
    /// The data key an element is published under.
    pub(crate) object: &'static str,
    pub(crate) natural: Natural,
}

const fn list(name: &'static str, object: &'static str, natural: Natural) -> List {
    List {
        name,
        family: None,
        object,
        natural,
    }
}

const MESSAGES: &[List] = &[
    List {
        family: Some("messages"),
        ..list("messages", "message", Natural::Message)
    },
    List {
        family: Some("statuses"),
        ..list("statuses", "status", Natural::Status)
    },
    List {
        family: Some("errors"),
        ..list("errors", "error", Natural::Error)
    },
    List {
        family: Some("user_actions"),
        ..list("user_actions", "user_action", Natural::UserAction)
    },
];
const ECHOES: &[List] = &[
    list("message_echoes", "message", Natural::Message),
    list("messages", "message", Natural::Message),
    list("statuses", "status", Natural::Status),
    list("errors", "error", Natural::Error),
];
const CALLS: &[List] = &[
    list("calls", "call", Natural::Call),
    list("statuses", "status", Natural::CallStatus),
    list("errors", "error", Natural::Error),
];
const GROUPS: &[List] = &[
    list("groups", "value", Natural::Group),
    list("errors", "error", Natural::Error),
];
const STATE_SYNC: &[List] = &[list("state_sync", "value", Natural::StateSync)];
const PREFERENCES: &[List] = &[list("user_preferences", "value", Natural::UserPreference)];
const USER_IDS: &[List] = &[list("user_id_update", "value", Natural::UserIdUpdate)];
const AUTOMATIC: &[List] = &[list("automatic_events", "value", Natural::AutomaticEvent)];
/// Beside the chunks, which `history.rs` takes apart: the media of placeholders sent before.
const HISTORY: &[List] = &[
    list("messages", "message", Natural::Message),
    list("errors", "error", Natural::Error),
];

/// The arrays of a field; none for a field whose value is one event.
pub(crate) fn lists(field: &str) -> &'static [List] {
    match field {
        "messages" => MESSAGES,
        "message_echoes" | "smb_message_echoes" | "standby" => ECHOES,
        "calls" => CALLS,
        "group_lifecycle_update"
        | "group_participants_update"
        | "group_settings_update"
        | "group_status_update" => GROUPS,
        "smb_app_state_sync" => STATE_SYNC,
        "user_preferences" => PREFERENCES,
        "user_id_update" => USER_IDS,
        "automatic_events" => AUTOMATIC,
        "history" => HISTORY,
        _ => &[],
    }
}

/// What identifies a value that is published whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WholeKey {
    /// The canonical digest of entry id, entry time, field and value.
    Digest,
    /// These members of the value, in this order.
    Members(&'static [&'static str]),
    /// These members of the value and the entry's time.
    MembersAndTime(&'static [&'static str]),
}

/// The key of a field whose value is one event.
pub(crate) fn whole_key(field: &str) -> WholeKey {
    match field {
        "account_settings_update" => WholeKey::Members(&["type", "timestamp"]),
        "messaging_handovers" => WholeKey::Members(&["sender", "type", "timestamp"]),
        "payment_configuration_update" => {
            WholeKey::Members(&["configuration_name", "status", "updated_timestamp"])
        }
        "partner_solutions" => WholeKey::MembersAndTime(&["solution_id", "event"]),
        _ => WholeKey::Digest,
    }
}
