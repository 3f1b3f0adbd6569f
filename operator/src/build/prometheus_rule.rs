//! The alerts about a webhook.

use serde::Serialize;

use super::alerts::{self, Group, Rule, RuleFile, Subject, Thresholds};
use super::labelled;
use crate::child::{Child, ChildKind};
use crate::validate::Validated;

/// The part of a `PrometheusRule` (`monitoring.coreos.com/v1`) that is written.
#[derive(Serialize)]
struct PrometheusRule {
    spec: RuleFile,
}

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    let monitoring = &webhook.spec.monitoring;
    let wanted = &monitoring.prometheus_rule;
    let subject = Subject {
        namespace: &webhook.namespace,
        name: &webhook.name,
        is_active: !webhook.spec.suspend,
        is_monitored: monitoring.service_monitor.enabled,
    };
    wanted.enabled.then(|| {
        let rule = PrometheusRule {
            spec: file(&subject, &Thresholds::from(&wanted.thresholds)),
        };
        labelled(webhook, ChildKind::PrometheusRule, &wanted.labels, &rule)
    })
}

/// The rules of a webhook, also for who has no Prometheus operator.
pub fn file(subject: &Subject<'_>, thresholds: &Thresholds) -> RuleFile {
    let Subject { namespace, name, .. } = subject;
    let labels = [("namespace", *namespace), ("webhook", *name)];
    let alerts = alerts::webhook(subject, thresholds).into_iter();
    RuleFile {
        groups: vec![Group {
            name: format!("wahook.{namespace}.{name}"),
            rules: alerts.map(|alert| Rule::new(alert, &labels)).collect(),
        }],
    }
}

/// The rules about the operator itself, which the chart has and who has no Prometheus operator takes as they are.
pub fn operator_file(thresholds: &Thresholds) -> RuleFile {
    let alerts = alerts::operator(thresholds).into_iter();
    RuleFile {
        groups: vec![Group {
            name: "wahook.operator".to_owned(),
            rules: alerts.map(|alert| Rule::new(alert, &[])).collect(),
        }],
    }
}
