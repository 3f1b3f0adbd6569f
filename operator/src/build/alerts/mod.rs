//! What is alerted about: a list for each webhook, and one for the operator. Pure.
//!
//! One file for each subject. `rule` is an alert as Prometheus reads it; `thresholds` are the numbers.

mod delivery;
mod events;
mod operator;
mod query;
mod resource;
mod rule;
mod slo;
mod thresholds;

use std::fmt;

pub use operator::operator;
pub use query::Subject;
pub use rule::{Group, RUNBOOKS, Rule, RuleFile};
pub use thresholds::Thresholds;

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody has to act now: events are lost or will be.
    Critical,
    /// Somebody has to act within days.
    Warning,
    /// Good to know beside others.
    Info,
}

impl Severity {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One alert. Alerts of one name differ in their window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its name, which its runbook has, too.
    pub name: &'static str,
    /// How urgent it is.
    pub severity: Severity,
    /// The long window of a burn rate, such as `1h`.
    pub window: Option<String>,
    /// The query. It fires for what this returns.
    pub expr: String,
    /// How long the query must return something, such as `5m`; at once when absent.
    pub lasting: Option<String>,
    /// What is wrong, in a sentence that never changes.
    pub summary: &'static str,
    /// What is wrong with whom, and how much: a template of Prometheus.
    pub description: String,
}

impl Alert {
    fn new(name: &'static str, severity: Severity, expr: String) -> Self {
        Self {
            name,
            severity,
            window: None,
            expr,
            lasting: None,
            summary: "",
            description: String::new(),
        }
    }

    fn lasting(mut self, duration: String) -> Self {
        self.lasting = Some(duration);
        self
    }

    fn says(mut self, summary: &'static str, description: String) -> Self {
        self.summary = summary;
        self.description = description;
        self
    }
}

/// Every alert about a webhook.
pub fn webhook(subject: &Subject<'_>, thresholds: &Thresholds) -> Vec<Alert> {
    [
        delivery::alerts(subject, thresholds),
        slo::alerts(subject, thresholds),
        events::alerts(subject, thresholds),
        resource::alerts(subject, thresholds),
    ]
    .concat()
}
