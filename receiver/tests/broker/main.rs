//! The receiver and its broker: the real binary, a real nats-server (or a hostile stand-in), real sockets.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod common;
mod hostile;
mod large;
mod load;
mod login;
mod lost;
mod permissions;
mod races;
mod sent;
mod stream_care;
mod stream_life;
