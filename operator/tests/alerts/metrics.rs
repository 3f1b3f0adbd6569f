//! Alerts only ask for what the receiver and the operator really export, and promtool finds nothing to say about that.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use wahook_operator::metrics::Metrics as OperatorMetrics;
use wahook_receiver::metrics::Metrics as ReceiverMetrics;
use wahook_testbed::tools::PROMTOOL;

use super::every;

/// The names that an expression looks at: words before a brace.
pub(super) fn asked(expr: &str) -> BTreeSet<&str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut words: BTreeSet<&str> = expr
        .match_indices('{')
        .map(|(at, _)| {
            let before = &expr[..at];
            &before[before.rfind(|letter| !is_part(letter)).map_or(0, |last| last + 1)..]
        })
        .collect();
    for word in expr.split(|letter| !is_part(letter)) {
        let is_ours = [
            "whatsapp_webhook_",
            "controller_runtime_",
            "wahook_",
            "workqueue_",
        ];
        if is_ours.iter().any(|start| word.starts_with(start)) {
            words.insert(word);
        }
    }
    words
}

pub(super) fn exported() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ReceiverMetrics::describe()
        .iter()
        .map(|definition| definition.name.to_owned())
        .collect();
    let operator = OperatorMetrics::new().unwrap().describe();
    names.extend(operator.into_iter().map(|definition| definition.name));
    names
}

/// Whether it is a metric, or a series of a histogram.
pub(super) fn is_exported(name: &str, exported: &BTreeSet<String>) -> bool {
    let base = ["_bucket", "_count", "_sum"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    exported.contains(base) || exported.contains(name)
}

#[test]
fn every_metric_of_every_alert_exists() {
    let exported = exported();
    for alert in every() {
        let asked = asked(&alert.expr);
        assert!(!asked.is_empty(), "{}", alert.name);
        for name in asked {
            assert!(is_exported(name, &exported), "{}: {name}", alert.name);
        }
    }
}

/// The documentation is made from these.
#[test]
fn the_operator_exports_nothing_that_it_does_not_describe() {
    let metrics = OperatorMetrics::new().unwrap();
    metrics.failed("api");
    metrics.wrote("patch", "Service", true);
    metrics.watch_failed("Secret");
    let described = metrics.describe();
    let text = metrics.render().unwrap();
    let families: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .filter(|(name, _)| !name.starts_with("process_"))
        .collect();
    assert!(families.len() > 10, "{families:?}");
    for (name, kind) in families {
        assert!(
            described
                .iter()
                .any(|known| known.name == name && known.kind == kind),
            "{name} {kind}"
        );
    }
}

#[test]
fn promtool_has_nothing_to_say_about_the_metrics() {
    let receiver = ReceiverMetrics::new("shop", "main").unwrap();
    receiver.dead_letter("not_json");
    receiver.meta_error(131_035);
    let operator = OperatorMetrics::new().unwrap();
    operator.failed("api");
    operator.wrote("patch", "Service", true);
    operator.watch_failed("Secret");
    for (who, text) in [
        ("receiver", receiver.render()),
        ("operator", operator.render().unwrap()),
    ] {
        let mut child = Command::new(PROMTOOL.find_or_install().unwrap())
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success() && said.is_empty(),
            "{who}: {}",
            String::from_utf8_lossy(&said)
        );
    }
}
