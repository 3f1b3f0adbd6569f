//! What every alert must have.

use serde_json::json;
use wahook_operator::build::alerts::{RUNBOOKS, Rule, Severity};

use super::every;

#[test]
fn every_alert_says_how_urgent_what_who_and_where_to_read_on() {
    for alert in every() {
        let name = alert.name;
        assert!(matches!(
            alert.severity,
            Severity::Critical | Severity::Warning | Severity::Info
        ));
        let is_webhooks = name.starts_with("WhatsAppWebhook");
        let rule = json!(Rule::new(alert, &[]));
        let annotations = &rule["annotations"];
        let summary = annotations["summary"].as_str().unwrap();
        assert!(
            summary.ends_with('.') && !summary.contains("{{"),
            "{name}: {summary}"
        );
        let description = annotations["description"].as_str().unwrap();
        assert!(
            !is_webhooks || description.contains("shop/main"),
            "{name}: {description}"
        );
        // What is 1 or absent has no value worth reading.
        let is_plain = ["Down", "EndpointUnreachable", "NotReady", "Stalled", "NoLeader"]
            .iter()
            .any(|end| name.ends_with(end));
        assert_eq!(description.contains("$value"), !is_plain, "{name}: {description}");
        assert_eq!(annotations["runbook_url"], format!("{RUNBOOKS}/{name}.md"));
        assert!(
            ["critical", "warning", "info"]
                .iter()
                .any(|word| rule["labels"]["severity"] == *word)
        );
    }
}

#[test]
fn no_two_alerts_ask_the_same() {
    let every = every();
    for (at, alert) in every.iter().enumerate() {
        for other in &every[at + 1..] {
            assert_ne!(alert.expr, other.expr, "{} and {}", alert.name, other.name);
        }
    }
}
