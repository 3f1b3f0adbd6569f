//! The operator's care of streams, against real nats-servers.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::format_push_string
)]

mod care;
mod check;
mod cluster;
mod common;
mod limits;
mod login;
mod outage;
mod ownership;
mod permissions;
mod shrink;
mod tenants;
