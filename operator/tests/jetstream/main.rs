//! The operator's care of streams, against real nats-servers.

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
