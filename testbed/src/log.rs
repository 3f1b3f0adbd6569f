//! What a child process wrote, kept in memory: to search, to wait on, to show when a test fails.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

/// The output of one child process, both its streams, in the order they arrived. Clones share the text.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes: Mutex<Vec<u8>>,
    /// Counts arrivals and ends of streams, so that a waiter can sleep until something happened.
    events: watch::Sender<u64>,
    open_streams: Mutex<usize>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            bytes: Mutex::default(),
            events: watch::Sender::new(0),
            open_streams: Mutex::default(),
        }
    }
}

/// How a wait for a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The text is there.
    Found,
    /// The process closed its output without writing it: it has ended.
    Closed,
    /// The time is over.
    TimedOut,
}

impl Log {
    /// Copies `stream` into the log on a thread of its own until the stream ends.
    pub(crate) fn follow(&self, mut stream: impl Read + Send + 'static) {
        *lock(&self.0.open_streams) += 1;
        let log = self.clone();
        thread::spawn(move || {
            let mut buffer = [0_u8; 8192];
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                lock(&log.0.bytes).extend_from_slice(&buffer[..length]);
                log.0.events.send_modify(|count| *count += 1);
            }
            *lock(&log.0.open_streams) -= 1;
            log.0.events.send_modify(|count| *count += 1);
        });
    }

    /// Everything written so far. Bytes that are not UTF-8 become replacement characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0.bytes)).into_owned()
    }

    /// Whether `needle` was written anywhere.
    pub fn contains(&self, needle: &str) -> bool {
        self.contains_after(0, needle)
    }

    /// How many bytes were written so far: a mark for [`Log::wait_for_after`].
    pub fn len(&self) -> usize {
        lock(&self.0.bytes).len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last `lines` lines, for an error message.
    pub fn tail(&self, lines: usize) -> String {
        let text = self.text();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Whether the text was printed, or is within 10 s: a process' line is read a moment after the act it tells of.
    pub async fn says(&self, needle: &str) -> bool {
        self.wait_for(needle, Duration::from_secs(10)).await == Waited::Found
    }

    /// Waits until `needle` is in the log.
    pub async fn wait_for(&self, needle: &str, limit: Duration) -> Waited {
        self.wait_for_after(0, needle, limit).await
    }

    /// Waits until `needle` is in the part of the log behind the first `mark` bytes.
    pub async fn wait_for_after(&self, mark: usize, needle: &str, limit: Duration) -> Waited {
        let mut events = self.0.events.subscribe();
        let search = async {
            loop {
                events.mark_unchanged();
                // Closed is read before the text: a stream that ends after its last word has been heard.
                let closed = *lock(&self.0.open_streams) == 0;
                if self.contains_after(mark, needle) {
                    return Waited::Found;
                }
                if closed || events.changed().await.is_err() {
                    return Waited::Closed;
                }
            }
        };
        tokio::time::timeout(limit, search)
            .await
            .unwrap_or(Waited::TimedOut)
    }

    /// Waits until the process closed its output, so that its last words are in the log.
    pub async fn wait_until_closed(&self, limit: Duration) -> bool {
        let mut events = self.0.events.subscribe();
        let closed = events.wait_for(|_| *lock(&self.0.open_streams) == 0);
        tokio::time::timeout(limit, closed).await.is_ok()
    }

    fn contains_after(&self, mark: usize, needle: &str) -> bool {
        let bytes = lock(&self.0.bytes);
        let rest = bytes.get(mark..).unwrap_or_default();
        needle.is_empty()
            || rest
                .windows(needle.len())
                .any(|window| window == needle.as_bytes())
    }
}

/// A lock that survives a panicking test thread: the data below is never left half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_when_the_text_comes_or_the_stream_closes() {
        let log = Log::default();
        let (reader, mut writer) = std::io::pipe().unwrap();
        log.follow(reader);
        std::io::Write::write_all(&mut writer, b"one\ntwo\nready\n").unwrap();
        assert_eq!(log.wait_for("ready", Duration::from_secs(5)).await, Waited::Found);
        assert_eq!(log.tail(2), "two\nready");
        assert_eq!(
            log.wait_for("never", Duration::from_millis(20)).await,
            Waited::TimedOut
        );
        let mark = log.len();
        drop(writer);
        assert_eq!(
            log.wait_for_after(mark, "ready", Duration::from_secs(5)).await,
            Waited::Closed
        );
    }
}
