//! `promtool check rules` over the files, and `promtool test rules` over the cases.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use wahook_operator::build::alerts::{Thresholds, operator};
use wahook_operator::build::prometheus_rule::{file, operator_file};
use wahook_testbed::tools::PROMTOOL;

use super::cases::{Case, Kind, Series, all};
use super::{SUBJECT, every};

fn rules(thresholds: &Thresholds) -> Value {
    let mut rules = json!(file(&SUBJECT, thresholds));
    let others = json!(operator_file(thresholds));
    let groups = rules["groups"].as_array_mut().unwrap();
    groups.extend(others["groups"].as_array().unwrap().iter().cloned());
    rules
}

pub(super) fn promtool(arguments: &[&str], files: &[String], directory: &Path) {
    let output = Command::new(PROMTOOL.find_or_install().unwrap())
        .args(arguments)
        .args(files)
        .current_dir(directory)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn prometheus_takes_the_rules_at_any_speed() {
    let directory = TempDir::new().unwrap();
    let mut files = Vec::new();
    for compression in [1, 60, 1_000_000] {
        let thresholds = Thresholds {
            compression,
            ..Thresholds::default()
        };
        let name = format!("{compression}.yaml");
        fs::write(directory.path().join(&name), rules(&thresholds).to_string()).unwrap();
        files.push(name);
    }
    // All windows of a burn are one second in the last, so nothing but duplicates is overlooked.
    promtool(
        &["check", "rules", "--lint=duplicate-rules", "--lint-fatal"],
        &files[..2],
        directory.path(),
    );
    promtool(&["check", "rules", "--lint=none"], &files, directory.path());
}

#[test]
fn every_alert_has_its_cases() {
    let wanted: Vec<_> = every()
        .into_iter()
        .map(|alert| (alert.name.to_owned(), alert.window))
        .collect();
    let cases: Vec<_> = all()
        .into_iter()
        .map(|case| (case.alert.to_owned(), case.window.map(str::to_owned)))
        .collect();
    assert_eq!(cases.len(), cases.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(
        wanted.iter().collect::<BTreeSet<_>>(),
        cases.iter().collect::<BTreeSet<_>>()
    );
}

#[test]
fn every_alert_fires_stays_silent_just_below_and_ends() {
    let directory = TempDir::new().unwrap();
    let rules = rules(&Thresholds::default());
    let mut files = Vec::new();
    for (at, case) in all().iter().enumerate() {
        // Alone, so that the days of one alert are not computed for all.
        let rule = rules["groups"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
            .find(|rule| rule["alert"] == case.alert && rule["labels"]["window"].as_str() == case.window)
            .unwrap();
        let rule_file = format!("rule{at}.yaml");
        let group = json!({"groups": [{"name": "alone", "rules": [rule]}]});
        fs::write(directory.path().join(&rule_file), group.to_string()).unwrap();
        let interval = format!("{}m", case.minutes);
        let test = json!({
            "rule_files": [rule_file],
            "evaluation_interval": interval,
            "tests": tests(case, &interval),
        });
        let name = format!("test{at}.yaml");
        fs::write(directory.path().join(&name), test.to_string()).unwrap();
        files.push(name);
    }
    promtool(&["test", "rules"], &files, directory.path());
}

fn tests(case: &Case, interval: &str) -> Vec<Value> {
    let [first, second] = case.steps;
    let begin = case.before.map_or(0, |(steps, _)| steps);
    let query = format!(
        "count(ALERTS{{alertname=\"{}\", alertstate=\"firing\"}})",
        case.alert
    );
    let at = |steps: u32, fires: bool| {
        let samples = if fires {
            json!([{"labels": "{}", "value": 1}])
        } else {
            json!([])
        };
        json!({
            "expr": query,
            "eval_time": format!("{}m", (begin + steps) * case.minutes),
            "exp_samples": samples,
        })
    };
    let test = |name: &str, then: [usize; 2], expected: Vec<Value>| {
        let series: Vec<_> = case
            .series
            .iter()
            .map(|series| {
                json!({
                    "series": selector(case, series),
                    "values": values(case, series, then),
                })
            })
            .collect();
        json!({
            "name": format!("{} {:?} {name}", case.alert, case.window),
            "interval": interval,
            "input_series": series,
            "promql_expr_test": expected,
        })
    };
    vec![
        test("fires", [0, 0], vec![at(first, true), at(first + second, true)]),
        test(
            "just below",
            [1, 1],
            vec![at(first, false), at(first + second, false)],
        ),
        test(
            "resolves",
            [0, 2],
            vec![at(first, true), at(first + second, false)],
        ),
    ]
}

/// Metrics of the operator itself belong to no webhook.
fn selector(case: &Case, series: &Series) -> String {
    let mut labels = Vec::new();
    if case.alert.starts_with("WhatsApp") {
        labels.push("namespace=\"shop\", webhook=\"main\"");
    }
    if !series.labels.is_empty() {
        labels.push(series.labels);
    }
    format!("{}{{{}}}", series.metric, labels.join(", "))
}

/// In promtool's notation: what happened before, then one of the three values, then one of them.
fn values(case: &Case, series: &Series, then: [usize; 2]) -> String {
    let mut parts: Vec<(u32, f64)> = case.before.into_iter().collect();
    parts.extend(case.steps.into_iter().zip(then.map(|which| series.values[which])));
    let mut total = 0.0;
    let mut words = Vec::new();
    if matches!(series.kind, Kind::Counter) {
        words.push("0".to_owned());
    }
    for (steps, value) in parts {
        // A counter has its 0 at the beginning, a gauge its first value.
        let steps = steps + u32::from(words.is_empty());
        words.push(match series.kind {
            Kind::Gauge if value.is_nan() => format!("_x{steps}"),
            // It writes the value once more than it is told.
            Kind::Gauge => format!("{value}x{}", steps - 1),
            Kind::Counter => {
                let from = total + value;
                total += value * f64::from(steps);
                format!("{from}+{value}x{}", steps - 1)
            }
        });
    }
    words.join(" ")
}

/// So that a runner of plain Prometheus need not know the operator's list from elsewhere.
#[test]
fn the_operators_file_has_the_operators_alerts() {
    let rules = json!(operator_file(&Thresholds::default()));
    let names: Vec<_> = rules["groups"][0]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["alert"].as_str().unwrap().to_owned())
        .collect();
    let wanted: Vec<_> = operator(&Thresholds::default())
        .iter()
        .map(|a| a.name.to_owned())
        .collect();
    assert_eq!(names, wanted);
}
