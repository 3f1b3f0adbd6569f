//! The splitter: what it makes of Meta's bodies, documented and otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "split/build.rs"]
mod build;
#[path = "split/context.rs"]
mod context;
#[path = "split/customers.rs"]
mod customers;
#[path = "split/extremes.rs"]
mod extremes;
#[path = "split/fields.rs"]
mod fields;
#[path = "split/header.rs"]
mod header;
#[path = "split/history.rs"]
mod history;
#[path = "split/keyless.rs"]
mod keyless;
#[path = "split/keys.rs"]
mod keys;
#[path = "split/odd.rs"]
mod odd;
#[path = "split/properties.rs"]
mod properties;
#[path = "split/respell.rs"]
mod respell;
