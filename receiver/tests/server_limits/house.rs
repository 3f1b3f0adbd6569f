//! A server to attack: short limits, a small router, and a record of what its connections came to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wahook_receiver::server::{Closed, HeadersArrived, Hooks, Limits, Shutdown, ShutdownReport, bind, serve};

pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_millis(300);
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(1);
/// The bytes of `/big`: more than the socket buffers of both sides hold.
pub(crate) const BIG: usize = 32 << 20;

/// Waits for something that must come; the bound is only there so that a failure ends.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("this must happen within ten seconds")
}

pub(crate) fn limits() -> Limits {
    Limits {
        header_timeout: HEADER_TIMEOUT,
        idle_timeout: IDLE_TIMEOUT,
        write_timeout: Duration::from_millis(300),
        close_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// What the router shares with the test.
pub(crate) struct Desk {
    /// Gets a permit for each `/wait` that begins.
    pub(crate) waiting: Semaphore,
    /// Takes a permit for each `/wait` that may end.
    pub(crate) go: Semaphore,
    /// Requests for `/smuggled`, which no test sends openly.
    pub(crate) smuggled: AtomicUsize,
}

struct Ledger {
    closed: mpsc::UnboundedSender<Closed>,
    opened: AtomicUsize,
    refused: AtomicUsize,
}

impl Hooks for Ledger {
    fn opened(&self) {
        self.opened.fetch_add(1, Ordering::SeqCst);
    }
    fn closed(&self, why: Closed) {
        let _ = self.closed.send(why);
    }
    fn refused(&self) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) signal: CancellationToken,
    pub(crate) limits: Arc<Mutex<Limits>>,
    pub(crate) desk: Arc<Desk>,
    ledger: Arc<Ledger>,
    closed: mpsc::UnboundedReceiver<Closed>,
    server: JoinHandle<ShutdownReport>,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::with(limits())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::with_exit(limits, Duration::ZERO, Duration::from_secs(5))
    }

    pub(crate) fn with_exit(limits: Limits, endpoint_lag: Duration, grace: Duration) -> Self {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self::start(listener, limits, endpoint_lag, grace, CancellationToken::new())
    }

    pub(crate) fn start(
        listener: tokio::net::TcpListener,
        limits: Limits,
        endpoint_lag: Duration,
        grace: Duration,
        signal: CancellationToken,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (sender, closed) = mpsc::unbounded_channel();
        let ledger = Arc::new(Ledger {
            closed: sender,
            opened: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        });
        let desk = Arc::new(Desk {
            waiting: Semaphore::new(0),
            go: Semaphore::new(0),
            smuggled: AtomicUsize::new(0),
        });
        let limits = Arc::new(Mutex::new(limits));
        let current = Arc::clone(&limits);
        let server = tokio::spawn(serve(
            listener,
            router(Arc::clone(&desk)),
            Arc::new(move || *current.lock().unwrap()),
            ledger.clone(),
            Shutdown {
                signal: signal.clone(),
                endpoint_lag,
                grace,
            },
        ));
        Self {
            address,
            signal,
            limits,
            desk,
            ledger,
            closed,
            server,
        }
    }

    /// Why the next connection to end ended.
    pub(crate) async fn next_closed(&mut self) -> Closed {
        soon(self.closed.recv()).await.expect("the server is alive")
    }

    /// Returns once a request waits in `/wait`.
    pub(crate) async fn request_waits(&self) {
        soon(self.desk.waiting.acquire()).await.unwrap().forget();
    }

    pub(crate) fn let_one_go(&self) {
        self.desk.go.add_permits(1);
    }

    pub(crate) fn opened(&self) -> usize {
        self.ledger.opened.load(Ordering::SeqCst)
    }

    pub(crate) fn refused(&self) -> usize {
        self.ledger.refused.load(Ordering::SeqCst)
    }

    pub(crate) fn smuggled(&self) -> usize {
        self.desk.smuggled.load(Ordering::SeqCst)
    }

    /// The report of a server that ends by itself.
    pub(crate) async fn report(self) -> ShutdownReport {
        soon(self.server).await.expect("the server does not panic")
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/who", get(who))
        .route("/length", post(length))
        .route("/refuse", post(async || StatusCode::PAYLOAD_TOO_LARGE))
        .route("/big", get(async || Bytes::from(vec![b'.'; BIG])))
        .route("/wait", get(wait))
        .route("/smuggled", get(smuggled))
        .with_state(desk)
}

async fn who(ConnectInfo(peer): ConnectInfo<SocketAddr>, arrived: Extension<HeadersArrived>) -> String {
    assert!(arrived.0.0.elapsed() < Duration::from_secs(5));
    peer.to_string()
}

async fn length(body: Body) -> Result<String, StatusCode> {
    let bytes = to_bytes(body, 8 << 20)
        .await
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(bytes.len().to_string())
}

async fn wait(State(desk): State<Arc<Desk>>) -> &'static str {
    desk.waiting.add_permits(1);
    desk.go.acquire().await.unwrap().forget();
    "waited"
}

async fn smuggled(State(desk): State<Arc<Desk>>) -> &'static str {
    desk.smuggled.fetch_add(1, Ordering::SeqCst);
    "smuggled"
}
