//! What the operator counts, for Prometheus.
//!
//! The `controller_runtime_*` and `workqueue_*` names mean what they mean in Go's controller-runtime, so that
//! existing dashboards and alerts work. What kube does not let us see, such as the queue's depth, is left out.

mod webhooks;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::runtime::reflector::Store;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use crate::apply::Count;
use crate::jetstream::Usage;
use crate::probe::Probes;
use crate::resource::Guarded;
use webhooks::Webhooks;

/// The `Content-Type` of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The value of the label `controller`.
const CONTROLLER: &str = "whatsappwebhook";

/// The bounds of controller-runtime's histogram, in seconds.
pub const SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Everything that is counted. A registry for each operator, so that tests run many in one process.
pub struct Metrics {
    registry: Registry,
    reconciles: IntCounterVec,
    errors: IntCounterVec,
    causes: IntCounterVec,
    seconds: HistogramVec,
    active: IntGaugeVec,
    workers: IntGaugeVec,
    retries: IntCounterVec,
    writes: IntCounterVec,
    watch_errors: IntCounterVec,
    rollouts: IntGaugeVec,
    leader: IntGauge,
    events_lost: IntCounter,
    build: IntGaugeVec,
    webhooks: Webhooks,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// Done; only a change brings the next.
    Success,
    /// Done; looked at again after a while.
    RequeueAfter,
    /// Failed; tried again.
    Error,
}

/// One metric as the documentation shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The full name, unit included.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The labels.
    pub labels: Vec<String>,
    /// What it means, and what its label values are.
    pub help: String,
}

impl Definition {
    fn of(kind: &'static str, desc: &Desc) -> Self {
        Self {
            name: desc.fq_name.clone(),
            kind,
            labels: desc.variable_labels.clone(),
            help: desc.help.clone(),
        }
    }
}

/// Counts a running reconcile and how long it takes.
pub struct Running {
    metrics: Arc<Metrics>,
    since: Instant,
}

impl Metrics {
    /// All metrics, with nothing counted yet.
    ///
    /// # Errors
    /// When two metrics have one name: never for the ones below.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntGaugeVec> {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauges.clone()))?;
            Ok(gauges)
        };
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "controller_runtime_reconcile_time_seconds",
                "Length of time per reconciliation per controller.",
            )
            .buckets(SECONDS.to_vec()),
            &["controller"],
        )?;
        registry.register(Box::new(seconds.clone()))?;
        let leader = IntGauge::new(
            "whatsapp_webhook_operator_leader",
            "1 in the replica of the operator that does the work, else 0.",
        )?;
        registry.register(Box::new(leader.clone()))?;
        let events_lost = IntCounter::new(
            "whatsapp_webhook_operator_events_lost_total",
            "Kubernetes Events that could not be written.",
        )?;
        registry.register(Box::new(events_lost.clone()))?;
        let build = gauges(
            "wahook_build_info",
            "Always 1; the label says which version runs.",
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let webhooks = Webhooks::new()?;
        registry.register(Box::new(webhooks.clone()))?;
        process(&registry)?;
        let metrics = Self {
            reconciles: counters(
                "controller_runtime_reconcile_total",
                "Total number of reconciliations per controller.",
                &["controller", "result"],
            )?,
            errors: counters(
                "controller_runtime_reconcile_errors_total",
                "Total number of reconciliation errors per controller.",
                &["controller"],
            )?,
            causes: counters(
                "whatsapp_webhook_operator_reconcile_failures_total",
                "Failed reconciliations by what failed.",
                &["cause"],
            )?,
            active: gauges(
                "controller_runtime_active_workers",
                "Number of currently used workers per controller.",
                &["controller"],
            )?,
            workers: gauges(
                "controller_runtime_max_concurrent_reconciles",
                "Maximum number of concurrent reconciles per controller.",
                &["controller"],
            )?,
            retries: counters(
                "workqueue_retries_total",
                "Total number of retries handled by workqueue.",
                &["name", "controller"],
            )?,
            writes: counters(
                "whatsapp_webhook_operator_writes_total",
                "Writes to the Kubernetes API but for Events and the lease, by verb, kind and result (done, failed).",
                &["verb", "kind", "result"],
            )?,
            watch_errors: counters(
                "whatsapp_webhook_operator_watch_errors_total",
                "Failures of the watches, by kind. A watch that goes on failing makes its kind stale.",
                &["kind"],
            )?,
            rollouts: gauges(
                "whatsapp_webhook_operator_rollouts",
                "Webhooks in the roll-out of an operator upgrade, by state: rolling, failed (it stops the others), queued.",
                &["state"],
            )?,
            seconds,
            leader,
            events_lost,
            build,
            webhooks,
            registry,
        };
        metrics.begin_at_zero();
        Ok(metrics)
    }

    /// Series that alerts read are there before the first failure.
    fn begin_at_zero(&self) {
        for result in [Result::Success, Result::RequeueAfter, Result::Error] {
            self.reconciles.with_label_values(&[CONTROLLER, result.as_str()]);
        }
        self.set_rollouts(Count::default());
        self.errors.with_label_values(&[CONTROLLER]);
        self.retries.with_label_values(&[CONTROLLER, CONTROLLER]);
        self.active.with_label_values(&[CONTROLLER]).set(0);
    }

    /// The text that Prometheus reads.
    ///
    /// # Errors
    /// When a metric cannot be written.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Every metric of our own, also those that have no series yet. The process collector adds the usual `process_*`.
    pub fn describe(&self) -> Vec<Definition> {
        let counters: [&dyn Collector; 7] = [
            &self.reconciles,
            &self.errors,
            &self.causes,
            &self.retries,
            &self.writes,
            &self.watch_errors,
            &self.events_lost,
        ];
        let gauges: [&dyn Collector; 6] = [
            &self.active,
            &self.workers,
            &self.rollouts,
            &self.leader,
            &self.webhooks,
            &self.build,
        ];
        let histograms: [&dyn Collector; 1] = [&self.seconds];
        let of = |kind: &'static str, metrics: &[&dyn Collector]| -> Vec<Definition> {
            let descriptions = metrics.iter().flat_map(|metric| metric.desc());
            descriptions.map(|desc| Definition::of(kind, desc)).collect()
        };
        let mut all = [
            of("counter", &counters),
            of("gauge", &gauges),
            of("histogram", &histograms),
        ]
        .concat();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// Begins to count a reconcile.
    pub fn begin(self: &Arc<Self>) -> Running {
        self.active.with_label_values(&[CONTROLLER]).inc();
        Running {
            metrics: Arc::clone(self),
            since: Instant::now(),
        }
    }

    /// How many reconciles may run at a time.
    pub fn set_workers(&self, workers: u16) {
        self.workers
            .with_label_values(&[CONTROLLER])
            .set(i64::from(workers));
    }

    /// Counts why a reconcile failed, and that it is tried again.
    pub fn failed(&self, cause: &str) {
        self.causes.with_label_values(&[cause]).inc();
        self.retries.with_label_values(&[CONTROLLER, CONTROLLER]).inc();
    }

    /// Counts a write to the Kubernetes API.
    pub fn wrote(&self, verb: &str, kind: &str, done: bool) {
        let result = if done { "done" } else { "failed" };
        self.writes.with_label_values(&[verb, kind, result]).inc();
    }

    /// How many writes were done or tried so far.
    pub fn writes(&self) -> u64 {
        sum(&self.writes)
    }

    /// How many reconciles have ended so far.
    pub fn reconciles(&self) -> u64 {
        sum(&self.reconciles)
    }

    /// Counts a failure of a watch.
    pub fn watch_failed(&self, kind: &str) {
        self.watch_errors.with_label_values(&[kind]).inc();
    }

    /// Counts an Event that could not be written.
    pub fn event_lost(&self) {
        self.events_lost.inc();
    }

    /// Says how far the roll-out of an upgrade is.
    pub fn set_rollouts(&self, count: Count) {
        let Count {
            rolling,
            failed,
            queued,
        } = count;
        for (state, number) in [("rolling", rolling), ("failed", failed), ("queued", queued)] {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            self.rollouts.with_label_values(&[state]).set(number);
        }
    }

    /// Says whether this replica does the work.
    pub fn set_leader(&self, is_leader: bool) {
        self.leader.set(i64::from(is_leader));
    }

    /// Shows the webhooks of these stores from now on.
    pub fn show(&self, stores: Vec<Store<Guarded>>) {
        // The second call would be of a second controller in the same process, which nobody starts.
        let _ = self.webhooks.stores.set(stores);
    }

    /// Shows what looks at public URLs came to from now on.
    pub fn show_probes(&self, probes: Arc<Probes>) {
        // The second call would be of a second controller in the same process, which nobody starts.
        let _ = self.webhooks.probes.set(probes);
    }

    /// Learns how full the stream of a webhook is, when that could be seen.
    pub fn set_stream(&self, namespace: &str, webhook: &str, usage: Option<Usage>) {
        self.webhooks.set_stream(namespace, webhook, usage);
    }
}

fn sum(counters: &IntCounterVec) -> u64 {
    let families = counters.collect();
    let metrics = families.iter().flat_map(MetricFamily::get_metric);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole numbers from zero"
    )]
    metrics
        .map(|metric| metric.get_counter().get_value() as u64)
        .sum()
}

impl Running {
    /// Counts how it ended.
    pub fn end(self, result: Result) {
        let metrics = &self.metrics;
        metrics
            .reconciles
            .with_label_values(&[CONTROLLER, result.as_str()])
            .inc();
        if result == Result::Error {
            metrics.errors.with_label_values(&[CONTROLLER]).inc();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let metrics = &self.metrics;
        metrics.active.with_label_values(&[CONTROLLER]).dec();
        let seconds = self.since.elapsed().as_secs_f64();
        metrics.seconds.with_label_values(&[CONTROLLER]).observe(seconds);
    }
}

impl Result {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Error => "error",
        }
    }

    /// What an action of so long a pause counts as.
    pub const fn of(pause: Option<Duration>) -> Self {
        if pause.is_some() {
            Self::RequeueAfter
        } else {
            Self::Success
        }
    }
}

#[cfg(target_os = "linux")]
fn process(registry: &Registry) -> prometheus::Result<()> {
    let process = prometheus::process_collector::ProcessCollector::for_self();
    registry.register(Box::new(process))
}

#[cfg(not(target_os = "linux"))]
fn process(_: &Registry) -> prometheus::Result<()> {
    Ok(())
}
