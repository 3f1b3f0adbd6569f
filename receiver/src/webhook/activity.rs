//! What happened last, for the status page and the operator's `Receiving` condition.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// The last handshake and the last delivery of each outcome.
#[derive(Debug, Default)]
pub struct Activity(Mutex<Seen>);

/// What was seen last. Times are RFC 3339 in UTC.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Seen {
    /// The last handshake: when, and `verified` or why not.
    pub last_handshake: Option<Handshake>,
    /// The last signed delivery by outcome (`stored`, `dead_letter`, or why it was not stored).
    pub last_delivery: BTreeMap<String, String>,
    /// The requests whose signature no app secret made.
    pub mismatches: Mismatches,
}

/// The requests whose signature no app secret made: of a wrong secret, or of a stranger.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Mismatches {
    /// When the last one came.
    pub last: Option<String>,
    /// How many there were since the last signed delivery.
    pub since_delivery: u64,
}

/// One handshake.
#[derive(Debug, Clone, Serialize)]
pub struct Handshake {
    /// When it came.
    pub at: String,
    /// `verified`, or why not.
    pub outcome: &'static str,
}

impl Activity {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn handshake(&self, outcome: &'static str) {
        let at = jiff::Timestamp::now().to_string();
        self.lock().last_handshake = Some(Handshake { at, outcome });
    }

    pub(super) fn delivery(&self, outcome: &str, at: String) {
        let mut seen = self.lock();
        seen.mismatches.since_delivery = 0;
        if let Some(last) = seen.last_delivery.get_mut(outcome) {
            *last = at;
        } else {
            seen.last_delivery.insert(outcome.to_owned(), at);
        }
    }

    pub(super) fn mismatch(&self) {
        let at = jiff::Timestamp::now().to_string();
        let mismatches = &mut self.lock().mismatches;
        mismatches.last = Some(at);
        mismatches.since_delivery += 1;
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }
}
