//! The load: whole requests out of a corpus over kept connections, as cheaply as possible, since the generator shares the
//! machine with what it measures.
//!
//! | | |
//! |---|---|
//! | [`closed()`] | each connection sends the next request when it has the answer to the last: how much can be had |
//! | [`paced()`] | requests go out at a fixed rate, whatever the answers do: how long one waits |

mod answer;
mod closed;
mod paced;

use std::time::Duration;

pub use closed::closed;
pub use paced::paced;

/// How long answers are awaited when no more requests are sent.
const LAST_ANSWERS: Duration = Duration::from_secs(20);

/// The load could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No connection, thread or runtime.
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
    /// A thread of the generator ended early.
    #[error("the load generator broke; this is a defect of the benchmark")]
    Broken,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was not sent: the time was over.
    Unsent,
    /// No whole answer came.
    Unanswered,
    /// This status came.
    Answered(u16),
}

/// What a load brought.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What became of each delivery of the corpus.
    pub fates: Vec<Fate>,
    /// How long each answered one took, in microseconds: in the closed loop since it was sent, at a fixed rate since it
    /// was due. Shortest first.
    pub latencies: Vec<u32>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// How often a connection was made again.
    pub reconnects: u64,
}

impl Outcome {
    fn new(count: usize) -> Self {
        Self {
            fates: vec![Fate::Unsent; count],
            latencies: Vec::with_capacity(count),
            elapsed: Duration::ZERO,
            reconnects: 0,
        }
    }

    /// How many deliveries were answered.
    pub fn answered(&self) -> usize {
        self.latencies.len()
    }

    fn record(&mut self, place: usize, status: u16, took: Duration) {
        if let Some(fate) = self.fates.get_mut(place) {
            *fate = Fate::Answered(status);
        }
        self.latencies
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }
}
