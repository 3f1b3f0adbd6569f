//! A TCP proxy that does to a link what networks do: delays it, silences it, cuts it, forgets one end of it.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// The most pieces that are on their way in one direction of one connection; more wait in the sender's socket.
const ON_THE_WAY: usize = 256;
/// The largest piece, in bytes.
const PIECE: usize = 16 * 1024;

/// What the link does now.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// What each byte takes, each way.
    latency: Duration,
    /// Connections stay open and nothing passes.
    silent: bool,
    /// New connections are reset.
    refusing: bool,
    /// Connections are counted in ages: a fault that hits only those that are open begins another age.
    age: u64,
    /// Connections of an age before this one are reset.
    reset_before: u64,
    /// Connections of an age before this one never pass a byte again.
    forgotten_before: u64,
}

impl Link {
    fn passes(&self, age: u64) -> bool {
        !self.silent && age >= self.forgotten_before
    }
}

/// A proxy on a loopback port of its own to one address. Dropping it closes every connection.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    link: watch::Sender<Link>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy to `upstream` that passes everything on at once.
    ///
    /// # Errors
    /// The operating system's, when there is no port.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let link = watch::Sender::new(Link::default());
        let accepting = tokio::spawn(accept(listener, upstream, link.subscribe()));
        Ok(Self {
            address,
            link,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on each byte takes this long, each way. What is on its way already takes it too.
    pub fn delay(&self, latency: Duration) {
        self.link.send_modify(|link| link.latency = latency);
    }

    /// Nothing passes, not even the end of a connection; sockets stay open, new ones are taken. What was sent meanwhile
    /// arrives after [`Self::heal`], as after a partition.
    pub fn silence(&self) {
        self.link.send_modify(|link| link.silent = true);
    }

    /// The open connections are half-open for ever: each side believes in them and hears nothing more. New ones work.
    pub fn forget(&self) {
        self.link.send_modify(|link| {
            link.age += 1;
            link.forgotten_before = link.age;
        });
    }

    /// Resets the open connections. New ones work.
    pub fn cut(&self) {
        self.link.send_modify(|link| {
            link.age += 1;
            link.reset_before = link.age;
        });
    }

    /// Resets the open connections and each new one.
    pub fn close(&self) {
        self.link.send_modify(|link| link.refusing = true);
        self.cut();
    }

    /// Passes everything on at once again. What was reset or forgotten stays so.
    pub fn heal(&self) {
        self.link.send_modify(|link| {
            link.latency = Duration::ZERO;
            link.silent = false;
            link.refusing = false;
        });
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, link: watch::Receiver<Link>) {
    // Ends with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let now = *link.borrow();
                if now.refusing {
                    reset(&client);
                } else {
                    connections.spawn(carry(client, upstream, now.age, link.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn carry(mut client: TcpStream, upstream: SocketAddr, age: u64, link: watch::Receiver<Link>) {
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        reset(&client);
        return;
    };
    // Whoever measures latencies through here must not measure Nagle's algorithm.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut fate = link.clone();
    let was_cut = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let both = async {
            tokio::join!(
                pass(from_client, to_server, age, link.clone()),
                pass(from_server, to_client, age, link)
            )
        };
        tokio::select! {
            _ = both => false,
            _ = fate.wait_for(|link| age < link.reset_before) => true,
        }
    };
    if was_cut {
        reset(&client);
        reset(&server);
    }
}

/// One direction of one connection, until it ends.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    age: u64,
    mut link: watch::Receiver<Link>,
) {
    let (pieces, mut arriving) = mpsc::channel::<(Instant, Bytes)>(ON_THE_WAY);
    let read = async move {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(PIECE);
            let Ok(1..) = from.read_buf(&mut buffer).await else {
                return;
            };
            if pieces
                .send((Instant::now(), buffer.split().freeze()))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    let write = async move {
        while let Some((read_at, piece)) = arriving.recv().await {
            wait_for_passage(&mut link, age, read_at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        wait_for_passage(&mut link, age, Instant::now()).await;
        // The other side may be gone already.
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

/// Waits until something that was read then may arrive. A change of the latency counts for what is on its way.
async fn wait_for_passage(link: &mut watch::Receiver<Link>, age: u64, read_at: Instant) {
    loop {
        let now = *link.borrow_and_update();
        let due = read_at + now.latency;
        let arrives = async {
            if now.passes(age) {
                tokio::time::sleep_until(due).await;
            } else {
                pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = arrives => return,
            changed = link.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// Makes the close of a socket a reset.
fn reset(socket: &TcpStream) {
    // A socket that is gone already needs none.
    let _ = socket.set_zero_linger();
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);
    const A_WHILE: Duration = Duration::from_millis(100);

    /// A proxy in front of a server that sends back what it gets.
    async fn echo() -> FaultProxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let (mut from, mut to) = socket.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        FaultProxy::start(address).await.unwrap()
    }

    async fn connect(proxy: &FaultProxy) -> TcpStream {
        TcpStream::connect(proxy.address()).await.unwrap()
    }

    async fn hears(socket: &mut TcpStream, limit: Duration) -> Option<io::Result<u8>> {
        tokio::time::timeout(limit, socket.read_u8()).await.ok()
    }

    #[tokio::test]
    async fn bytes_and_ends_pass_and_take_the_latency_each_way() {
        let proxy = echo().await;
        let mut socket = connect(&proxy).await;
        socket.write_u8(7).await.unwrap();
        assert_eq!(hears(&mut socket, SOON).await.unwrap().unwrap(), 7);
        proxy.delay(A_WHILE);
        let sent = Instant::now();
        socket.write_u8(8).await.unwrap();
        assert_eq!(hears(&mut socket, SOON).await.unwrap().unwrap(), 8);
        assert!(sent.elapsed() >= A_WHILE * 2, "{:?}", sent.elapsed());
        proxy.heal();
        socket.shutdown().await.unwrap();
        let end = hears(&mut socket, SOON).await.unwrap().unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn what_was_sent_in_silence_arrives_after_it() {
        let proxy = echo().await;
        let mut socket = connect(&proxy).await;
        proxy.silence();
        socket.write_u8(7).await.unwrap();
        assert!(hears(&mut socket, A_WHILE).await.is_none());
        proxy.heal();
        assert_eq!(hears(&mut socket, SOON).await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn a_forgotten_connection_stays_silent_and_a_new_one_works() {
        let proxy = echo().await;
        let mut old = connect(&proxy).await;
        old.write_u8(1).await.unwrap();
        assert_eq!(hears(&mut old, SOON).await.unwrap().unwrap(), 1);
        proxy.forget();
        let mut new = connect(&proxy).await;
        for socket in [&mut old, &mut new] {
            socket.write_u8(2).await.unwrap();
        }
        assert_eq!(hears(&mut new, SOON).await.unwrap().unwrap(), 2);
        proxy.heal();
        assert!(hears(&mut old, A_WHILE).await.is_none());
    }

    #[tokio::test]
    async fn a_cut_resets_what_is_open_and_a_closed_proxy_what_comes() {
        let proxy = echo().await;
        let mut old = connect(&proxy).await;
        old.write_u8(1).await.unwrap();
        assert_eq!(hears(&mut old, SOON).await.unwrap().unwrap(), 1);
        proxy.close();
        let end = hears(&mut old, SOON).await.unwrap().unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
        let mut refused = connect(&proxy).await;
        assert!(hears(&mut refused, SOON).await.unwrap().is_err());
        proxy.heal();
        let mut new = connect(&proxy).await;
        new.write_u8(2).await.unwrap();
        assert_eq!(hears(&mut new, SOON).await.unwrap().unwrap(), 2);
    }
}
