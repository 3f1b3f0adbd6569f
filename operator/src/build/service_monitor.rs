//! Where Prometheus reads the receivers' metrics.

use serde::Serialize;

use super::labelled;
use super::labels::{self, Pairs};
use crate::amount;
use crate::child::{Child, ChildKind};
use crate::names::ADMIN_PORT;
use crate::validate::Validated;

/// The part of a `ServiceMonitor` (`monitoring.coreos.com/v1`) that is written.
#[derive(Serialize)]
struct ServiceMonitor {
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    selector: Selector,
    endpoints: [Endpoint; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: Pairs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    port: &'static str,
    path: &'static str,
    interval: String,
    /// The receivers' own `namespace` label, which is the same, and not one more `exported_namespace`.
    honor_labels: bool,
}

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    let wanted = &webhook.spec.monitoring.service_monitor;
    let monitor = ServiceMonitor {
        spec: Spec {
            selector: Selector {
                match_labels: labels::selector(&webhook.name),
            },
            endpoints: [Endpoint {
                port: ADMIN_PORT.1,
                path: "/metrics",
                interval: amount::duration(webhook.scrape_interval),
                honor_labels: true,
            }],
        },
    };
    wanted
        .enabled
        .then(|| labelled(webhook, ChildKind::ServiceMonitor, &wanted.labels, &monitor))
}
