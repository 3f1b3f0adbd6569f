//! What resources become: refusals, children, the receiver's configuration, and the command that prints them.
//! Nothing here needs a cluster.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod children;
mod command;
mod configuration;
mod examples;
mod refusals;
mod support;
