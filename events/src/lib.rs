//! Meta's WhatsApp Business webhook payload as typed events. No I/O, nothing asynchronous.
//!
//! * [`received`] and [`model`] are what a consumer reads an event with.
//! * `split()` takes one delivery apart into `Event`s; [`contract`] says which subject and headers each is published
//!   with. That is what the receiver does, and what the feature `split` is for.
//!
//! # Reading an event
//!
//! A consumer gets a message with headers and a payload, from whichever NATS client it uses. The headers say what happened and
//! which event it is, the payload is [`received::EventData`]:
//!
//! ```
//! use wahook_events::model::MessageContent;
//! use wahook_events::received::{DataError, EventData, Family, Headers};
//!
//! /// What to answer, if anything.
//! fn answer<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>, payload: &[u8]) -> Result<Option<String>, DataError> {
//!     let headers = Headers::from_pairs(headers);
//!     if headers.family() != Some(Family::Messages) {
//!         return Ok(None); // A status, a call, a template that was approved, or what Meta invents tomorrow.
//!     }
//!     let data = EventData::parse(payload)?;
//!     let Some(message) = data.message()? else {
//!         return Ok(None);
//!     };
//!     Ok(match message.content {
//!         MessageContent::Text(text) => Some(format!("You said: {}", text.body)),
//!         MessageContent::Image(_) => Some("A fine picture".to_owned()),
//!         _ => None, // New kinds of messages end here.
//!     })
//! }
//!
//! let headers = [("ce-id", "yw2eS_lm88hd_QjVOHJeIg"), ("ce-type", "com.whatsapp.messages.text")];
//! let payload = br#"{"phone_number_id":"315005501000001","message":{"id":"wamid.A","type":"text","text":{"body":"Hi"}}}"#;
//! assert_eq!(answer(headers, payload)?.as_deref(), Some("You said: Hi"));
//! # Ok::<(), DataError>(())
//! ```
//!
//! An event whose header is `ce-dataref` ([`received::Headers::data_ref`]) has no payload: what the object store holds under that name is
//! the payload. A dead letter's payload is bytes of somebody's and no event: see [`received::Family::DeadLetter`].
//!
//! Fields of accounts and templates come as [`model::FieldValue`]:
//!
//! ```
//! use wahook_events::model::FieldValue;
//! use wahook_events::received::{DataError, EventData, Family};
//!
//! let payload = br#"{"waba_id":"215005501000001","value":{"decision":"APPROVED"}}"#;
//! let value = EventData::parse(payload)?.field_value(&Family::AccountReviewUpdate);
//! assert!(matches!(value, Some(FieldValue::AccountReview(_))));
//! # Ok::<(), DataError>(())
//! ```
//!
//! # Nothing of Meta's stops a consumer
//!
//! No function here panics, whatever the bytes are: they are fuzzed for it. Nothing that Meta may leave out is required, a member of another
//! shape than documented is kept in `extra`, a new word is `Other`, and [`received::EventData::raw`] has Meta's own bytes in any case.
//! An error says which part could not be read and never what it says.
//!
//! # Features
//!
//! | feature | brings | without it |
//! |---|---|---|
//! | none | all of the above, with serde, `serde_json`, `jiff` and `thiserror` | |
//! | `split` | the splitter, and the subjects and headers it publishes with (`sha2`, `base64`) | a consumer does not carry them |
//! | `samples` | a webhook body of every kind, for tests | neither these |
//! | `schema` | the JSON Schemas and the AsyncAPI document, as this crate generates them (`schemars`) | they are files beside this crate |
//!
//! # What stays as it is
//!
//! Versions follow semver. A minor version may add a member, a word or a variant, since every struct of the [`model`] and every enumeration is
//! `non_exhaustive`: match with `_`, and read members by name. The data of events is versioned apart, by
//! [`contract::DATA_SCHEMA`]: a consumer built today reads the events of tomorrow's receiver, and the other way round.

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
