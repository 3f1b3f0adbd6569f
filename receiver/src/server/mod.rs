//! The HTTP server: an accept loop of our own on hyper, because `axum::serve` sets none of the limits
//! that an endpoint open to the whole internet needs.
//!
//! ```text
//! listen.rs      bind, accept, survive a shortage of descriptors, empty the backlog
//! connection.rs  one task per connection: hyper, its watchdog, its way out
//! phase.rs       what a connection is waiting for and until when (pure)
//! activity.rs    that state, shared between socket, service and watchdog
//! timed_io.rs    the socket, reporting to it
//! service.rs     one request: what the router is told, what the answer must say
//! shutdown.rs    the phases of a graceful exit
//! ```
//!
//! The router must answer every request in bounded time (body read included) with a body it holds in
//! memory: between the head of a request and its answer the server itself sets no deadline.

mod activity;
mod connection;
mod hooks;
mod limits;
mod listen;
mod phase;
mod refuse;
mod service;
mod shutdown;
mod timed_io;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::TaskTracker;

pub use self::hooks::{Closed, Hooks, NoHooks};
pub use self::limits::{Limits, LimitsSource};
pub use self::listen::{BACKLOG, BindError, bind};
pub use self::service::{HeadersArrived, Waiting};
pub use self::shutdown::{Shutdown, ShutdownReport};

use self::connection::Connection;
use self::hooks::OpenConnection;
use self::listen::Acceptor;
use self::shutdown::{Stage, Tally};

/// Serves `router` on `listener` until `shutdown` is signalled and its phases are over.
///
/// `limits` is read once for each accepted connection, so a reload holds for every connection that
/// comes after it. Each request carries `ConnectInfo<SocketAddr>` and [`HeadersArrived`] as extensions.
///
/// Accept errors never end the loop: it returns only through `shutdown`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: LimitsSource,
    hooks: Arc<dyn Hooks>,
    shutdown: Shutdown,
) -> ShutdownReport {
    let Shutdown {
        signal,
        endpoint_lag,
        grace,
    } = shutdown;
    let house = House {
        router,
        limits,
        hooks: Arc::clone(&hooks),
        stage: Stage::new(signal.clone()),
        tally: Arc::default(),
        connections: TaskTracker::new(),
        requests: TaskTracker::new(),
    };
    let mut acceptor = Acceptor::new(listener, hooks);

    let lag_is_over = async {
        signal.cancelled().await;
        // Even a sleep of no length takes a tick of the timer.
        if !endpoint_lag.is_zero() {
            sleep(endpoint_lag).await;
        }
    };
    tokio::pin!(lag_is_over);
    loop {
        tokio::select! {
            biased;
            () = &mut lag_is_over => break,
            (stream, peer) = acceptor.accept() => house.admit(stream, peer),
        }
    }

    let answered_before = house.tally.answered();
    // The kernel has already completed these handshakes: closing the listener now would reset them.
    for (stream, peer) in acceptor.into_backlog() {
        house.admit(stream, peer);
    }
    house.stage.draining.cancel();
    house.connections.close();
    let end = Instant::now() + grace;
    let in_time = timeout_at(end, house.connections.wait()).await.is_ok();
    let report = ShutdownReport {
        finished: house.tally.answered() - answered_before,
        aborted: if in_time { 0 } else { house.tally.in_flight() },
    };
    house.stage.aborting.cancel();
    house.connections.wait().await;
    // Those whose clients have hung up. What is still running at the end was counted as aborted, or nobody waits for it.
    house.requests.close();
    let _ = timeout_at(end, house.requests.wait()).await;
    report
}

/// What every connection shares.
struct House {
    router: Router,
    limits: LimitsSource,
    hooks: Arc<dyn Hooks>,
    stage: Stage,
    tally: Arc<Tally>,
    connections: TaskTracker,
    /// Requests, whether or not their connections still live.
    requests: TaskTracker,
}

impl House {
    /// Gives the connection a task of its own, or turns it away when the house is full.
    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        let limits = (self.limits)();
        if self.connections.len() >= limits.connections {
            self.hooks.refused();
            refuse::refuse(stream);
            return;
        }
        let connection = Connection {
            stream,
            peer,
            router: self.router.clone(),
            limits,
            stage: self.stage.clone(),
            tally: Arc::clone(&self.tally),
            requests: self.requests.clone(),
        };
        let open = OpenConnection::new(Arc::clone(&self.hooks));
        self.connections.spawn(async move {
            let why = connection.run().await;
            open.close(why);
        });
    }
}
