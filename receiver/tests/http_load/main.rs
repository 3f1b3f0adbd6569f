//! What the public port promises while a lot happens: large bodies, rotation, an orderly exit. One test at a time, so
//! that each has the machine for itself.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common_http/mod.rs"]
mod common_http;

mod bodies;
mod hostile;
mod rotation;
mod series;
mod shutdown;

/// Held by each test while it runs.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
