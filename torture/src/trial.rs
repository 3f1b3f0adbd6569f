//! What a run is given and what it came to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::history::{Ended, History, Verdict};

/// What a run is given.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The receiver's program; `None` for the one beside the running program.
    pub receiver: Option<PathBuf>,
    /// How many events are delivered at least: the load goes on until the last strike is over.
    pub events: u64,
    /// How often the fault strikes.
    pub strikes: u32,
    /// Chooses the deliveries.
    pub seed: u64,
    /// New deliveries a second.
    pub rate: u64,
    /// The receiver's `limits.publishDeadline`.
    pub deadline: Duration,
}

impl Ground {
    /// As `cargo xtask torture` runs each mix: the receiver's own deadline, five strikes.
    pub fn long(events: u64, seed: u64) -> Self {
        Self {
            receiver: None,
            events,
            strikes: 5,
            seed,
            rate: 1000,
            deadline: Duration::from_secs(4),
        }
    }

    /// As the tests run each mix: fewer events, one strike, and half the deadline, since most waits here are for it.
    pub fn short() -> Self {
        Self {
            strikes: 1,
            rate: 150,
            deadline: Duration::from_secs(2),
            ..Self::long(1000, 1)
        }
    }

    /// Room for every event and as much again.
    pub fn stream_bytes(&self) -> u64 {
        64 * 1024 * 1024 + self.events * 2048
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// The mix.
    pub name: &'static str,
    /// Events that were delivered.
    pub events: u64,
    /// Bodies they were in.
    pub deliveries: usize,
    /// POSTs, by what was answered.
    pub answers: BTreeMap<u16, usize>,
    /// POSTs without a whole answer.
    pub unanswered: usize,
    /// How often the fault struck.
    pub strikes: u32,
    /// Messages in the stream in the end.
    pub stored: usize,
    /// The slowest attempt.
    pub slowest: Duration,
    /// 99 of 100 attempts of the load itself, without what went on beside it, were over by then.
    pub p99: Duration,
    /// How long it took.
    pub took: Duration,
    /// What the judge said.
    pub verdict: Verdict,
    /// What is not a promise and worth telling.
    pub notes: Vec<String>,
    /// What was broken beside the verdict: a panic, an outage where there must be none.
    pub broken: Vec<String>,
}

impl Trial {
    /// Counts what the client saw.
    pub fn count(&mut self, history: &History) {
        self.deliveries = history.deliveries.len();
        self.events = history
            .deliveries
            .iter()
            .map(|d| d.events.end - d.events.start)
            .sum();
        for attempt in history.deliveries.iter().flat_map(|delivery| &delivery.attempts) {
            match attempt.how {
                Ended::Status(status) => *self.answers.entry(status).or_default() += 1,
                Ended::Nothing => self.unanswered += 1,
            }
            self.slowest = self.slowest.max(attempt.ended.saturating_sub(attempt.sent));
        }
    }

    /// Attempts that were not answered 200.
    pub fn failed(&self) -> usize {
        let other = self.answers.iter().filter(|(status, _)| **status != 200);
        other.map(|(_, count)| count).sum::<usize>() + self.unanswered
    }

    /// Every promise that was not kept.
    pub fn violations(&self) -> Vec<String> {
        [self.verdict.broken(), self.broken.clone()].concat()
    }
}
