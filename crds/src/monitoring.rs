//! `spec.monitoring`: what Prometheus and a collector of traces are told. Kinds a cluster does not have are left out until
//! it has them.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;
use crate::rules::{self, rule};

/// A host name, an IPv4 address or an IPv6 address in brackets, no user, and a path or not. As CEL spells it, in which a
/// backslash is written twice.
const COLLECTOR: &str =
    r"^https?://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$";

/// What Prometheus and a collector of traces are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Monitoring::default")]
pub struct Monitoring {
    /// The ServiceMonitor, which makes Prometheus read the receivers' metrics.
    pub service_monitor: ServiceMonitor,
    /// The PrometheusRule with the alerts about this webhook.
    pub prometheus_rule: PrometheusRule,
    /// Where receivers send traces. Nowhere when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<Tracing>,
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
    /// From which values on alerts fire.
    pub thresholds: Thresholds,
}

impl Default for PrometheusRule {
    fn default() -> Self {
        Self {
            enabled: true,
            labels: BTreeMap::new(),
            thresholds: Thresholds::default(),
        }
    }
}

/// From which values on alerts fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Thresholds::default")]
#[x_kube(
    validation = rule(
        "self.tooSlowSeconds >= self.slowSeconds",
        "monitoring.prometheusRule.thresholds.tooSlowSeconds must not be smaller than slowSeconds",
    ),
    validation = rule(
        "self.certificateDays >= self.certificateLastDays",
        "monitoring.prometheusRule.thresholds.certificateDays must not be smaller than certificateLastDays",
    ),
)]
pub struct Thresholds {
    /// Requests of five minutes that fail, in percent, 1 to 100. 5 by default.
    #[schemars(range(min = 1, max = 100))]
    pub error_percent: i32,
    /// The 95th percentile of the time to an answer that warns, in seconds, 1 to 20. 10 by default.
    #[schemars(range(min = 1, max = 20))]
    pub slow_seconds: i32,
    /// The same, critical. 15 by default. Meta gives up after 20.
    #[schemars(range(min = 1, max = 20))]
    pub too_slow_seconds: i32,
    /// Events that were stored before, in percent, 1 to 100. 20 by default.
    #[schemars(range(min = 1, max = 100))]
    pub duplicate_percent: i32,
    /// How full the stream is, in percent of its limit, 1 to 100. 80 by default.
    #[schemars(range(min = 1, max = 100))]
    pub stream_percent: i32,
    /// Days before the certificate expires that warn, 1 to 365. 30 by default.
    #[schemars(range(min = 1, max = 365))]
    pub certificate_days: i32,
    /// The same, critical, 1 to 365. 7 by default.
    #[schemars(range(min = 1, max = 365))]
    pub certificate_last_days: i32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            error_percent: 5,
            slow_seconds: 10,
            too_slow_seconds: 15,
            duplicate_percent: 20,
            stream_percent: 80,
            certificate_days: 30,
            certificate_last_days: 7,
        }
    }
}

/// Traces of requests, by OTLP over HTTP. They hold nothing of a customer's: see docs/tracing.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tracing {
    /// The collector, such as `http://collector.observability:4318`; `/v1/traces` is added.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(
        validation = rule(
            format!("self.matches('{COLLECTOR}')"),
            "monitoring.tracing.endpoint must be a URL such as http://collector.observability:4318, without user and query",
        ),
        validation = rule(
            "!self.endsWith('/v1/traces') && !self.endsWith('/v1/traces/')",
            "monitoring.tracing.endpoint must not end with /v1/traces, which is added",
        ),
    )]
    pub endpoint: String,
    /// Which share of the traces that begin here is kept, from `"0"` to `"1"` with at most six decimals, such as `"0.1"`.
    /// `1` by default.
    #[serde(default = "every")]
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(validation = rules::matches(
        "monitoring.tracing.sampleRatio",
        "^(0([.][0-9]{1,6})?|1([.]0{1,6})?)$",
        "must be a number from 0 to 1 with at most six decimals, such as 0.1",
    ))]
    pub sample_ratio: String,
}

fn every() -> String {
    "1".to_owned()
}
