//! One request: what the router is told about it, and what its answer must say about the connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, StatusCode, Version};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::activity::Activity;
use super::shutdown::{Stage, Tally};

/// When the head of this request was complete. An extension of every request; latency counts from here,
/// so that it includes the time the body takes to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadersArrived(pub Instant);

/// Whether the client still waits for the answer: a request goes on after its client has hung up. An extension of
/// every request.
#[derive(Debug, Clone)]
pub struct Waiting(Weak<()>);

impl Waiting {
    /// Whether nobody will read the answer.
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// The router as one connection calls it.
#[derive(Clone)]
pub(super) struct RequestService {
    pub(super) router: Router,
    pub(super) peer: SocketAddr,
    pub(super) activity: Activity,
    pub(super) stage: Stage,
    pub(super) tally: Arc<Tally>,
    pub(super) requests: TaskTracker,
}

impl RequestService {
    /// Answers one request, in a task that begins here and now: hyper looks for the end of the connection before it
    /// polls an answer for the first time, and a client that hangs up after its last byte has still said everything.
    pub(super) fn call(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + use<> {
        let multiplexed = request.version() == Version::HTTP_2;
        let in_flight = InFlight::begin(self.activity.clone(), Arc::clone(&self.tally), multiplexed);
        let (request, unread) = if multiplexed {
            (request.map(Body::new), None)
        } else {
            let (request, unread) = watch_body(request);
            (request, Some(unread))
        };
        let waiting = Arc::new(());
        let request = self.with_extensions(request, Waiting(Arc::downgrade(&waiting)));
        let answer = self.requests.spawn(self.router.clone().call(request));
        let closing = self.stage.closing.clone();
        async move {
            // The task ends without an answer only when the router panicked.
            let mut response = match answer.await {
                Ok(answer) => answer?,
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            };
            // HTTP/2 has GOAWAY for this and forbids the header.
            if let Some(unread) = unread
                && (unread.load(Ordering::Relaxed) || closing.is_cancelled())
            {
                response
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            in_flight.answered();
            drop(waiting);
            Ok(response)
        }
    }

    fn with_extensions(&self, mut request: Request<Body>, waiting: Waiting) -> Request<Body> {
        let extensions = request.extensions_mut();
        extensions.insert(waiting);
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(HeadersArrived(Instant::now()));
        request
    }
}

/// Counts a request from its head to its answer, or to the moment its client gave up.
struct InFlight {
    activity: Activity,
    tally: Arc<Tally>,
    answered: bool,
}

impl InFlight {
    fn begin(activity: Activity, tally: Arc<Tally>, multiplexed: bool) -> Self {
        activity.request_begun(multiplexed);
        tally.begin();
        Self {
            activity,
            tally,
            answered: false,
        }
    }

    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.tally.end(self.answered);
        self.activity.request_done();
    }
}

/// A request body that remembers whether it was read to its end.
///
/// An HTTP/1 connection cannot be used again while a refused body is still coming in. hyper then closes
/// it, or not, depending on how much has arrived; the answer says so, so that no proxy keeps it.
struct WatchedBody {
    incoming: Incoming,
    unread: Arc<AtomicBool>,
}

fn watch_body(request: Request<Incoming>) -> (Request<Body>, Arc<AtomicBool>) {
    let unread = Arc::new(AtomicBool::new(!http_body::Body::is_end_stream(request.body())));
    let watched = Arc::clone(&unread);
    (
        request.map(|incoming| {
            Body::new(WatchedBody {
                incoming,
                unread: watched,
            })
        }),
        unread,
    )
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        if frame.is_none() || self.incoming.is_end_stream() {
            self.unread.store(false, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
