//! Binding and accepting.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::hooks::Hooks;

/// Completed handshakes the kernel keeps for us while the accept loop is busy. Linux lowers it to
/// `net.core.somaxconn` where that is smaller.
pub const BACKLOG: i32 = 1024;

/// The pauses between two attempts to accept while the process or host is out of a resource.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; free the port or choose another address")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
}

/// Listens on `address`, with a backlog of [`BACKLOG`] and `SO_REUSEADDR`, so that a restart need not
/// wait for the old connections' TIME-WAIT. `[::]` also takes IPv4.
///
/// # Errors
/// [`BindError`] when the address is in use, not ours or not allowed. Must be called inside a Tokio
/// runtime.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    listen(address).map_err(|source| BindError { address, source })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The accept loop's half that knows about errors.
pub(super) struct Acceptor {
    listener: TcpListener,
    hooks: Arc<dyn Hooks>,
    /// The pause after the last attempt, while attempts fail.
    pause: Option<Duration>,
}

impl Acceptor {
    pub(super) fn new(listener: TcpListener, hooks: Arc<dyn Hooks>) -> Self {
        Self {
            listener,
            hooks,
            pause: None,
        }
    }

    /// The next connection. Waits out every error; cancel safe.
    pub(super) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    if self.pause.take().is_some() {
                        tracing::info!("accepting connections again");
                    }
                    return prepare(stream, peer);
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => self.wait_out(&error).await,
            }
        }
    }

    /// Out of descriptors or memory: the connection stays in the backlog, so trying again at once would
    /// only spin. Logged when it begins, not each time.
    async fn wait_out(&mut self, error: &io::Error) {
        self.hooks.accept_failed();
        let pause = match self.pause {
            None => {
                tracing::warn!(%error, "cannot accept connections; raise the limit of open files or lower the connection cap");
                SHORTEST_PAUSE
            }
            Some(last) => (last * 2).min(LONGEST_PAUSE),
        };
        self.pause = Some(pause);
        sleep(pause).await;
    }

    /// Closes the listener and hands out what its backlog held.
    ///
    /// Asks the kernel directly: Tokio answers from the readiness it last heard of, and would leave
    /// behind a connection that arrived since.
    pub(super) fn into_backlog(self) -> Vec<(TcpStream, SocketAddr)> {
        let Ok(listener) = self.listener.into_std() else {
            return Vec::new();
        };
        let mut backlog = Vec::new();
        loop {
            match listener.accept() {
                Ok((stream, peer)) => {
                    let stream = stream
                        .set_nonblocking(true)
                        .and_then(|()| TcpStream::from_std(stream));
                    backlog.extend(stream.ok().map(|stream| prepare(stream, peer)));
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(_) => return backlog,
            }
        }
    }
}

/// Sends answers at once, and sees an IPv4 peer as IPv4 also where it came in through `[::]`.
fn prepare(stream: TcpStream, peer: SocketAddr) -> (TcpStream, SocketAddr) {
    // Fails only for a peer that is already gone; the first read will notice.
    let _ = stream.set_nodelay(true);
    (stream, SocketAddr::new(peer.ip().to_canonical(), peer.port()))
}

/// Whether the error concerns a connection that died in the backlog, and the next may well be fine.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Default)]
    struct Failures(AtomicU32);

    impl Hooks for Failures {
        fn accept_failed(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn loopback() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_and_told_what_to_do() {
        let taken = bind(loopback()).unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address).unwrap_err();
        assert_eq!(error.address, address);
        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains("free the port"), "{error}");
    }

    #[tokio::test]
    async fn a_shortage_is_waited_out_longer_each_time_and_forgotten_after_success() {
        let failures = Arc::new(Failures::default());
        let listener = bind(loopback()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut acceptor = Acceptor::new(listener, failures.clone());
        let shortage = io::Error::other("too many open files");
        acceptor.wait_out(&shortage).await;
        assert_eq!(acceptor.pause, Some(SHORTEST_PAUSE));
        acceptor.wait_out(&shortage).await;
        assert_eq!(acceptor.pause, Some(SHORTEST_PAUSE * 2));
        assert_eq!(failures.0.load(Ordering::SeqCst), 2);

        let client = TcpStream::connect(address).await.unwrap();
        let (stream, peer) = acceptor.accept().await;
        assert_eq!(acceptor.pause, None);
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn the_backlog_is_handed_out_to_the_last_connection() {
        let listener = bind(loopback()).unwrap();
        let address = listener.local_addr().unwrap();
        // Blocking connects: Tokio's driver has no chance to hear of them.
        let clients: Vec<_> = (0..3)
            .map(|_| std::net::TcpStream::connect(address).unwrap())
            .collect();
        let acceptor = Acceptor::new(listener, Arc::new(Failures::default()));
        let peers: Vec<_> = acceptor
            .into_backlog()
            .into_iter()
            .map(|(_, peer)| peer)
            .collect();
        let expected: Vec<_> = clients
            .iter()
            .map(|client| client.local_addr().unwrap())
            .collect();
        assert_eq!(peers, expected);
        assert!(std::net::TcpStream::connect(address).is_err());
    }

    #[tokio::test]
    async fn an_ipv4_peer_of_a_dual_stack_socket_looks_like_ipv4() {
        // A host without IPv6 cannot show it.
        let Ok(listener) = bind("[::]:0".parse().unwrap()) else {
            return;
        };
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (_, peer) = Acceptor::new(listener, Arc::new(Failures::default()))
            .accept()
            .await;
        assert_eq!(peer, client.local_addr().unwrap());
    }
}
