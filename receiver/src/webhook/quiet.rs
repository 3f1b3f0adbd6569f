//! Log lines that an outage or a scanner would repeat for every request: the first at once, then one in a while with the
//! number of those it stands for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two lines of one kind.
const PAUSE: Duration = Duration::from_secs(5);

/// Decides which line of a kind is written. A kind is a reason out of a closed set.
#[derive(Debug, Default)]
pub(super) struct Quiet(Mutex<Vec<Kind>>);

#[derive(Debug)]
struct Kind {
    name: &'static str,
    last: Instant,
    suppressed: u64,
}

impl Quiet {
    /// `Some` with the number of lines left out since the last one when this line is to be written.
    pub(super) fn may_say(&self, name: &'static str, now: Instant) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kind) = kinds.iter_mut().find(|kind| kind.name == name) else {
            kinds.push(Kind {
                name,
                last: now,
                suppressed: 0,
            });
            return Some(0);
        };
        if now.duration_since(kind.last) < PAUSE {
            kind.suppressed += 1;
            return None;
        }
        kind.last = now;
        Some(std::mem::take(&mut kind.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_written_and_the_rest_are_counted() {
        let quiet = Quiet::default();
        let start = Instant::now();
        assert_eq!(quiet.may_say("stream_full", start), Some(0));
        assert_eq!(quiet.may_say("stream_full", start), None);
        assert_eq!(quiet.may_say("stream_full", start + PAUSE / 2), None);
        assert_eq!(
            quiet.may_say("no_stream", start),
            Some(0),
            "another kind has its own pause"
        );
        assert_eq!(quiet.may_say("stream_full", start + PAUSE), Some(2));
    }
}
