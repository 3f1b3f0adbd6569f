//! How long each webhook waits after a failure: longer each time, at once short again after a success.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);
/// After so many doublings the longest pause is reached.
const MOST_DOUBLINGS: u32 = 9;

/// How often each webhook has failed in a row, by `namespace/name`.
#[derive(Debug, Default)]
pub struct Backoff(Mutex<HashMap<String, u32>>);

impl Backoff {
    /// Notes a failure and answers how long to wait.
    pub fn failed(&self, webhook: &str) -> Duration {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(webhook.to_owned()).or_default();
        let pause = FIRST
            .saturating_mul(2_u32.pow((*count).min(MOST_DOUBLINGS)))
            .min(LONGEST);
        *count = count.saturating_add(1);
        jitter(pause)
    }

    /// Notes a success.
    pub fn succeeded(&self, webhook: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(webhook);
    }

    /// Forgets webhooks that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|webhook, _| exists(webhook));
    }
}

/// A fifth more or less, so that many webhooks do not come at the same moment.
pub(super) fn jitter(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.8..1.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_begin_again() {
        let backoff = Backoff::default();
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
            let pause = backoff.failed("shop/a").as_secs_f64();
            let expected = f64::from(seconds);
            assert!(
                (expected * 0.8..expected * 1.2).contains(&pause),
                "{seconds}: {pause}"
            );
        }
        assert!(
            backoff.failed("shop/b") < Duration::from_secs(2),
            "each has its own"
        );
        backoff.succeeded("shop/a");
        assert!(backoff.failed("shop/a") < Duration::from_secs(2));
        backoff.retain(|webhook| webhook != "shop/b");
        assert!(backoff.failed("shop/b") < Duration::from_secs(2));
    }
}
