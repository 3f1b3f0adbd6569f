//! Meta's webhook objects as Rust types, for whoever reads an event.
//!
//! Four rules hold for every type here:
//!
//! * **Nothing Meta may omit is required.** Since 2026 even `from`, `wa_id` and `recipient_id` may be absent
//!   (Meta, Business-scoped user IDs); what is not an `Option` or a list is always there.
//! * **Nothing unknown is lost.** A member that this version does not know is kept in `extra`. So is an optional
//!   member whose value does not have the documented shape; its typed field is then empty. A new word of an
//!   enumeration becomes `Other`, a new message type becomes [`MessageContent::Unknown`].
//! * **Numbers may be strings.** Meta writes some as one, some as the other, and pages disagree: both are read.
//! * **One odd object stops nobody.** Reading fails only where a member is missing without which the object
//!   means nothing, such as the id of a message.
//!
//! **Personal data:** `Debug` and `Serialize` print what the customer sent: numbers, names and text. Never log
//! these types; log the event id instead.
//!
//! The sources named beside the items are pages of Meta's WhatsApp Business Platform documentation.

#[macro_use]
pub(crate) mod shape;
#[macro_use]
pub(crate) mod words;

mod account;
mod action;
mod call;
mod card;
mod coexistence;
mod contact;
mod content;
mod envelope;
mod error;
mod field;
mod group;
mod interactive;
mod message;
mod number;
mod partner;
mod parts;
mod payment;
mod routing;
mod scalar;
mod status;
mod template;
mod user;

pub use account::*;
pub use action::*;
pub use call::*;
pub use card::*;
pub use coexistence::*;
pub use contact::*;
pub use content::MessageContent;
pub use envelope::*;
pub use error::*;
pub use field::FieldValue;
#[cfg(feature = "schema")]
pub(crate) use field::schema_of;
pub use group::*;
pub use interactive::*;
pub use message::*;
pub use number::*;
pub use partner::*;
pub use parts::*;
pub use payment::*;
pub use routing::*;
pub use scalar::{Id, Timestamp};
pub use status::*;
pub use template::*;
pub use user::*;
