//! The monitoring mixin, evaluated by a real jsonnet, is what the chart and the rule files have.

use std::process::Command;

use serde_json::{Value, json};
use wahook_dashboards::all;
use wahook_operator::build::alerts::{Subject, Thresholds};
use wahook_operator::build::prometheus_rule::{file, operator_file};
use wahook_testbed::tools::JSONNET;

use super::{list, read, repository};

/// What this makes of the mixin.
fn evaluated(expression: &str) -> Value {
    let output = Command::new(JSONNET.find_or_install().unwrap())
        .args(["--exec", expression])
        .current_dir(repository("monitoring/mixin"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Keys in order and no spaces: two texts are equal when their values are.
fn canonical(value: &Value) -> String {
    value.to_string()
}

#[test]
fn dashboards_are_the_charts_byte_for_byte() {
    let made = evaluated("(import 'mixin.libsonnet').grafanaDashboards");
    assert_eq!(made.as_object().unwrap().len(), all().len());
    for dashboard in all() {
        let name = format!("{}.json", dashboard.name);
        let file: Value =
            serde_json::from_str(&read(&format!("charts/wahook/files/dashboards/{name}"))).unwrap();
        // Not assert_eq: nobody reads two texts of 60 kB.
        assert!(canonical(&made[&name]) == canonical(&file), "{name} differs");
        assert!(file == dashboard.json, "{name}: run `cargo xtask generate`");
    }
}

#[test]
fn alerts_are_the_rule_files_with_the_names_of_the_configuration() {
    let made = evaluated(
        "((import 'mixin.libsonnet') + { _config+:: { webhooks: [{ namespace: 'shop', name: 'main' }, \
         { namespace: 'books', name: 'orders' }] } }).prometheusAlerts",
    );
    let thresholds = Thresholds::default();
    let mut groups = json!(operator_file(&thresholds))["groups"].take();
    for (namespace, name) in [("shop", "main"), ("books", "orders")] {
        let subject = Subject {
            namespace,
            name,
            is_active: true,
            is_monitored: true,
        };
        let rules = json!(file(&subject, &thresholds));
        groups
            .as_array_mut()
            .unwrap()
            .extend(list(&rules["groups"]).iter().cloned());
    }
    assert_eq!(canonical(&made), canonical(&json!({ "groups": groups })));
}

#[test]
fn nothing_is_alerted_about_that_nobody_named() {
    let made = evaluated(
        "((import 'mixin.libsonnet') + { _config+:: { operator: false } }).prometheusAlerts.groups",
    );
    assert_eq!(made, json!([]));
    let roots = evaluated("std.objectFieldsAll(import 'mixin.libsonnet')");
    assert_eq!(
        roots,
        json!([
            "_config",
            "grafanaDashboards",
            "prometheusAlerts",
            "prometheusRules"
        ])
    );
}

#[test]
fn runbooks_can_be_elsewhere() {
    let made = evaluated(
        "local mixin = (import 'mixin.libsonnet') + { _config+:: { runbooks: 'https://wiki.example.com/on-call', \
         webhooks: [{ namespace: 'shop', name: 'main' }] } }; [mixin.prometheusAlerts, mixin.grafanaDashboards]",
    );
    let text = made.to_string();
    assert!(!text.contains("/monitoring/runbooks/"), "an address stayed");
    assert!(text.contains("https://wiki.example.com/on-call/WhatsAppWebhookSlow.md"));
}
