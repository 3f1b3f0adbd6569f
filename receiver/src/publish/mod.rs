//! Events to JetStream: sent in order, acknowledged one by one, stored or refused, never in between.
//!
//! ```text
//! Publisher -> Session (client, inbox) -> broker -> reply -> Pending -> Publisher
//! Monitor  -> stream: created, checked, watched          Health: what all of them know
//! ```

mod claim_check;
mod connect;
mod diagnosis;
mod health;
mod link;
mod monitor;
mod outgoing;
mod pending;
mod publisher;
mod reply;
mod session;
mod stationery;

pub use claim_check::ClaimCheck;
pub use connect::{ConnectError, options};
pub use health::{Connection, Health, StreamState, Trouble};
pub use monitor::Monitor;
pub use outgoing::{Batch, Outgoing};
pub use publisher::{Ack, Publisher};
pub use reply::Refusal;
pub use session::{Session, SessionError};
pub use stationery::Stationery;
