//! What one connection may cost: sizes, counts and times.

use std::sync::Arc;
use std::time::Duration;

/// Where the limits of the next connection come from: called once for each accepted connection.
pub type LimitsSource = Arc<dyn Fn() -> Limits + Send + Sync>;

/// The limits of one connection. [`Limits::default`] is meant for production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request head (request line and headers) before the answer is 431. At least 8 KiB:
    /// hyper's buffer cannot be smaller, a lower value counts as 8 KiB.
    pub header_bytes: usize,
    /// Header lines of an HTTP/1 request before the answer is 431.
    pub headers: usize,
    /// Time for a request head that has begun, and for the first head of a new connection.
    pub header_timeout: Duration,
    /// Time a connection may rest between two requests.
    ///
    /// Longer than the proxy in front keeps its own idle connections (nginx: 60 s), so that it is the
    /// proxy that closes first: a request sent into a connection we are closing becomes a 502.
    pub idle_timeout: Duration,
    /// Time a write may make no progress because the peer does not read.
    pub write_timeout: Duration,
    /// Time a connection that is told goodbye may take to leave: the peer's last bytes after our FIN,
    /// the end of an HTTP/2 GOAWAY, the first head of a connection accepted during a shutdown.
    pub close_timeout: Duration,
    /// Open connections, over the whole server. One more is answered 503 and closed.
    pub connections: usize,
    /// Streams open at once on one HTTP/2 connection.
    pub h2_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 32 * 1024,
            headers: 64,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            connections: 4096,
            h2_streams: 100,
        }
    }
}
