//! What the operator counts, for Prometheus: the controllers' usual family, so that general dashboards work, and
//! the state of each webhook.
//!
//! Series of a webhook go when it goes. Label values are names of Kubernetes objects and words of closed lists.

use std::time::Duration;

use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// The controller's name in the usual family.
const CONTROLLER: &str = "whatsappwebhook";
/// Upper bounds of the time a reconcile takes, in seconds.
const RECONCILE_BUCKETS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconcileResult {
    /// The cluster is what the resource says.
    Success,
    /// It is looked at again soon.
    RequeueAfter,
    /// It failed and is tried again.
    Error,
}

impl ReconcileResult {
    /// Every value there is.
    pub const ALL: [Self; 3] = [Self::Success, Self::RequeueAfter, Self::Error];

    /// The label value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Error => "error",
        }
    }
}

/// Every metric of the operator. Share it in an `Arc`; all methods take `&self`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: IntCounterVec,
    errors: IntCounter,
    retries: IntCounter,
    time: Histogram,
    active: IntGauge,
    workers: IntGauge,
    leading: IntGauge,
    writes: IntCounterVec,
    conditions: IntGaugeVec,
    desired: IntGaugeVec,
    ready: IntGaugeVec,
    stream_bytes: IntGaugeVec,
    stream_limit: IntGaugeVec,
}

impl Metrics {
    /// All of them, at zero.
    ///
    /// # Errors
    /// When two have one name, which a test rules out.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let make = Maker(&registry);
        let info = make.gauges(
            "wahook_operator_build_info",
            "The operator's version. Always 1.",
            &["version"],
        )?;
        info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let webhook = ["namespace", "webhook"];
        let reconciles = make.counters(
            "controller_runtime_reconcile_total",
            "Reconciles by result.",
            &["controller", "result"],
        )?;
        for result in ReconcileResult::ALL {
            reconciles.with_label_values(&[CONTROLLER, result.as_str()]);
        }
        let of_controller = ["controller"];
        let errors = make.counters(
            "controller_runtime_reconcile_errors_total",
            "Reconciles that failed.",
            &of_controller,
        )?;
        let retries = make.counters(
            "workqueue_retries_total",
            "Resources put back to be tried again.",
            &["name"],
        )?;
        let active = make.gauges(
            "controller_runtime_active_workers",
            "Reconciles that run now.",
            &of_controller,
        )?;
        let workers = make.gauges(
            "controller_runtime_max_concurrent_reconciles",
            "Reconciles that may run at a time.",
            &of_controller,
        )?;
        let leading = make.gauges(
            "leader_election_master_status",
            "1 while this operator leads.",
            &["name"],
        )?;
        let time = make.histogram(
            "controller_runtime_reconcile_time_seconds",
            "How long reconciles took.",
        )?;
        Ok(Self {
            errors: errors.with_label_values(&[CONTROLLER]),
            retries: retries.with_label_values(&[CONTROLLER]),
            active: active.with_label_values(&[CONTROLLER]),
            workers: workers.with_label_values(&[CONTROLLER]),
            leading: leading.with_label_values(&["wahook-operator"]),
            reconciles,
            time,
            writes: make.counters(
                "wahook_operator_writes_total",
                "Writes to the Kubernetes API by kind of object and of write.",
                &["kind", "verb"],
            )?,
            conditions: make.gauges(
                "whatsapp_webhook_condition",
                "1 for the status a condition of a webhook has, 0 for the others.",
                &["namespace", "webhook", "type", "status"],
            )?,
            desired: make.gauges(
                "whatsapp_webhook_desired_replicas",
                "Receivers that should run.",
                &webhook,
            )?,
            ready: make.gauges(
                "whatsapp_webhook_ready_replicas",
                "Receivers that are ready.",
                &webhook,
            )?,
            stream_bytes: make.gauges(
                "whatsapp_webhook_stream_bytes",
                "Bytes the stream holds.",
                &webhook,
            )?,
            stream_limit: make.gauges(
                "whatsapp_webhook_stream_limit_bytes",
                "Bytes the stream may hold.",
                &webhook,
            )?,
            registry,
        })
    }

    /// The exposition for Prometheus.
    pub fn render(&self) -> String {
        // Writing to a string cannot fail, and a family without a series is left out before.
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }

    /// A reconcile begins. Hold the guard until it ends, then say how with [`ReconcileGuard::end`].
    pub fn begin_reconcile(&self) -> ReconcileGuard<'_> {
        self.active.inc();
        ReconcileGuard {
            metrics: self,
            began: std::time::Instant::now(),
        }
    }

    /// How many reconciles may run at a time.
    pub fn set_workers(&self, number: u16) {
        self.workers.set(number.into());
    }

    /// Whether this operator leads.
    pub fn set_leading(&self, leading: bool) {
        self.leading.set(leading.into());
    }

    /// A write to the Kubernetes API.
    pub fn count_write(&self, kind: &str, verb: &'static str) {
        self.writes.with_label_values(&[kind, verb]).inc();
    }

    /// The status of one condition: `True`, `False` or `Unknown`.
    pub fn set_condition(&self, namespace: &str, webhook: &str, kind: &str, status: &str) {
        for word in ["True", "False", "Unknown"] {
            self.conditions
                .with_label_values(&[namespace, webhook, kind, word])
                .set((word == status).into());
        }
    }

    /// How many receivers should run and how many are ready.
    pub fn set_replicas(&self, namespace: &str, webhook: &str, desired: i32, ready: i32) {
        let labels = [namespace, webhook];
        self.desired.with_label_values(&labels).set(desired.into());
        self.ready.with_label_values(&labels).set(ready.into());
    }

    /// How full the stream is, in bytes.
    pub fn set_stream(&self, namespace: &str, webhook: &str, bytes: i64, limit: i64) {
        let labels = [namespace, webhook];
        self.stream_bytes.with_label_values(&labels).set(bytes);
        self.stream_limit.with_label_values(&labels).set(limit);
    }

    /// Takes the series of a webhook that is gone away.
    pub fn forget(&self, namespace: &str, webhook: &str, condition_types: &[&str]) {
        // A series that was never there is as good as removed.
        for gauges in [&self.desired, &self.ready, &self.stream_bytes, &self.stream_limit] {
            let _ = gauges.remove_label_values(&[namespace, webhook]);
        }
        for kind in condition_types {
            for status in ["True", "False", "Unknown"] {
                let _ = self
                    .conditions
                    .remove_label_values(&[namespace, webhook, kind, status]);
            }
        }
    }
}

/// Measures one reconcile.
#[derive(Debug)]
pub struct ReconcileGuard<'a> {
    metrics: &'a Metrics,
    began: std::time::Instant,
}

impl ReconcileGuard<'_> {
    /// How it ended.
    pub fn end(self, result: ReconcileResult) {
        let metrics = self.metrics;
        metrics
            .reconciles
            .with_label_values(&[CONTROLLER, result.as_str()])
            .inc();
        match result {
            ReconcileResult::Success => {}
            ReconcileResult::RequeueAfter => metrics.retries.inc(),
            ReconcileResult::Error => {
                metrics.errors.inc();
                metrics.retries.inc();
            }
        }
    }
}

/// Also when a reconcile is cut off: it took its time all the same.
impl Drop for ReconcileGuard<'_> {
    fn drop(&mut self) {
        self.metrics.active.dec();
        self.metrics
            .time
            .observe(Duration::as_secs_f64(&self.began.elapsed()));
    }
}

/// Makes and registers.
struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        let made = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
        let made = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn histogram(&self, name: &str, help: &str) -> Result<Histogram, prometheus::Error> {
        let options = HistogramOpts::new(name, help)
            .buckets(RECONCILE_BUCKETS.to_vec())
            .const_label("controller", CONTROLLER);
        let made = Histogram::with_opts(options)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_reconcile_is_counted_and_timed() {
        let metrics = Metrics::new().unwrap();
        let guard = metrics.begin_reconcile();
        assert!(
            metrics
                .render()
                .contains("controller_runtime_active_workers{controller=\"whatsappwebhook\"} 1")
        );
        guard.end(ReconcileResult::Error);
        drop(metrics.begin_reconcile());
        let text = metrics.render();
        for line in [
            "controller_runtime_active_workers{controller=\"whatsappwebhook\"} 0",
            "controller_runtime_reconcile_total{controller=\"whatsappwebhook\",result=\"error\"} 1",
            "controller_runtime_reconcile_total{controller=\"whatsappwebhook\",result=\"success\"} 0",
            "controller_runtime_reconcile_errors_total{controller=\"whatsappwebhook\"} 1",
            "controller_runtime_reconcile_time_seconds_count{controller=\"whatsappwebhook\"} 2",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn a_condition_has_one_status_and_goes_with_its_webhook() {
        let metrics = Metrics::new().unwrap();
        let before = metrics.render().lines().count();
        metrics.set_condition("team", "shop", "Ready", "False");
        metrics.set_condition("team", "shop", "Ready", "True");
        metrics.set_replicas("team", "shop", 2, 1);
        metrics.set_stream("team", "shop", 10, 100);
        let text = metrics.render();
        let of = |status: &str| {
            format!(
                "whatsapp_webhook_condition{{namespace=\"team\",status=\"{status}\",type=\"Ready\",webhook=\"shop\"}}"
            )
        };
        assert!(text.contains(&format!("{} 1", of("True"))), "{text}");
        assert!(text.contains(&format!("{} 0", of("False"))), "{text}");
        metrics.forget("team", "shop", &["Ready"]);
        let left = metrics.render();
        assert!(!left.contains("shop"), "{left}");
        assert_eq!(left.lines().count(), before);
    }
}
