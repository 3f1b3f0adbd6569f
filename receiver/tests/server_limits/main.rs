//! The server's limits, each with real sockets and a small router.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod client;
mod exit;
mod house;
mod http1;
mod http2;
mod smuggling;
mod time;
