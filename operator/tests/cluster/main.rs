//! The operator against a real API server and its controllers. Nothing runs here: where a kubelet or an ingress
//! controller would write a status, the tests do.
//!
//! All tests share one control plane; each has a namespace, and an operator that looks after only that.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::format_push_string,
    clippy::items_after_statements,
    clippy::unit_arg,
    clippy::match_same_arms,
    clippy::needless_pass_by_value
)]

mod admission;
mod attacks;
mod change;
mod crash;
mod create;
mod dashboards;
mod heal;
mod hosts;
mod optional;
mod quiet;
mod replicas;
mod rollouts;
mod strangers;
mod support;
