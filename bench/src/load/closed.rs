//! The closed loop: on one thread, every connection busy all the time.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::answer::parse;
use super::{Fate, LAST_ANSWERS, LoadError, Outcome};
use crate::corpus::Corpus;

/// Sends deliveries over so many connections until the time is over or all are sent. Blocks.
///
/// # Errors
/// [`LoadError`] when a connection cannot be made.
pub fn closed(
    address: SocketAddr,
    corpus: &Arc<Corpus>,
    connections: usize,
    time: Duration,
) -> Result<Outcome, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| LoadError::Io("start the load generator", error))?;
    let shared = Rc::new(Shared {
        address,
        corpus: Arc::clone(corpus),
        next: Cell::new(0),
        stop: Cell::new(Instant::now()),
        outcome: RefCell::new(Outcome::new(corpus.len())),
    });
    let work = LocalSet::new();
    let elapsed = work.block_on(&runtime, async {
        let mut sockets = Vec::with_capacity(connections);
        for _ in 0..connections {
            let socket = connect(address).await;
            sockets.push(socket.map_err(|error| LoadError::Io("connect to the server", error))?);
        }
        let start = Instant::now();
        shared.stop.set(start + time);
        let tasks: Vec<_> = sockets
            .into_iter()
            .map(|socket| tokio::task::spawn_local(Rc::clone(&shared).keep_busy(socket)))
            .collect();
        let all = async {
            for task in tasks {
                task.await.map_err(|_| LoadError::Broken)?;
            }
            Ok(())
        };
        // What hangs then stays unanswered.
        if let Ok(ended) = tokio::time::timeout(time + LAST_ANSWERS, all).await {
            ended?;
        }
        Ok::<_, LoadError>(start.elapsed())
    })?;
    drop(work);
    let mut outcome = shared.outcome.replace(Outcome::new(0));
    outcome.elapsed = elapsed;
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

struct Shared {
    address: SocketAddr,
    corpus: Arc<Corpus>,
    next: Cell<usize>,
    stop: Cell<Instant>,
    outcome: RefCell<Outcome>,
}

impl Shared {
    async fn keep_busy(self: Rc<Self>, socket: TcpStream) {
        let mut socket = Some(socket);
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let place = self.next.get();
            if place >= self.corpus.len() || Instant::now() >= self.stop.get() {
                return;
            }
            self.next.set(place + 1);
            if let Some(fate) = self.outcome.borrow_mut().fates.get_mut(place) {
                *fate = Fate::Unanswered;
            }
            let sent = Instant::now();
            let request = self.corpus.request(place);
            let mut answered = match socket.take() {
                Some(kept) => exchange(kept, request, &mut buffer).await,
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            if answered.is_err() {
                // The server may have closed a connection that rested: once more on a new one.
                self.outcome.borrow_mut().reconnects += 1;
                answered = match connect(self.address).await {
                    Ok(new) => exchange(new, request, &mut buffer).await,
                    Err(error) => Err(error),
                };
            }
            if let Ok((status, kept)) = answered {
                self.outcome.borrow_mut().record(place, status, sent.elapsed());
                socket = kept;
            } else {
                // Nobody is there: do not spin.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// The status, and the connection if it can be used again.
async fn exchange(
    mut socket: TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> io::Result<(u16, Option<TcpStream>)> {
    socket.write_all(request).await?;
    buffer.clear();
    loop {
        if socket.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(answer) = parse(buffer).map_err(|_| io::ErrorKind::InvalidData)? {
            let kept = !answer.closes && answer.length == buffer.len();
            return Ok((answer.status, kept.then_some(socket)));
        }
    }
}
