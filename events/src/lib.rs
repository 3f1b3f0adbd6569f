//! Meta's WhatsApp Business webhook payload as typed events. No I/O, nothing asynchronous.
//!
//! * [`split()`] takes one delivery apart into [`Event`]s; [`contract`] says which subject and headers each is published
//!   with. That is what the receiver does.
//! * [`received`] and [`model`] are what a consumer reads an event with.

pub mod contract;
mod event;
mod id;
pub mod known;
pub mod model;
pub mod received;
#[cfg(feature = "samples")]
pub mod samples;
#[cfg(feature = "schema")]
pub mod schema;
mod split;
mod token;

pub use event::{Account, Event, Origin};
pub use id::EventId;
pub use split::{Malformed, Reason, Split, Unusable, split};
pub use token::{ABSENT, Lane, MAX_TOKEN, token};
