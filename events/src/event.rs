//! One event, as the splitter makes it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::id::EventId;
use crate::token::Lane;

/// The account an event belongs to.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// `metadata.phone_number_id`, where the event belongs to one number.
    pub phone_number_id: Option<String>,
    /// The account as a subject token: the phone number id, else the WABA id, else `_`.
    pub token: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// Where an event came from, before anyone decided where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A delivery of a real account.
    Live,
    /// The dashboard's Test button (entry id `0`): its ids are the same at every click, so they identify nothing.
    DashboardTest,
}

/// One message, status, call, error or account update of a delivery.
///
/// `Debug` prints nothing a customer wrote or is called by.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What the stream deduplicates by.
    pub id: EventId,
    /// Whether a real account sent it.
    pub origin: Origin,
    /// The account it belongs to; shared by all events of one change.
    pub account: Arc<Account>,
    /// Fifth subject token: `messages`, `statuses`, `calls`, ... or Meta's field name.
    pub family: Cow<'static, str>,
    /// Sixth subject token: the message type, the status or the event name, `_` if there is none.
    pub kind: Cow<'static, str>,
    /// Seventh subject token: keeps one customer's events together.
    pub lane: Lane,
    /// When it happened by Meta's clock, in seconds since 1970.
    pub time: Option<i64>,
    /// Meta's own id of the object (a wamid, a wacid, a group id).
    pub natural_id: Option<String>,
    /// Error codes the object carries, from its `errors` or as an error itself.
    pub error_codes: Vec<i64>,
    /// The published JSON object, Meta's bytes unchanged inside.
    pub data: Vec<u8>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("origin", &self.origin)
            .field("family", &self.family)
            .field("kind", &self.kind)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
