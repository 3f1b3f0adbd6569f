//! The public port: Meta's handshake and deliveries.
//!
//! ```text
//! limits -> raw bytes + HMAC -> split -> deduplicate -> publish -> all acknowledged -> 200
//! mod       body, signature     ingest (events, dedupe, publish)                      answer
//! ```

mod activity;
mod answer;
mod body;
pub mod clients;
mod ingest;
mod items;
mod keys;
mod probe;
mod quiet;
mod request;
mod traces;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::any;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request};
use ipnet::IpNet;
use tracing::{debug, info, warn};
use wahook_telemetry::trace::Span;

use self::body::{Read, Unread};
use self::clients::Clients;
use self::probe::Probe;
use self::quiet::Quiet;
use self::request::{Context, RequestIds, traceparent};
use crate::budget::{Budget, Share};
use crate::handshake::{Handshake, HandshakeOutcome};
use crate::metrics::{Metrics, RequestStatus, RequestType};
use crate::publish::Refusal;
use crate::server::HeadersArrived;
use crate::signature::{SignatureFailure, SignatureHeader, Verdict};

pub use activity::Activity;
pub use answer::Answer;
pub use ingest::{Delivery, Ingest, Ingested, Stored};
pub use keys::Keys;
pub use traces::Traces;

/// Answers every request with an id that its log lines carry too.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What may change while requests are served.
#[derive(Debug, Clone)]
pub struct Live {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// All bodies together, in bytes.
    pub body_memory_bytes: usize,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long storing may take.
    pub publish_deadline: Duration,
    /// How many bodies may be read at once: as many as there may be connections, also when one connection carries many.
    pub bodies: usize,
    /// How many deliveries may be in progress once their signature was found right.
    pub in_flight_requests: usize,
    /// How many wrong signatures a client may send in a minute before it is told to stop.
    pub bad_signatures_per_minute: u32,
    /// The phone numbers this webhook is for; `None` for all.
    pub phone_number_ids: Option<Arc<BTreeSet<String>>>,
    /// Proxies whose word about the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
}

/// The public port's state.
#[derive(Debug)]
pub struct Webhook {
    live: ArcSwap<Live>,
    keys: ArcSwap<Keys>,
    clients: Clients,
    memory: Budget,
    reading: AtomicUsize,
    in_flight: AtomicUsize,
    ingest: Arc<Ingest>,
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
    ids: RequestIds,
    quiet: Quiet,
    traces: Traces,
}

impl Webhook {
    /// A webhook that stores what it accepts through `ingest`.
    pub fn new(live: Live, keys: Keys, ingest: Arc<Ingest>, metrics: Arc<Metrics>, traces: Traces) -> Self {
        Self {
            memory: Budget::new(body::units(live.body_memory_bytes)),
            live: ArcSwap::from_pointee(live),
            keys: ArcSwap::from_pointee(keys),
            clients: Clients::new(),
            reading: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            ingest,
            metrics,
            activity: Arc::default(),
            ids: RequestIds::new(),
            quiet: Quiet::default(),
            traces,
        }
    }

    /// What happened last.
    pub fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.activity)
    }

    /// Goes over to other limits.
    pub fn reload(&self, live: Live) {
        self.memory.resize(body::units(live.body_memory_bytes));
        self.live.store(Arc::new(live));
    }

    /// Goes over to other secrets. A request that is being hashed finishes with those it began with.
    pub fn rotate(&self, keys: Keys) {
        self.keys.store(Arc::new(keys));
    }

    async fn handle(self: Arc<Self>, request: Request<Body>) -> Response {
        let context = Context::of(&request, self.ids.next());
        let probe = Probe::of(&request, &self.keys.load());
        let mut counted = (!probe.is_nobodys()).then(|| self.metrics.request(context.arrived));
        let span = if probe.is_nobodys() {
            Span::none()
        } else {
            self.traces
                .begin(&request, || self.parent(request.headers(), &context))
        };
        let (answer, request_type) = match *request.method() {
            Method::POST if probe.is_nobodys() => (
                probe::swallow(request, &self.live.load_full()).await,
                RequestType::None,
            ),
            Method::POST => Arc::clone(&self).post(request, &context, &span).await,
            Method::GET => (self.get(&request, probe.is_nobodys()), RequestType::Verification),
            _ => (Answer::MethodNotAllowed { allow: "GET, POST" }, RequestType::None),
        };
        if let Some(guard) = &mut counted {
            let status = match answer.counts() {
                // Stored, but Meta was not told and delivers it again.
                RequestStatus::Success if context.hung_up() => RequestStatus::Error,
                status => status,
            };
            guard.set(status, request_type);
        }
        Traces::end(&span, &answer, request_type);
        let mut response = answer.into_response();
        span.set("http.response.status_code", i64::from(response.status().as_u16()));
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::try_from(context.id) {
            headers.insert(REQUEST_ID, id);
        }
        probe.prove(&self.keys.load(), &mut response);
        response
    }

    fn get(&self, request: &Request<Body>, probe: bool) -> Answer {
        let keys = self.keys.load();
        let outcome = Handshake::decide(request.uri().query(), keys.verify_token.as_deref());
        if !probe {
            self.metrics.handshake(&outcome);
            self.activity.handshake(outcome.as_str());
        }
        match outcome {
            HandshakeOutcome::Verified { challenge } => {
                info!("the subscription handshake succeeded");
                Answer::Verified(challenge)
            }
            HandshakeOutcome::Refused(reason) => {
                let reason = reason.as_str();
                if !probe && let Some(more) = self.quiet.may_say(reason, Instant::now()) {
                    info!(reason, more, "a subscription handshake was refused");
                }
                Answer::VerificationFailed
            }
        }
    }

    /// Runs in a task of its own (see [`crate::server`]): a client that hangs up cancels nothing half-way.
    async fn post(
        self: Arc<Self>,
        request: Request<Body>,
        context: &Context,
        span: &Span,
    ) -> (Answer, RequestType) {
        let live = self.live.load_full();
        let Some(reading) = Place::take(&self.reading, live.bodies) else {
            return (Answer::Busy, RequestType::None);
        };
        // The share of the memory is held until the answer.
        let (delivery, _share) = match self.accept(request, &live, context, span).await {
            Ok(accepted) => accepted,
            Err(answer) => return (answer, RequestType::None),
        };
        drop(reading);
        // Only now: whoever cannot sign must not keep those waiting who can, however slowly he sends.
        let Some(_in_flight) = Place::take(&self.in_flight, live.in_flight_requests) else {
            return (Answer::Busy, RequestType::None);
        };
        let received = delivery.received.clone();
        let ingested = self.ingest.run(delivery, span).await;
        (
            self.answer(ingested.result, received, context),
            ingested.request_type,
        )
    }

    /// Reads a delivery and checks who signed it. Nothing of it is parsed before that.
    async fn accept(
        &self,
        request: Request<Body>,
        live: &Live,
        context: &Context,
        span: &Span,
    ) -> Result<(Delivery, Option<Share>), Answer> {
        let _verify = span.child("verify");
        let (head, body) = request.into_parts();
        if body::is_encoded(&head.headers) {
            return Err(Answer::Compressed);
        }
        let deadline = tokio::time::Instant::now() + live.body_timeout;
        let signature = match SignatureHeader::parse(&head.headers) {
            Ok(signature) => signature,
            Err(error) => {
                let drained = body::drain(body, &head.headers, live.body_bytes, deadline).await;
                drained.map_err(|unread| unread_answer(unread, false))?;
                return Err(self.unsigned(error.into(), &head.headers, live, context));
            }
        };
        let keys = self.keys.load_full();
        let mut hashing = keys.verifier.start();
        let seen = |piece: &[u8]| hashing.update(piece);
        let body = body::read(body, &head.headers, live.body_bytes, deadline, &self.memory, seen);
        let Read { bytes, share } = body.await.map_err(|unread| unread_answer(unread, true))?;
        if hashing.finish(&signature) == Verdict::Mismatch {
            if !keys.configured {
                return Err(Answer::NotConfigured);
            }
            let reason = if keys.verifier.was_retired(&bytes, &signature) {
                SignatureFailure::RetiredSecret
            } else {
                SignatureFailure::Mismatch
            };
            return Err(self.unsigned(reason, &head.headers, live, context));
        }
        let delivery = Delivery {
            body: bytes,
            received: jiff::Timestamp::now().to_string(),
            traceparent: self.parent(&head.headers, context),
            phone_number_ids: live.phone_number_ids.clone(),
            deadline: live.publish_deadline,
        };
        Ok((delivery, share))
    }

    /// The trace a request belongs to, when it came from a proxy that is believed.
    fn parent(&self, headers: &HeaderMap, context: &Context) -> Option<String> {
        let peer = context.peer.ip();
        let trusted = self
            .live
            .load()
            .trusted_proxies
            .iter()
            .any(|proxy| proxy.contains(&peer));
        if trusted { traceparent(headers) } else { None }
    }

    fn answer(&self, result: Result<Stored, Refusal>, received: String, context: &Context) -> Answer {
        let answer = match result {
            Ok(Stored::Events) => {
                self.activity.delivery("stored", received);
                Answer::Received
            }
            Ok(Stored::DeadLetter(malformed)) => {
                self.activity.delivery("dead_letter", received);
                if let Some(more) = self.quiet.may_say(malformed.as_str(), Instant::now()) {
                    warn!(request = context.id, reason = %malformed, more, "a signed body was stored as a dead letter");
                }
                Answer::Unusable(malformed)
            }
            Err(refusal) => {
                self.activity.delivery(refusal.as_str(), received);
                if let Some(more) = self.quiet.may_say(refusal.as_str(), Instant::now()) {
                    warn!(request = context.id, reason = %refusal, more, "a delivery was not stored and is answered with 503");
                }
                Answer::NotStored(refusal)
            }
        };
        debug!(request = context.id, took = ?context.arrived.elapsed(), "answered a delivery");
        answer
    }

    /// A request that nobody who knows the secret has signed.
    fn unsigned(
        &self,
        reason: SignatureFailure,
        headers: &HeaderMap,
        live: &Live,
        context: &Context,
    ) -> Answer {
        self.metrics.signature_failed(reason);
        if reason == SignatureFailure::Mismatch {
            self.activity.mismatch();
        }
        debug!(
            request = context.id,
            reason = reason.as_str(),
            "a signature was refused"
        );
        let client = clients::client_address(context.peer.ip(), headers, &live.trusted_proxies);
        if self
            .clients
            .failed(client, Instant::now(), live.bad_signatures_per_minute)
        {
            self.metrics.throttled();
            return Answer::TooManyFailures {
                retry_after: Clients::RETRY_AFTER_SECONDS,
            };
        }
        Answer::InvalidSignature
    }
}

/// Routes the webhook's path and `/health`; everything else is not ours.
pub fn router(webhook: Arc<Webhook>, path: &str) -> Router {
    let metrics = Arc::clone(&webhook.metrics);
    Router::new()
        .route(
            path,
            any(move |request: Request<Body>| Arc::clone(&webhook).handle(request)),
        )
        .route("/health", any(health))
        .fallback(move |request: Request<Body>| {
            let arrived = request
                .extensions()
                .get::<HeadersArrived>()
                .map_or_else(Instant::now, |a| a.0);
            let mut guard = metrics.request(arrived);
            guard.set(Answer::NotFound.counts(), RequestType::None);
            std::future::ready(Answer::NotFound.into_response())
        })
}

async fn health(request: Request<Body>) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD => Answer::Healthy.into_response(),
        _ => Answer::MethodNotAllowed { allow: "GET, HEAD" }.into_response(),
    }
}

fn unread_answer(unread: Unread, signed: bool) -> Answer {
    match unread {
        Unread::TooLarge => Answer::TooLarge,
        Unread::TooSlow => Answer::TooSlow { signed },
        Unread::Interrupted => Answer::Interrupted,
        Unread::Busy => Answer::Busy,
    }
}

/// One of a limited number of places, for as long as it lives.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(taken: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let place = Self(taken);
        let before = taken.fetch_add(1, Ordering::Relaxed);
        (before < limit).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
