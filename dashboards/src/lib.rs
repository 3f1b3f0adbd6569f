//! Three Grafana dashboards: what a receiver does, what the fleet and its operator do, and whether the promises are kept. Pure.
//!
//! One file for each dashboard. `panel` is a panel and what it asks, `query` the pieces of queries, `grafana` the JSON that
//! Grafana 10 and newer reads. `cargo xtask generate` writes the files; nobody edits them.

mod fleet;
mod grafana;
mod panel;
mod query;
mod receiver;
mod slo;

use serde_json::Value;

use panel::Row;

/// A dashboard as Grafana reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// The name of its file, without `.json`.
    pub name: &'static str,
    /// What Grafana imports.
    pub json: Value,
}

/// What a dashboard is made from.
struct Plan {
    name: &'static str,
    /// Stays the same for ever: links and bookmarks have it.
    uid: &'static str,
    title: &'static str,
    description: &'static str,
    /// The metric that the variables namespace and webhook take their values from.
    listed_by: String,
    rows: Vec<Row>,
}

/// Every dashboard, in the order in which one looks at them.
pub fn all() -> [Dashboard; 3] {
    [slo::plan(), receiver::plan(), fleet::plan()].map(|plan| Dashboard {
        name: plan.name,
        json: grafana::json(&plan),
    })
}
