//! One message to be published, and a request's worth of them.

use std::fmt;

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use wahook_events::contract::Addressed;

use super::stationery::Stationery;

/// A request's events. Each is made when it is sent: nearly all are sent once, and nothing is copied for the few that are
/// not.
pub trait Batch: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of data the event at `place` has.
    fn payload_bytes(&self, place: usize) -> usize;

    /// The event at `place`.
    fn message(&self, place: usize) -> Outgoing;
}

/// More than the headers of any event take on the wire, in bytes: all of them are bounded.
pub(super) const HEADERS_AT_MOST: usize = 4096;

/// A message with its subject and headers, ready to be sent, more than once if need be. `Debug` shows its size.
#[derive(Clone)]
pub struct Outgoing {
    /// The subject.
    pub subject: async_nats::Subject,
    /// The headers.
    pub headers: HeaderMap,
    /// The data.
    pub payload: Bytes,
    /// How many bytes the headers take on the wire.
    header_bytes: usize,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("bytes", &self.size())
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    /// A message of an address and its data, with the request's trace context if it came with one.
    pub fn new(
        addressed: Addressed,
        payload: Bytes,
        traceparent: Option<&str>,
        stationery: &Stationery,
    ) -> Self {
        let mut headers = addressed.headers;
        headers.extend(traceparent.map(|context| ("traceparent", context.to_owned())));
        let lines = headers
            .iter()
            .map(|(name, value)| name.len() + value.len() + ": \r\n".len());
        let header_bytes = "NATS/1.0\r\n\r\n".len() + lines.sum::<usize>();
        Self {
            subject: addressed.subject.into(),
            headers: stationery.headers(headers),
            payload,
            header_bytes,
        }
    }

    /// How many bytes count against the broker's `max_payload`: headers and data.
    pub fn size(&self) -> usize {
        self.header_bytes + self.payload.len()
    }

    /// The same message with its data somewhere else (CloudEvents claim check).
    #[must_use]
    pub fn with_data_ref(mut self, data_ref: String) -> Self {
        let name = wahook_events::contract::DATA_REF;
        self.header_bytes += name.len() + data_ref.len() + ": \r\n".len();
        self.headers
            .insert(HeaderName::from_static(name), HeaderValue::from(data_ref));
        self.payload = Bytes::new();
        self
    }
}
