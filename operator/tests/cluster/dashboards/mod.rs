//! Every query of the dashboards finds something in a real Prometheus that reads a real receiver and a real operator.

mod answers;
mod stack;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use answers::{Answers, ask};
use stack::Stack;

/// Where the answers are written when it is set, for `cargo xtask dashboards`.
const KEEP: &str = "WAHOOK_DASHBOARD_ANSWERS";
/// How many seconds the traffic lasts, when it should be longer.
const SECONDS: &str = "WAHOOK_DASHBOARD_SECONDS";

/// Queries that ask for what only a failure of the API server makes. They say 0 without one.
const ONLY_IN_TROUBLE: [&str; 2] = [
    "whatsapp_webhook_operator_reconcile_failures_total",
    "whatsapp_webhook_operator_watch_errors_total",
];

fn dashboards() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/wahook/files/dashboards");
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap(),
            )
        })
        .collect()
}

/// The query as Grafana fills it in, at a speed at which a minute is long.
fn filled(expr: &str, stack: &Stack) -> String {
    [
        ("$__rate_interval", "8s"),
        ("$__range", "2m"),
        ("$job", ".+"),
        ("$namespace", stack.namespace()),
        ("$webhook", "main"),
    ]
    .iter()
    .fold(expr.to_owned(), |expr, (from, to)| expr.replace(from, to))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "builds Kubernetes and Prometheus once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn every_query_of_the_dashboards_finds_something() {
    let stack = Stack::start("dashboards").await;
    let seconds = std::env::var(SECONDS).map_or(40, |text| text.parse().unwrap());
    stack.traffic(Duration::from_secs(seconds)).await;

    let mut kept = serde_json::Map::new();
    let (mut asked, mut empty) = (0, Vec::new());
    for (name, dashboard) in dashboards() {
        let mut panels = serde_json::Map::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let mut answers = Vec::new();
            for target in panel["targets"].as_array().into_iter().flatten() {
                let expr = filled(target["expr"].as_str().unwrap(), &stack);
                let is_now = target["instant"] == true;
                let answer = ask(&stack.prometheus, &expr, is_now, seconds).await;
                asked += 1;
                // What stands in for nothing is no data.
                let bare = [" or vector(0)", " or label_replace(vector(0)"]
                    .iter()
                    .find_map(|instead| expr.split_once(instead))
                    .map_or(expr.as_str(), |(bare, _)| bare);
                let is_trouble = ONLY_IN_TROUBLE.iter().any(|metric| bare.contains(metric));
                let again = if bare == expr || is_trouble {
                    None
                } else {
                    Some(ask(&stack.prometheus, bare, is_now, seconds).await)
                };
                if !Answers::new(again.as_ref().unwrap_or(&answer)).has_numbers() {
                    empty.push(format!("{name}, {}: {expr}", panel["title"]));
                }
                answers.push(answer);
            }
            if !answers.is_empty() {
                panels.insert(panel["id"].to_string(), json!(answers));
            }
        }
        kept.insert(name, Value::Object(panels));
    }
    if let Some(file) = std::env::var_os(KEEP) {
        fs::write(file, Value::Object(kept).to_string()).unwrap();
    }
    println!("{asked} queries, {} without data", empty.len());
    assert!(asked > 90, "{asked}");
    assert!(empty.is_empty(), "{empty:#?}\n{}", stack.said());
}
