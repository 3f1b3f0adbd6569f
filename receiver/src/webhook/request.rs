//! What is known of a request besides its body: its id, when and from where it came, whether its client still waits.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Request};

use crate::server::{HeadersArrived, Waiting};

/// One request, as far as its log lines need it.
pub(super) struct Context {
    pub(super) id: String,
    pub(super) arrived: Instant,
    pub(super) peer: SocketAddr,
    waiting: Option<Waiting>,
}

impl Context {
    /// What the server noted of a request.
    pub(super) fn of(request: &Request<Body>, id: String) -> Self {
        let extensions = request.extensions();
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        Self {
            id,
            arrived: extensions
                .get::<HeadersArrived>()
                .map_or_else(Instant::now, |arrived| arrived.0),
            peer: extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map_or(unknown, |peer| peer.0),
            waiting: extensions.get::<Waiting>().cloned(),
        }
    }

    /// Whether the client left before it was answered.
    pub(super) fn hung_up(&self) -> bool {
        self.waiting.as_ref().is_some_and(Waiting::is_over)
    }
}

/// A W3C trace context of the shape `00-<32 hex>-<16 hex>-<2 hex>`.
pub(super) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-').map(str::as_bytes);
    let fits = [2, 32, 16, 2].into_iter().all(|length| {
        parts
            .next()
            .is_some_and(|part| part.len() == length && part.iter().all(u8::is_ascii_hexdigit))
    });
    (fits && text.starts_with("00-") && parts.next().is_none()).then(|| text.to_owned())
}

/// Ids that tell one process's requests apart and its own from another's.
#[derive(Debug)]
pub(super) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        Self {
            process: rand::random(),
            next: AtomicU64::new(1),
        }
    }

    pub(super) fn next(&self) -> String {
        let mut id = String::with_capacity(20);
        // Writing to a string does not fail.
        let _ = write!(
            id,
            "{:08x}-{:x}",
            self.process,
            self.next.fetch_add(1, Ordering::Relaxed)
        );
        id
    }
}
