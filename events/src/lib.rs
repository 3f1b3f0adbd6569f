//! Meta's WhatsApp Business webhook payload, split into typed events. No I/O, nothing asynchronous.

pub mod contract;
mod event;
mod id;
pub mod known;
mod split;
mod token;

pub use event::{Account, Event, Origin};
pub use id::EventId;
pub use split::{Malformed, Reason, Split, Unusable, split};
pub use token::{ABSENT, Lane, MAX_TOKEN, token};
