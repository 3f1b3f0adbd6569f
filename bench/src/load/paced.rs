//! The fixed rate: requests are due at fixed instants, and a request that goes out late has waited since then.
//!
//! Threads and not tasks: a runtime's timer is a millisecond coarse, and half of that is what is to be measured.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::answer::parse;
use super::{Fate, LAST_ANSWERS, LoadError, Outcome};
use crate::corpus::Corpus;

/// Sends all deliveries of the corpus, `per_second` in each second, over at most so many connections. Blocks.
///
/// Whoever cannot keep up is given some time after the end; what is not sent then stays unsent.
///
/// # Errors
/// [`LoadError`] when a connection cannot be made.
pub fn paced(
    address: SocketAddr,
    corpus: &Arc<Corpus>,
    connections: usize,
    per_second: u32,
) -> Result<Outcome, LoadError> {
    let mut sockets = Vec::with_capacity(connections);
    for _ in 0..connections {
        sockets.push(connect(address).map_err(|error| LoadError::Io("connect to the server", error))?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now() + Duration::from_millis(20);
    let count = u32::try_from(corpus.len()).unwrap_or(u32::MAX);
    let pace = Pace {
        address,
        start,
        between: Duration::from_secs(1) / per_second.max(1),
        end: start + Duration::from_secs(1) * count / per_second.max(1) + LAST_ANSWERS / 2,
    };
    let threads: Vec<_> = sockets
        .into_iter()
        .map(|socket| {
            let (corpus, next) = (Arc::clone(corpus), Arc::clone(&next));
            thread::spawn(move || pace.keep(socket, &corpus, &next))
        })
        .collect();
    let mut outcome = Outcome::new(corpus.len());
    for thread in threads {
        let part = thread.join().map_err(|_| LoadError::Broken)?;
        outcome.reconnects += part.reconnects;
        for (place, status, took) in part.sent {
            match status {
                Some(status) => outcome.record(place, status, took),
                None => outcome.fates[place] = Fate::Unanswered,
            }
        }
    }
    outcome.elapsed = start.elapsed();
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

#[derive(Clone, Copy)]
struct Pace {
    address: SocketAddr,
    start: Instant,
    between: Duration,
    end: Instant,
}

#[derive(Default)]
struct Part {
    sent: Vec<(usize, Option<u16>, Duration)>,
    reconnects: u64,
}

impl Pace {
    fn keep(self, socket: TcpStream, corpus: &Corpus, next: &AtomicUsize) -> Part {
        // Threads are woken up to 50 us late unless they ask for better. Without it, everybody's figures are larger.
        #[cfg(target_os = "linux")]
        let _ = nix::sys::prctl::set_timerslack(1);
        let mut part = Part::default();
        let mut socket = Some(socket);
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= corpus.len() || Instant::now() >= self.end {
                return part;
            }
            let due = self.start + self.between * u32::try_from(place).unwrap_or(u32::MAX);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let request = corpus.request(place);
            let mut answered = match socket.take() {
                Some(kept) => exchange(kept, request, &mut buffer),
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            if answered.is_err() {
                part.reconnects += 1;
                answered = connect(self.address).and_then(|socket| exchange(socket, request, &mut buffer));
            }
            let took = due.elapsed();
            if let Ok((status, kept)) = answered {
                part.sent.push((place, Some(status), took));
                socket = kept;
            } else {
                part.sent.push((place, None, took));
            }
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(LAST_ANSWERS))?;
    Ok(socket)
}

/// The status, and the connection if it can be used again.
fn exchange(
    mut socket: TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> io::Result<(u16, Option<TcpStream>)> {
    socket.write_all(request)?;
    buffer.clear();
    let mut piece = [0; 4096];
    loop {
        let length = socket.read(&mut piece)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.extend_from_slice(&piece[..length]);
        if let Some(answer) = parse(buffer).map_err(|_| io::ErrorKind::InvalidData)? {
            let kept = !answer.closes && answer.length == buffer.len();
            return Ok((answer.status, kept.then_some(socket)));
        }
    }
}
