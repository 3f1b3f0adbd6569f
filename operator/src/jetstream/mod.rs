//! The streams of managed webhooks: made, grown and checked on the operator's own broker, with the operator's own
//! login. Nothing here deletes a stream or an event.
//!
//! ```text
//! files (bytes) -> login (options) -> connection (one life) -> broker (the next life, and who asks)
//! keeper: found (what is there) -> owner (whose) -> change (what may be done) -> report
//! ```

mod api;
mod broker;
mod change;
mod connection;
mod files;
mod keeper;
mod login;
mod owner;
mod problem;
mod report;
mod silence;

pub use broker::{Broker, BrokerSettings, BrokerState, Trouble};
pub use connection::INBOX_PREFIX;
pub use login::LoginError;
pub use owner::{NAMESPACE_KEY, StreamOwner, UID_KEY, WEBHOOK_KEY};
pub use report::{StreamReport, Usage};
