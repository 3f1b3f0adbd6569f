//! `spec.monitoring`: what Prometheus is told. Kinds a cluster does not have are left out until it has them.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;
use crate::rules;

/// What Prometheus is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Monitoring::default")]
pub struct Monitoring {
    /// The ServiceMonitor, which makes Prometheus read the receivers' metrics.
    pub service_monitor: ServiceMonitor,
    /// The PrometheusRule with the alerts about this webhook.
    pub prometheus_rule: PrometheusRule,
}

/// The ServiceMonitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "ServiceMonitor::default")]
pub struct ServiceMonitor {
    /// Create it where the cluster knows the kind. `true` by default.
    pub enabled: bool,
    /// How often metrics are read, 5s to 10m. `30s` by default.
    #[x_kube(validation = rules::duration("monitoring.serviceMonitor.interval", "5s", "10m"))]
    pub interval: Duration,
    /// Labels by which a Prometheus finds it, at most 32.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), transform = crate::schema::short_values)]
    #[x_kube(
        validation = rules::foreign_keys("monitoring.serviceMonitor.labels"),
        validation = rules::qualified_keys("monitoring.serviceMonitor.labels"),
        validation = rules::label_values("monitoring.serviceMonitor.labels"),
    )]
    pub labels: BTreeMap<String, String>,
}

impl Default for ServiceMonitor {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: "30s".into(),
            labels: BTreeMap::new(),
        }
    }
}

/// The PrometheusRule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "PrometheusRule::default")]
pub struct PrometheusRule {
    /// Create it where the cluster knows the kind. `true` by default.
    pub enabled: bool,
    /// Labels by which a Prometheus finds it, at most 32.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), transform = crate::schema::short_values)]
    #[x_kube(
        validation = rules::foreign_keys("monitoring.prometheusRule.labels"),
        validation = rules::qualified_keys("monitoring.prometheusRule.labels"),
        validation = rules::label_values("monitoring.prometheusRule.labels"),
    )]
    pub labels: BTreeMap<String, String>,
}

impl Default for PrometheusRule {
    fn default() -> Self {
        Self {
            enabled: true,
            labels: BTreeMap::new(),
        }
    }
}
