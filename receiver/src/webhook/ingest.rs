//! A signed body to stored events: split, route, deduplicate, publish, settle.
//!
//! ```text
//! bytes -> items (one function) -> claims -> acknowledgements (one function) -> outcome
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use wahook_events::{Malformed, contract};
use wahook_telemetry::trace::Span;

use super::items::{self, Item, Outbox};
use crate::dedupe::{Claims, Dedupe, Known, Waiter};
use crate::metrics::{DuplicateSource, Metrics, Outcome, RequestType};
use crate::publish::{Ack, Publisher, Refusal, Stationery};

/// What stores events: shared by all requests.
#[derive(Debug)]
pub struct Ingest {
    publisher: Arc<Publisher>,
    dedupe: Dedupe,
    contract: contract::Publisher,
    stationery: Stationery,
    stream: Arc<str>,
    metrics: Arc<Metrics>,
    /// The highest sequence the stream ever acknowledged; a lower one means that it was recreated.
    highest: AtomicU64,
}

/// What comes with a body.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The body, its signature verified.
    pub body: Bytes,
    /// When it had been read and its signature verified, RFC 3339 in UTC.
    pub received: String,
    /// The trace it belongs to, from a trusted proxy.
    pub traceparent: Option<String>,
    /// The phone numbers this webhook is for; `None` for all.
    pub phone_number_ids: Option<Arc<BTreeSet<String>>>,
    /// How long storing may take.
    pub deadline: Duration,
}

/// How it ended.
#[derive(Debug)]
pub struct Ingested {
    /// What the body held, for the request's metric.
    pub request_type: RequestType,
    /// Whether everything is stored.
    pub result: Result<Stored, Refusal>,
}

/// What is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Every event.
    Events,
    /// The whole body, as a dead letter.
    DeadLetter(Malformed),
}

/// What all messages of a delivery share.
#[derive(Debug, Clone, Copy)]
struct Envelope<'a> {
    received: &'a str,
    traceparent: Option<&'a str>,
}

impl Ingest {
    /// An ingest into a stream.
    pub fn new(
        publisher: Arc<Publisher>,
        dedupe: Dedupe,
        contract: contract::Publisher,
        stream: Arc<str>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            publisher,
            dedupe,
            contract,
            stationery: Stationery::default(),
            stream,
            metrics,
            highest: AtomicU64::new(0),
        }
    }

    /// Forgets what the stream once held: it was recreated or purged.
    pub fn forget(&self) {
        self.highest.store(0, Ordering::Relaxed);
        self.dedupe.clear();
    }

    /// Stores a delivery. With a span, its events belong to that span's trace, and not to the one it came with.
    pub async fn run(&self, delivery: Delivery, span: &Span) -> Ingested {
        self.metrics.body_parsed();
        let deadline = tokio::time::Instant::now() + delivery.deadline;
        let splitting = span.child("split");
        let (items, malformed) = items::of(&delivery.body, delivery.phone_number_ids.as_deref());
        drop(splitting);
        span.set("wahook.events", i64::try_from(items.len()).unwrap_or(i64::MAX));
        let Delivery {
            body,
            received,
            traceparent,
            ..
        } = delivery;
        // Everything worth keeping was copied into the items; large bodies wait for the broker without it.
        drop(body);
        let request_type = items
            .iter()
            .fold(RequestType::None, |all, item| all.and(item.label));
        for code in items.iter().flat_map(Item::error_codes) {
            self.metrics.meta_error(*code);
        }
        let publishing = span.send("publish");
        let traceparent = publishing.traceparent().or(traceparent);
        let envelope = Envelope {
            received: &received,
            traceparent: traceparent.as_deref(),
        };
        let started = Instant::now();
        let result = self.store(&items, envelope, deadline).await;
        match &result {
            Ok(()) => self.metrics.published(started.elapsed()),
            // How soon a lost connection refuses says nothing about the broker.
            Err(refusal) => publishing.fail(refusal.as_str()),
        }
        drop(publishing);
        let stored = malformed.map_or(Stored::Events, Stored::DeadLetter);
        Ingested {
            request_type,
            result: result.map(|()| stored),
        }
    }

    /// From items to acknowledgements.
    async fn store(
        &self,
        items: &[Item],
        envelope: Envelope<'_>,
        deadline: tokio::time::Instant,
    ) -> Result<(), Refusal> {
        let (mut claims, known) = self
            .dedupe
            .claim(items.iter().map(|item| item.key), Instant::now());
        let mut plan = Plan::of(known);
        // Whatever the memory says, a stream that is gone or empty must not be answered with 200: one id is always asked
        // about.
        let witness = if plan.send.is_empty() && plan.waiters.is_empty() {
            plan.acked.pop()
        } else {
            None
        };
        plan.send.extend(witness);

        let before = self.highest.load(Ordering::Relaxed);
        let acks = self.publish(items, &plan.send, envelope, deadline).await;
        let recreated = acks.iter().any(|ack| match ack {
            Ok(Ack::Stored(sequence)) => *sequence <= before || witness.is_some(),
            _ => false,
        });
        if recreated {
            self.forget();
        }
        let mut result = self.settle(items, &plan.send, &acks, &mut claims);
        if recreated && !plan.acked.is_empty() {
            let again = self.publish(items, &plan.acked, envelope, deadline).await;
            let settled = self.settle(items, &plan.acked, &again, &mut claims);
            result = result.and(settled);
        } else {
            self.duplicates(items, &plan.acked, DuplicateSource::Local);
        }
        self.duplicates(items, &plan.repeated, DuplicateSource::Body);
        drop(claims);
        for (place, waiter) in plan.waiters {
            let landed = tokio::time::timeout_at(deadline, waiter.stored()).await;
            if landed.unwrap_or(false) {
                self.duplicates(items, &[place], DuplicateSource::InFlight);
            } else {
                self.metrics.events(items[place].label, Outcome::Failed).inc();
                result = result.and(Err(Refusal::InProcess));
            }
        }
        result
    }

    async fn publish(
        &self,
        items: &[Item],
        places: &[usize],
        envelope: Envelope<'_>,
        deadline: tokio::time::Instant,
    ) -> Vec<Result<Ack, Refusal>> {
        let request = contract::Request {
            publisher: &self.contract,
            stream: &self.stream,
            received: envelope.received,
        };
        let outbox = Outbox {
            items,
            places,
            request,
            traceparent: envelope.traceparent,
            stationery: &self.stationery,
        };
        self.publisher.publish(&outbox, deadline).await
    }

    /// Remembers and counts what became of each item; the first refusal is the request's.
    fn settle(
        &self,
        items: &[Item],
        places: &[usize],
        acks: &[Result<Ack, Refusal>],
        claims: &mut Claims<'_>,
    ) -> Result<(), Refusal> {
        let mut result = Ok(());
        for (place, ack) in places.iter().zip(acks) {
            let item = &items[*place];
            match ack {
                Ok(Ack::Stored(sequence)) => {
                    self.highest.fetch_max(*sequence, Ordering::Relaxed);
                    claims.stored(item.key);
                    self.metrics.events(item.label, Outcome::Stored).inc();
                    if let Some(reason) = item.dead_letter_reason() {
                        self.metrics.dead_letter(reason);
                    }
                }
                Ok(Ack::Duplicate) => {
                    claims.held(item.key);
                    self.duplicates(items, &[*place], DuplicateSource::Stream);
                }
                Err(refusal) => {
                    self.metrics.events(item.label, Outcome::Failed).inc();
                    result = result.and(Err(*refusal));
                }
            }
        }
        result
    }

    fn duplicates(&self, items: &[Item], places: &[usize], source: DuplicateSource) {
        for place in places {
            self.metrics.events(items[*place].label, Outcome::Duplicate).inc();
            self.metrics.duplicates(source).inc();
        }
    }
}

/// What is to be done with each item, by its place.
#[derive(Debug, Default)]
struct Plan {
    send: Vec<usize>,
    acked: Vec<usize>,
    repeated: Vec<usize>,
    waiters: Vec<(usize, Waiter)>,
}

impl Plan {
    fn of(known: Vec<Known>) -> Self {
        let mut plan = Self {
            send: Vec::with_capacity(known.len()),
            ..Self::default()
        };
        for (place, known) in known.into_iter().enumerate() {
            match known {
                Known::New => plan.send.push(place),
                Known::Acked => plan.acked.push(place),
                Known::Repeated => plan.repeated.push(place),
                Known::InFlight(waiter) => plan.waiters.push((place, waiter)),
            }
        }
        plan
    }
}
