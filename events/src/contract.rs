//! The event contract: which subject and headers an event is published with. Only additive changes, guarded by a golden
//! file (`golden/events.txt`).
//!
//! Headers follow the CloudEvents 1.0 NATS protocol binding in binary mode (attributes prefixed `ce-`), plus
//! `Nats-Msg-Id`, which JetStream deduplicates by.

#[cfg(feature = "split")]
mod address;

#[cfg(feature = "split")]
pub use address::{Addressed, Destination, Publisher, Request};

/// Identifies the version of the data's shape.
pub const DATA_SCHEMA: &str = "https://wahook.dev/schemas/event/v1";

/// Header: JetStream's deduplication id.
pub const MSG_ID: &str = "Nats-Msg-Id";
/// Header: the stream the publisher insists on.
pub const EXPECTED_STREAM: &str = "Nats-Expected-Stream";
/// Header: when the receiver had read the whole request, RFC 3339 in UTC.
pub const RECEIVED: &str = "wahook-received";
/// Header: Meta's family of an event that went to the `test` or `quarantine` family.
pub const FAMILY: &str = "wahook-family";
/// Header: where the data is when it is larger than the broker takes (CloudEvents claim check, `dataref` extension).
pub const DATA_REF: &str = "ce-dataref";
/// Header: the version of CloudEvents.
pub const SPEC_VERSION: &str = "ce-specversion";
/// Header: the event's id. That of a quarantined event is the one it would have had.
pub const ID: &str = "ce-id";
/// Header: who published it and for which account, `/<prefix>/<namespace>/<webhook>/<account>`.
pub const SOURCE: &str = "ce-source";
/// Header: `com.whatsapp.<family>.<type>`.
pub const TYPE: &str = "ce-type";
/// Header: the media type of the data.
pub const CONTENT_TYPE: &str = "ce-datacontenttype";
/// Header: the version of the data's shape; not on dead letters, whose data has none.
pub const SCHEMA: &str = "ce-dataschema";
/// Header: when it happened by Meta's clock, RFC 3339 in UTC.
pub const TIME: &str = "ce-time";
/// Header: Meta's own id of the object, such as a wamid. It may embed a phone number.
pub const SUBJECT: &str = "ce-subject";

/// What `ce-type` begins with.
pub const TYPE_PREFIX: &str = "com.whatsapp.";
