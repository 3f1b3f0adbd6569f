//! Prometheus' own parser reads every query, with the variables as Grafana fills them in.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use wahook_dashboards::all;
use wahook_testbed::tools::PROMTOOL;

use super::queries;

/// A rule for each query, since promtool reads rules.
fn check(queries: &[(String, String)]) -> (bool, String) {
    let rules: Vec<Value> = queries
        .iter()
        .enumerate()
        .map(|(at, (_, expr))| {
            let expr = [
                ("$__rate_interval", "1m"),
                ("$__range", "6h"),
                ("$job", ".+"),
                ("$namespace", "a|b"),
                ("$webhook", ".+"),
            ]
            .iter()
            .fold(expr.clone(), |expr, (from, to)| expr.replace(from, to));
            assert!(!expr.contains('$'), "{expr}");
            json!({ "record": format!("query:{at}"), "expr": expr })
        })
        .collect();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("rules.yaml");
    let groups = json!({ "groups": [{ "name": "queries", "rules": rules }] });
    fs::write(&file, groups.to_string()).unwrap();
    let output = Command::new(PROMTOOL.find_or_install().unwrap())
        .args(["check", "rules"])
        .arg(&file)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn prometheus_reads_every_query() {
    let queries: Vec<_> = all().iter().flat_map(queries).collect();
    assert!(queries.len() > 90, "{}", queries.len());
    let (is_good, said) = check(&queries);
    assert!(is_good, "{said}");
    assert!(said.contains(&format!("{} rules found", queries.len())), "{said}");
    let wrong = [("wrong".to_owned(), "sum(rate(up[1m])".to_owned())];
    assert!(!check(&wrong).0);
}
