//! One connection: hyper's state machine, the watchdog beside it, and the ways out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::activity::{Activity, Alarm};
use super::hooks::Closed;
use super::limits::Limits;
use super::phase::{Course, Expiry, Timeouts};
use super::service::RequestService;
use super::shutdown::{Stage, Tally};
use super::timed_io::TimedIo;

/// hyper refuses (by panic) an HTTP/1 buffer below this.
const SMALLEST_HEADER_BYTES: usize = 8 * 1024;

/// HTTP/2 flow control. A window is what a sender may have under way, so a body of B bytes needs B/window
/// round trips: the usual 64 KiB makes 48 of the largest body we take (3 MiB), these windows 12 for one
/// stream and 3 for all together. It is also what one connection can make us hold unread, so it stays
/// well below hyper's 1 MiB for each stream.
const H2_STREAM_WINDOW: u32 = 256 * 1024;
const H2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Our answers are a few hundred bytes.
const H2_SEND_BUFFER: usize = 32 * 1024;

/// Rapid reset (CVE-2023-44487): streams the peer reset before we looked at them. Then GOAWAY.
const H2_PENDING_RESETS: usize = 20;
/// Streams we had to reset because of what the peer sent (RUSTSEC-2024-0003). Then GOAWAY.
const H2_LOCAL_RESETS: usize = 128;

/// Pings find a peer that vanished without a FIN. They do not count as use of the connection.
const H2_PING_INTERVAL: Duration = Duration::from_secs(20);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(10);

/// An accepted connection and all it needs.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) stage: Stage,
    pub(super) tally: Arc<Tally>,
    pub(super) requests: TaskTracker,
}

impl Connection {
    /// Serves the connection to its end. Dropping the socket is part of it.
    pub(super) async fn run(self) -> Closed {
        let Self {
            stream,
            peer,
            router,
            limits,
            stage,
            tally,
            requests,
        } = self;
        let activity = Activity::new(Timeouts::from(&limits));
        let service = RequestService {
            router,
            peer,
            activity: activity.clone(),
            stage: stage.clone(),
            tally,
            requests,
        };
        let io = TokioIo::new(TimedIo::new(stream, activity.clone()));
        let builder = builder(&limits);
        let connection = builder.serve_connection(io, service_fn(move |request| service.call(request)));
        tokio::pin!(connection);

        let mut course = Course::Serving;
        loop {
            tokio::select! {
                biased;
                () = stage.aborting.cancelled() => return Closed::Aborted,
                () = stage.draining.cancelled(), if course < Course::Draining => {
                    course = Course::Draining;
                    activity.proceed(course);
                }
                () = stage.closing.cancelled(), if course < Course::Closing => {
                    course = Course::Closing;
                    activity.proceed(course);
                }
                result = connection.as_mut() => return outcome(result, &activity),
                alarm = activity.alarm() => match alarm {
                    Alarm::SayGoodbye => connection.as_mut().graceful_shutdown(),
                    Alarm::Expired(expiry) => return expired(expiry),
                },
            }
        }
    }
}

/// Every limit hyper knows. The head's time limit is not hyper's: see `phase.rs`.
fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let header_bytes = limits.header_bytes.max(SMALLEST_HEADER_BYTES);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(header_bytes)
        .max_headers(limits.headers)
        .keep_alive(true)
        // A client that closes its half while it waits has hung up: no proxy does it, and only so is a
        // request that nobody waits for noticed.
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.h2_streams)
        .initial_stream_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW)
        .max_send_buf_size(H2_SEND_BUFFER)
        .max_pending_accept_reset_streams(H2_PENDING_RESETS)
        .max_local_error_reset_streams(H2_LOCAL_RESETS)
        .keep_alive_interval(H2_PING_INTERVAL)
        .keep_alive_timeout(H2_PING_TIMEOUT);
    builder
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn outcome(result: Result<(), BoxError>, activity: &Activity) -> Closed {
    match result {
        _ if activity.idled_out() => Closed::IdleTimeout,
        Ok(()) => Closed::Done,
        Err(error) => {
            // A peer's doing, and so no more than a hint for whoever looks for one.
            tracing::debug!(%error, "connection failed");
            Closed::Failed
        }
    }
}

fn expired(expiry: Expiry) -> Closed {
    match expiry {
        Expiry::Head => Closed::HeadTimeout,
        Expiry::Idle => Closed::IdleTimeout,
        Expiry::Write => Closed::WriteTimeout,
        Expiry::Close => Closed::Done,
    }
}
