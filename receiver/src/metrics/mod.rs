//! What the receiver counts, for Prometheus.
//!
//! Every series carries the `namespace` and `webhook` it belongs to. Label values come from enums and
//! closed lists only: no payload, however odd, adds series without end. The counters of a request
//! are found by position, not by hashing label values.

mod definitions;
mod guards;
mod known;
mod labels;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry, TextEncoder};

pub use self::definitions::{Definition, Kind, LATENCY_BUCKETS, PUBLISH_BUCKETS};
pub use self::guards::{GaugeGuard, RequestGuard};
pub use self::labels::{EventLabel, OTHER, RequestType};
use crate::handshake::HandshakeOutcome;
use crate::signature::SignatureFailure;

/// The `Content-Type` of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How many of Meta's error codes get a series of their own.
const META_ERROR_CODES: usize = 50;
/// Meta's codes have at most seven digits. A longer number may be anything, a phone number for one.
const LARGEST_META_CODE: i64 = 9_999_999;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestStatus {
    /// Answered 200.
    Success,
    /// Answered 4xx: scanners, wrong tokens, wrong signatures.
    Rejected,
    /// Answered 5xx, or the signed body did not arrive in time.
    Error,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// JetStream acknowledged it.
    Stored,
    /// It was stored before.
    Duplicate,
    /// It was not stored; Meta will send it again.
    Failed,
}

/// Who noticed a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateSource {
    /// The stream's duplicate window.
    Stream,
    /// The memory of acknowledged events.
    Local,
    /// The same event was being published by another request.
    InFlight,
    /// The same event came twice in one body.
    Body,
}

macro_rules! label_values {
    ($($label:ident { $($variant:ident = $name:literal),* })*) => {
        $(impl $label {
            /// Every value there is.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The label value.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        })*
    };
}

label_values! {
    RequestStatus { Success = "success", Rejected = "rejected", Error = "error" }
    Outcome { Stored = "stored", Duplicate = "duplicate", Failed = "failed" }
    DuplicateSource { Stream = "stream", Local = "local", InFlight = "in_flight", Body = "body" }
}

/// Three counters that differ in their last label, each made when it is first needed.
type Three = [OnceLock<IntCounter>; 3];

/// Every metric of one receiver. Share it in an `Arc`; all methods take `&self`.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    requests_by_event: labels::ByEvent<Three>,
    latency: Histogram,
    events: IntCounterVec,
    events_by_label: labels::ByEvent<Three>,
    duplicates: IntCounterVec,
    signature_failures: IntCounterVec,
    dead_letters: IntCounterVec,
    publish: Histogram,
    in_flight: IntGauge,
    connections: IntGauge,
    nats_connected: IntGauge,
    stream_ready: IntGauge,
    secret_generation: IntGauge,
    meta_errors: IntCounterVec,
    meta_error_codes: Mutex<BTreeSet<i64>>,
    handshakes: IntCounterVec,
    bodies_parsed: IntCounter,
    reload_failures: IntCounter,
    throttled: IntCounter,
    contended: IntCounter,
}

/// The metrics could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the metrics could not be registered: {0}. This is a fault in Wahook: please report it")]
pub struct MetricsError(#[from] prometheus::Error);

impl Metrics {
    /// Registers every metric. `namespace` and `webhook` go on each series.
    ///
    /// # Errors
    /// [`MetricsError`] when a name is registered twice, which the tests rule out.
    pub fn new(namespace: &str, webhook: &str) -> Result<Self, MetricsError> {
        let common = HashMap::from([
            ("namespace".to_owned(), namespace.to_owned()),
            ("webhook".to_owned(), webhook.to_owned()),
        ]);
        let registry = Registry::new_custom(None, Some(common))?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;

        let metrics = Self {
            requests: definitions::REQUESTS.counters(&registry)?,
            requests_by_event: labels::ByEvent::new(),
            latency: definitions::LATENCY.histogram(&registry, &LATENCY_BUCKETS)?,
            events: definitions::EVENTS.counters(&registry)?,
            events_by_label: labels::ByEvent::new(),
            duplicates: definitions::DUPLICATES.counters(&registry)?,
            signature_failures: definitions::SIGNATURE_FAILURES.counters(&registry)?,
            dead_letters: definitions::DEAD_LETTERS.counters(&registry)?,
            publish: definitions::PUBLISH.histogram(&registry, &PUBLISH_BUCKETS)?,
            in_flight: definitions::IN_FLIGHT.gauge(&registry)?,
            connections: definitions::CONNECTIONS.gauge(&registry)?,
            nats_connected: definitions::NATS_CONNECTED.gauge(&registry)?,
            stream_ready: definitions::STREAM_READY.gauge(&registry)?,
            secret_generation: definitions::SECRET_GENERATION.gauge(&registry)?,
            meta_errors: definitions::META_ERRORS.counters(&registry)?,
            meta_error_codes: Mutex::default(),
            handshakes: definitions::HANDSHAKES.counters(&registry)?,
            bodies_parsed: definitions::BODIES_PARSED.counter(&registry)?,
            reload_failures: definitions::RELOAD_FAILURES.counter(&registry)?,
            throttled: definitions::THROTTLED.counter(&registry)?,
            contended: definitions::CONTENDED.counter(&registry)?,
            registry,
        };
        let build_info = definitions::BUILD_INFO.gauges(&metrics.registry)?;
        build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// Makes the series that alerts watch exist from the start: the first increase of a counter that
    /// appears out of nothing is invisible to `rate()`.
    fn start_at_zero(&self) {
        self.exist(RequestType::None);
        self.exist(RequestType::Mixed);
        for source in DuplicateSource::ALL {
            self.duplicates(*source);
        }
        for reason in SignatureFailure::ALL {
            self.signature_failures.with_label_values(&[reason.as_str()]);
        }
    }

    /// Makes the series of a type exist, of failures, too, as soon as the first request of that type has come.
    fn exist(&self, request_type: RequestType) {
        for status in RequestStatus::ALL {
            self.requests
                .with_label_values(&[status.as_str(), request_type.as_str()]);
        }
    }

    /// Follows one request: in flight until the guard is dropped, then its latency since `arrived`
    /// and its status and type are counted.
    pub fn request(self: &Arc<Self>, arrived: Instant) -> RequestGuard {
        RequestGuard::new(Arc::clone(self), self.in_flight.clone(), arrived)
    }

    fn finished(&self, status: RequestStatus, request_type: RequestType, latency: Duration) {
        self.latency.observe(latency.as_secs_f64());
        let values = [status.as_str(), request_type.as_str()];
        match request_type {
            RequestType::One(event) => self.requests_by_event.get(event)[status as usize]
                .get_or_init(|| {
                    self.exist(request_type);
                    self.requests.with_label_values(&values)
                })
                .inc(),
            _ => self.requests.with_label_values(&values).inc(),
        }
    }

    /// A client connected.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A client's connection ended.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// The counter of events with this label and outcome; add a request's events at once.
    pub fn events(&self, event: EventLabel, outcome: Outcome) -> &IntCounter {
        self.events_by_label.get(event)[outcome as usize].get_or_init(|| {
            self.events
                .with_label_values(&[event.family(), event.kind(), outcome.as_str()])
        })
    }

    /// The counter of duplicates that this source noticed.
    pub fn duplicates(&self, source: DuplicateSource) -> IntCounter {
        self.duplicates.with_label_values(&[source.as_str()])
    }

    /// Counts a request that was refused over its signature.
    pub fn signature_failed(&self, reason: SignatureFailure) {
        self.signature_failures
            .with_label_values(&[reason.as_str()])
            .inc();
    }

    /// Counts a dead letter. The reason is a literal of the code, which keeps the label bounded.
    pub fn dead_letter(&self, reason: &'static str) {
        self.dead_letters.with_label_values(&[reason]).inc();
    }

    /// Records how long it took to store a request, from its first event to the last acknowledgement.
    pub fn published(&self, took: Duration) {
        self.publish.observe(took.as_secs_f64());
    }

    /// Says whether NATS is connected.
    pub fn set_nats_connected(&self, connected: bool) {
        self.nats_connected.set(connected.into());
    }

    /// Says whether the stream takes events.
    pub fn set_stream_ready(&self, ready: bool) {
        self.stream_ready.set(ready.into());
    }

    /// Says which generation of the secrets is loaded.
    pub fn set_secret_generation(&self, generation: u64) {
        self.secret_generation
            .set(i64::try_from(generation).unwrap_or(i64::MAX));
    }

    /// Counts an error that Meta reported, by its code (Meta, WhatsApp: Error codes).
    pub fn meta_error(&self, code: i64) {
        let mut codes = self
            .meta_error_codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_code = (0..=LARGEST_META_CODE).contains(&code);
        let listed =
            is_code && (codes.contains(&code) || (codes.len() < META_ERROR_CODES && codes.insert(code)));
        drop(codes);
        let code = if listed {
            code.to_string()
        } else {
            OTHER.to_owned()
        };
        self.meta_errors.with_label_values(&[code]).inc();
    }

    /// Counts a subscription handshake.
    pub fn handshake(&self, outcome: &HandshakeOutcome) {
        self.handshakes.with_label_values(&[outcome.as_str()]).inc();
    }

    /// Counts a body that goes into the parser.
    pub fn body_parsed(&self) {
        self.bodies_parsed.inc();
    }

    /// Counts changes of configuration or secrets that were refused.
    pub fn reloads_failed(&self, count: u64) {
        self.reload_failures.inc_by(count);
    }

    /// Counts a request that was answered 429.
    pub fn throttled(&self) {
        self.throttled.inc();
    }

    /// Counts events that another receiver was storing at the same moment.
    pub fn contended(&self, events: usize) {
        self.contended.inc_by(events as u64);
    }

    /// Everything in the Prometheus text format; see [`CONTENT_TYPE`].
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_else(|error| format!("# the metrics could not be written: {error}\n"))
    }

    /// Every metric there is, for generated documentation.
    pub fn describe() -> &'static [Definition] {
        definitions::ALL
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
