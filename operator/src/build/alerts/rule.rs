//! An alert as Prometheus reads it.

use serde::Serialize;

use super::Alert;
use crate::build::labels::Pairs;

/// Where the runbooks are. Each is named like its alert.
pub const RUNBOOKS: &str = "https://github.com/wahook/wahook/blob/main/monitoring/runbooks";

/// A file of rules.
#[derive(Debug, Serialize)]
pub struct RuleFile {
    /// Rules that are evaluated one after the other.
    pub groups: Vec<Group>,
}

/// A group of rules.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Its name, once in a file.
    pub name: String,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// An alerting rule.
#[derive(Debug, Serialize)]
pub struct Rule {
    alert: &'static str,
    expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    lasting: Option<String>,
    labels: Pairs,
    annotations: Pairs,
}

impl Rule {
    /// The rule of an alert, with further labels.
    pub fn new(alert: Alert, labels: &[(&str, &str)]) -> Self {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let mut labels: Pairs = labels.iter().copied().map(pair).collect();
        labels.insert("severity".into(), alert.severity.to_string());
        if let Some(window) = alert.window {
            labels.insert("window".into(), window);
        }
        let runbook = format!("{RUNBOOKS}/{}.md", alert.name);
        let annotations = [("summary", alert.summary), ("runbook_url", &runbook)];
        let mut annotations: Pairs = annotations.into_iter().map(pair).collect();
        annotations.insert("description".into(), alert.description);
        Self {
            alert: alert.name,
            expr: alert.expr,
            lasting: alert.lasting,
            labels,
            annotations,
        }
    }
}
