//! Guards that count on drop, so that no path out of a request can forget to.

use std::sync::Arc;
use std::time::Instant;

use prometheus::IntGauge;

use super::{Metrics, RequestStatus, RequestType};

/// One request from the arrival of its headers to its end.
///
/// Say what is known as soon as it is known with [`RequestGuard::set`]; whatever was said last is
/// counted when the guard goes, also when the client hung up and the handler was dropped. It starts
/// as a rejected request without type, so strangers who hang up never raise the error rate.
#[derive(Debug)]
#[must_use = "the request counts as finished when the guard is dropped"]
pub struct RequestGuard {
    metrics: Arc<Metrics>,
    arrived: Instant,
    status: RequestStatus,
    request_type: RequestType,
    _in_flight: GaugeGuard,
}

impl RequestGuard {
    pub(super) fn new(metrics: Arc<Metrics>, in_flight: IntGauge, arrived: Instant) -> Self {
        Self {
            metrics,
            arrived,
            status: RequestStatus::Rejected,
            request_type: RequestType::None,
            _in_flight: GaugeGuard::new(in_flight),
        }
    }

    /// What the request would count as if it ended now.
    pub fn set(&mut self, status: RequestStatus, request_type: RequestType) {
        self.status = status;
        self.request_type = request_type;
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.metrics
            .finished(self.status, self.request_type, self.arrived.elapsed());
    }
}

/// Adds one to a gauge for as long as it lives.
#[derive(Debug)]
#[must_use = "the gauge goes down when the guard is dropped"]
pub struct GaugeGuard(IntGauge);

impl GaugeGuard {
    pub(super) fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
