//! The phases of a graceful exit.
//!
//! ```text
//! signal ── endpoint lag ──> closing the listener ── grace ──> the end
//!   accept and serve, each        no new connection;             what is left
//!   answer ends its connection    in-flight requests finish      is aborted
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// When to stop, and how patiently.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// Cancelled when the process is asked to stop.
    pub signal: CancellationToken,
    /// How long to go on accepting after the signal: the endpoints of a Kubernetes Service lag behind
    /// the SIGTERM, and proxies send new connections here until they have heard.
    pub endpoint_lag: Duration,
    /// How long requests in flight may take once nothing new is accepted.
    pub grace: Duration,
}

/// How a shutdown went, from the moment the listener was closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Requests answered after it.
    pub finished: usize,
    /// Requests that had no answer when the grace period ended.
    pub aborted: usize,
}

/// How far the shutdown has come, as every connection sees it.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// From the signal on: each connection ends with its next answer.
    pub(super) closing: CancellationToken,
    /// The listener is closed: connections without a request end now.
    pub(super) draining: CancellationToken,
    /// The grace period is over.
    pub(super) aborting: CancellationToken,
}

impl Stage {
    pub(super) fn new(signal: CancellationToken) -> Self {
        Self {
            closing: signal,
            draining: CancellationToken::new(),
            aborting: CancellationToken::new(),
        }
    }
}

/// Requests in flight and answered, over all connections.
#[derive(Debug, Default)]
pub(super) struct Tally {
    in_flight: AtomicUsize,
    answered: AtomicUsize,
}

impl Tally {
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A request left, `answered` or because its client did.
    pub(super) fn end(&self, answered: bool) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if answered {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }
}
