//! The chart: what it renders for which values, and what it refuses. Nothing here needs a cluster.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod about;
mod examples;
mod flags;
mod hook;
mod images;
mod matrix;
mod nats;
mod notes;
mod operator;
mod optional;
mod pods;
mod rbac;
mod refusals;
mod support;
mod values;
mod whole;
