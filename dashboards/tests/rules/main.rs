//! What every dashboard must be like, what it may ask for, and that the mixin says the same as the chart.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod metrics;
mod mixin;
mod promql;
mod shape;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wahook_dashboards::Dashboard;

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    let path = repository(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Panels but for the headings, with where they are.
fn panels(dashboard: &Dashboard) -> Vec<(String, &Value)> {
    list(&dashboard.json["panels"])
        .iter()
        .filter(|panel| panel["type"] != "row")
        .map(|panel| (format!("{}: {}", dashboard.name, panel["title"]), panel))
        .collect()
}

/// Every query, with where it is.
fn queries(dashboard: &Dashboard) -> Vec<(String, String)> {
    panels(dashboard)
        .into_iter()
        .flat_map(|(place, panel)| {
            let targets = list(&panel["targets"]);
            targets
                .iter()
                .map(move |target| (place.clone(), text(&target["expr"]).to_owned()))
        })
        .collect()
}
