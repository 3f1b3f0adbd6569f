//! The operator's care of streams, against real nats-servers.

mod care;
mod common;
