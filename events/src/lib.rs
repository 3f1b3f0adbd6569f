//! Meta's WhatsApp Business webhook payload as typed events. No I/O, nothing asynchronous.
//!
//! # Reading events
//!
//! Whoever consumes a Wahook stream holds a message with headers and data. [`received::Headers`] picks the headers that matter,
//! [`received::EventData`] reads the data, [`model`] has Meta's objects:
//!
//! ```
//! use wahook_events::received::{EventData, Family, Headers};
//!
//! # let headers = [("ce-id", "yw2eS_lm88hd_QjVOHJeIg"), ("ce-type", "com.whatsapp.messages.text"), ("ce-time", "2025-06-16T16:23:27Z")];
//! # let payload = br#"{"phone_number_id":"106","message":{"id":"wamid.A","from":"15550100001","type":"text","text":{"body":"Hi"}}}"#;
//! let headers = Headers::from_pairs(headers);
//! match headers.family() {
//!     Some(Family::Messages) => {
//!         let data = EventData::parse(payload)?;
//!         if let Some(message) = data.message()? {
//!             // Who wrote: the user id where there is one, since the number may be hidden.
//!             let customer = message.sender();
//! #           assert_eq!(customer, Some("15550100001"));
//!             // Act, once for each `headers.event_id()`, and acknowledge only then.
//!         }
//!     }
//!     // Statuses, calls, whatever Meta invents next.
//!     _ => {}
//! }
//! # Ok::<(), wahook_events::received::DataError>(())
//! ```
//!
//! Nothing here panics on what Meta sends: a new message type, a word of an enumeration that did not exist yet, a member of
//! another shape are all values ([`model`] says how). An event can be read by a version of this crate that is older than it.
//!
//! # Features
//!
//! None is on by default; reading needs serde, and no more than that.
//!
//! | feature | adds |
//! |---|---|
//! | `split` | `split()`, which takes one delivery apart into `Event`s, and the addresses in `contract` they are published with: what the receiver does |
//! | `samples` | sample bodies of every kind, for tests |
//! | `schema` | JSON Schema of the data of every family and an AsyncAPI document, from these types |
//!
//! # Versions
//!
//! The crate follows Semantic Versioning. Types of [`model`] are `#[non_exhaustive]`: new members and words come in minor versions.
//! The contract itself, subjects, headers and ids, is versioned apart, in [`contract::DATA_SCHEMA`], and only grows.

pub mod contract;
#[cfg(feature = "split")]
mod event;
#[cfg(feature = "split")]
mod id;
pub mod known;
pub mod model;
pub mod received;
#[cfg(feature = "samples")]
pub mod samples;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "split")]
mod split;
mod token;

#[cfg(feature = "split")]
pub use event::{Account, Event, Origin};
#[cfg(feature = "split")]
pub use id::EventId;
#[cfg(feature = "split")]
pub use split::{Malformed, Reason, Split, Unusable, split};
pub use token::{ABSENT, Lane, MAX_TOKEN, token};
