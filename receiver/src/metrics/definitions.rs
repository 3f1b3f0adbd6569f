//! Every metric of the receiver: its name, labels and help text, in one place.
//!
//! The code below registers from these, and the documentation is generated from these, so the two
//! cannot drift apart. The names that public guides to WhatsApp webhooks use come first.

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows; look at its rate.
    Counter,
    /// Goes up and down; look at its value.
    Gauge,
    /// Counts observations by size; look at its quantiles.
    Histogram,
}

/// One metric as the documentation shows it. Every series also carries `namespace` and `webhook`.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The full name, unit included.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The labels besides `namespace` and `webhook`.
    pub labels: &'static [&'static str],
    /// What it means, and what its label values are.
    pub help: &'static str,
}

/// Bounds of the latency buckets in seconds. They span Meta's median goal (0.25 s and 1 s; Meta,
/// WhatsApp: Webhooks, "Performance") to its time-out (20 s), with 15 s as the last warning.
pub const LATENCY_BUCKETS: [f64; 13] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0,
];

/// Bounds of the publish buckets in seconds, up to just above the default publish deadline of 4 s.
pub const PUBLISH_BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

macro_rules! definitions {
    ($($constant:ident = $kind:ident $name:literal $labels:tt, $help:literal;)*) => {
        $(pub(super) const $constant: Definition =
            Definition { name: $name, kind: Kind::$kind, labels: &$labels, help: $help };)*

        /// Every metric of our own. The process collector adds the usual `process_*` on Linux.
        pub(super) const ALL: &[Definition] = &[$($constant),*];
    };
}

definitions! {
    REQUESTS = Counter "whatsapp_webhook_requests_total" ["status", "type"],
        "Webhook requests by status (success; rejected: 4xx; error: 5xx, body time-outs, and stored for a client that hung up before the answer) and type (the message type, status or field the request held; mixed, verification, or none when it was never read).";
    LATENCY = Histogram "whatsapp_webhook_latency_seconds" [],
        "Time from the arrival of a request's headers to its answer, the body's arrival included.";
    EVENTS = Counter "whatsapp_webhook_events_total" ["family", "type", "outcome"],
        "Events by family, type and outcome (stored: acknowledged by JetStream; duplicate: stored before; failed: not stored, Meta will send it again).";
    DUPLICATES = Counter "whatsapp_webhook_duplicates_total" ["source"],
        "Duplicate events by who noticed (stream: the duplicate window; local: memory of acknowledged events; in_flight: the same event was being published; body: twice in one request).";
    CONTENDED = Counter "whatsapp_webhook_contended_events_total" [],
        "Events that another receiver was storing at the same moment (JetStream error 10158); each was asked about again.";
    SIGNATURE_FAILURES = Counter "whatsapp_webhook_signature_failures_total" ["reason"],
        "Requests refused over their signature, by reason (missing, malformed, mismatch, retired_secret).";
    DEAD_LETTERS = Counter "whatsapp_webhook_dead_letters_total" ["reason"],
        "Signed bodies that could not be read and were stored as dead letters, by reason.";
    PUBLISH = Histogram "whatsapp_webhook_publish_seconds" [],
        "Time from the first publish of a request that was stored to its last acknowledgement, waiting for other requests included.";
    IN_FLIGHT = Gauge "whatsapp_webhook_in_flight_requests" [],
        "Webhook requests being served now.";
    CONNECTIONS = Gauge "whatsapp_webhook_connections" [],
        "Open client connections.";
    NATS_CONNECTED = Gauge "whatsapp_webhook_nats_connected" [],
        "1 while connected to NATS, else 0.";
    STREAM_READY = Gauge "whatsapp_webhook_stream_ready" [],
        "1 while the JetStream stream exists with fitting settings, full or not, else 0.";
    SECRET_GENERATION = Gauge "whatsapp_webhook_secret_generation" [],
        "Generation of the loaded secrets: grows with every accepted change, 0 before the first.";
    META_ERRORS = Counter "whatsapp_webhook_meta_errors_total" ["code"],
        "Errors that Meta reported inside events, by Meta's error code (the first 50 codes seen, then other).";
    HANDSHAKES = Counter "whatsapp_webhook_handshakes_total" ["reason"],
        "Subscription handshakes by reason (verified, or why it was refused).";
    BODIES_PARSED = Counter "whatsapp_webhook_bodies_parsed_total" [],
        "Bodies that reached the JSON parser. Only signed ones do.";
    RELOAD_FAILURES = Counter "whatsapp_webhook_config_reload_failures_total" [],
        "Changed configuration or secrets that were refused; the last good ones stay in use.";
    THROTTLED = Counter "whatsapp_webhook_throttled_total" [],
        "Requests with a bad signature that were answered 429 because their sender had too many.";
    BUILD_INFO = Gauge "wahook_build_info" ["version"],
        "Always 1; the label says which version runs.";
}

impl Definition {
    fn opts(&self) -> Opts {
        Opts::new(self.name, self.help)
    }

    pub(super) fn counter(&self, registry: &Registry) -> prometheus::Result<IntCounter> {
        registered(registry, IntCounter::with_opts(self.opts())?)
    }

    pub(super) fn counters(&self, registry: &Registry) -> prometheus::Result<IntCounterVec> {
        registered(registry, IntCounterVec::new(self.opts(), self.labels)?)
    }

    pub(super) fn gauge(&self, registry: &Registry) -> prometheus::Result<IntGauge> {
        registered(registry, IntGauge::with_opts(self.opts())?)
    }

    pub(super) fn gauges(&self, registry: &Registry) -> prometheus::Result<IntGaugeVec> {
        registered(registry, IntGaugeVec::new(self.opts(), self.labels)?)
    }

    pub(super) fn histogram(&self, registry: &Registry, buckets: &[f64]) -> prometheus::Result<Histogram> {
        let opts = HistogramOpts::new(self.name, self.help).buckets(buckets.to_vec());
        registered(registry, Histogram::with_opts(opts)?)
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> prometheus::Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
