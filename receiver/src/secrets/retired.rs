//! App secrets that were removed a short while ago.
//!
//! Meta signs with one app secret at a time. After a rotation a late delivery may still carry the old
//! signature; knowing that is worth a different line on the dashboard than an attack is.

use std::time::Duration;

use tokio::time::Instant;

use super::value::Secret;

/// How long a removed app secret is remembered.
pub const RETIRED_FOR: Duration = Duration::from_secs(24 * 3600);

/// How many removed app secrets are remembered.
pub const RETIRED_KEPT: usize = 4;

/// Removed app secrets and when they went, newest first.
#[derive(Debug, Default)]
pub(super) struct Retired(Vec<(Secret, Instant)>);

impl Retired {
    /// Notes the change from the secrets `before` to those of `now_active`.
    pub(super) fn replace(&mut self, before: &[Secret], now_active: &[Secret], now: Instant) {
        self.0.retain(|(secret, _)| !now_active.contains(secret));
        let gone = before.iter().filter(|secret| !now_active.contains(secret));
        self.0
            .splice(0..0, gone.map(|secret| (secret.clone(), now)).collect::<Vec<_>>());
        self.0.truncate(RETIRED_KEPT);
    }

    /// Forgets what is too old. True when something was.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0
            .retain(|(_, since)| now.duration_since(*since) < RETIRED_FOR);
        self.0.len() != before
    }

    /// The remembered secrets, newest first.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        self.0.iter().map(|(secret, _)| secret.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(names: &[&str]) -> Vec<Secret> {
        names.iter().map(|name| Secret::new(*name)).collect()
    }

    #[test]
    fn removed_secrets_are_kept_newest_first_and_only_a_few() {
        let now = Instant::now();
        let mut retired = Retired::default();
        retired.replace(&secrets(&["a", "b"]), &secrets(&["b", "c"]), now);
        assert_eq!(retired.secrets(), secrets(&["a"]));
        retired.replace(&secrets(&["b", "c"]), &secrets(&["d", "e", "f", "g"]), now);
        assert_eq!(retired.secrets(), secrets(&["b", "c", "a"]));
        retired.replace(&secrets(&["d", "e", "f", "g"]), &secrets(&["h"]), now);
        assert_eq!(retired.secrets(), secrets(&["d", "e", "f", "g"]));
    }

    #[test]
    fn a_secret_that_comes_back_is_no_longer_retired() {
        let now = Instant::now();
        let mut retired = Retired::default();
        retired.replace(&secrets(&["a"]), &secrets(&["b"]), now);
        retired.replace(&secrets(&["b"]), &secrets(&["a"]), now);
        assert_eq!(retired.secrets(), secrets(&["b"]));
    }

    #[test]
    fn they_are_forgotten_after_a_day() {
        let start = Instant::now();
        let mut retired = Retired::default();
        retired.replace(&secrets(&["a"]), &secrets(&["b"]), start);
        retired.replace(
            &secrets(&["b"]),
            &secrets(&["c"]),
            start + Duration::from_secs(60),
        );
        assert!(!retired.expire(start + RETIRED_FOR - Duration::from_secs(1)));
        assert!(retired.expire(start + RETIRED_FOR));
        assert_eq!(retired.secrets(), secrets(&["b"]));
    }
}
