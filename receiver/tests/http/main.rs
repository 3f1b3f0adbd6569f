//! What the public port promises, asked of the real receiver with a real nats-server over real sockets.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common_http/mod.rs"]
mod common_http;

mod canary;
mod contract;
mod dead_letters;
mod guide;
mod handshake;
mod reload;
mod secrets;
mod signature;
mod start;
mod throttle;
mod traces;
mod troubleshooting;
