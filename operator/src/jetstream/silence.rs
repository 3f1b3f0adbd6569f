//! Remembers that a broker is connected and says nothing, so that not every webhook waits for it in turn: the few workers
//! are needed for the webhooks of others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a silent broker is left alone.
const PAUSE: Duration = Duration::from_secs(20);

/// What of each JetStream domain did not answer in time.
#[derive(Debug, Default)]
pub(super) struct Silence(Mutex<HashMap<Option<String>, Silent>>);

#[derive(Debug)]
struct Silent {
    /// The stream that was looked at in vain first. One alone may just have lost its leader.
    stream: String,
    /// Until when nothing is asked, once a second stream was looked at in vain.
    until: Option<Instant>,
}

impl Silence {
    /// Whether the domain is left alone now.
    pub(super) fn is_left_alone(&self, domain: Option<&str>) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = known.get(&domain.map(ToOwned::to_owned));
        silent
            .and_then(|silent| silent.until)
            .is_some_and(|until| Instant::now() < until)
    }

    /// A look at a stream took too long.
    pub(super) fn timed_out(&self, domain: Option<&str>, stream: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = known
            .entry(domain.map(ToOwned::to_owned))
            .or_insert_with(|| Silent {
                stream: stream.to_owned(),
                until: None,
            });
        if silent.stream != stream {
            silent.until = Some(Instant::now() + PAUSE);
        }
    }

    /// It answered.
    pub(super) fn answered(&self, domain: Option<&str>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&domain.map(ToOwned::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_streams_in_vain_are_a_silent_broker() {
        let silence = Silence::default();
        silence.timed_out(None, "a");
        silence.timed_out(None, "a");
        assert!(!silence.is_left_alone(None), "it may be that stream alone");
        silence.timed_out(None, "b");
        assert!(silence.is_left_alone(None));
        assert!(!silence.is_left_alone(Some("leaf")), "another JetStream");
        tokio::time::advance(PAUSE).await;
        assert!(!silence.is_left_alone(None));
        // Still silent: the next one in vain is enough.
        silence.timed_out(None, "c");
        assert!(silence.is_left_alone(None));
        silence.answered(None);
        assert!(!silence.is_left_alone(None));
    }
}
