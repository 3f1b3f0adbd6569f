//! The answer to a connection beyond the cap: written without waiting, by the accept loop itself.

use std::io::{Read, Write};
use std::net::Shutdown;

use tokio::net::TcpStream;

const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Retry-After: 1\r\n\
    Content-Length: 0\r\n\
    Connection: close\r\n\r\n";

/// How much of a request that has already arrived is read away.
const READS: usize = 16;

/// Says 503 and closes. Best effort: a connection that is refused must cost nothing that a full house
/// does not have, so there is no task, no timer and no second attempt.
pub(super) fn refuse(stream: TcpStream) {
    // The socket itself, which is non-blocking: Tokio has not heard of its readiness yet.
    let Ok(mut stream) = stream.into_std() else {
        return;
    };
    if stream.write_all(ANSWER).is_err() || stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    // Closing a socket with unread bytes sends a reset, and a reset overtakes the answer.
    let mut scratch = [0; 4096];
    for _ in 0..READS {
        if !matches!(stream.read(&mut scratch), Ok(1..)) {
            return;
        }
    }
}
