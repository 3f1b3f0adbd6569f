//! The alerts, as the real promtool judges them, their metrics and their runbooks.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod metrics;
mod promtool;
mod runbooks;
mod shape;

use wahook_operator::build::alerts::{self, Alert, Subject, Thresholds};

const SUBJECT: Subject<'_> = Subject {
    namespace: "shop",
    name: "main",
    is_active: true,
    is_monitored: true,
};

/// Every alert there can be.
fn every() -> Vec<Alert> {
    let thresholds = Thresholds::default();
    let mut every = alerts::webhook(&SUBJECT, &thresholds);
    every.extend(alerts::operator(&thresholds));
    every
}
