//! Follows the secrets directory: polls it, takes over good changes, keeps the last good set.
//!
//! Polling survives everything notifications do not: Kubernetes' swap of the `..data` symlink, files replaced
//! in place, a directory that goes away and comes back.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::config::Problem;

use super::files::{SecretsSource, Snapshot};
use super::handle::SecretsHandle;
use super::load::{Load, evaluate};
use super::retired::Retired;
use super::set::SecretSet;
use super::settle::{Digest, Settle};

/// Polls the files of one [`SecretsSource`].
#[derive(Debug)]
pub struct SecretsWatcher {
    source: SecretsSource,
    poll: Duration,
    settle: Settle,
    accepted: Option<Digest>,
    retired: Retired,
    handle: SecretsHandle,
}

impl SecretsWatcher {
    /// Reads the files once, so that a receiver that has its secrets is ready without waiting. Blocks on the
    /// file system.
    ///
    /// Missing or bad files are no error: the receiver starts, is not ready, and heals when the files do.
    /// `poll` is [`super::POLL`] outside tests.
    pub fn start(source: SecretsSource, poll: Duration) -> Self {
        let snapshot = source.read();
        let mut watcher = Self {
            source,
            poll,
            settle: Settle::default(),
            accepted: None,
            retired: Retired::default(),
            handle: SecretsHandle::new(),
        };
        watcher.settle.assume(snapshot.digest());
        watcher.take(&snapshot, Instant::now());
        // What was there at the start is not a change.
        watcher.handle.forget_changes();
        watcher
    }

    /// The handle to read the secrets by.
    pub fn handle(&self) -> SecretsHandle {
        self.handle.clone()
    }

    /// Polls until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let source = self.source.clone();
            if let Ok(snapshot) = tokio::task::spawn_blocking(move || source.read()).await {
                self.look_at(&snapshot, Instant::now());
            }
        }
    }

    fn look_at(&mut self, snapshot: &Snapshot, now: Instant) {
        if self.settle.is_new(snapshot.digest()) {
            self.take(snapshot, now);
        }
        if self.retired.expire(now) {
            let status = self.handle.status();
            let set = SecretSet {
                retired: self.retired.secrets(),
                ..SecretSet::clone(&self.handle.current())
            };
            self.handle
                .publish(set, status.generation, status.loaded_at, status.last_error);
        }
    }

    fn take(&mut self, snapshot: &Snapshot, now: Instant) {
        let digest = snapshot.digest();
        if self.accepted == Some(digest) {
            return self.recover();
        }
        match evaluate(&self.source, snapshot) {
            Load::Loaded(set) => {
                self.accepted = Some(digest);
                self.accept(set, now);
            }
            Load::Missing { reasons, partial } => self.wait(&reasons, partial),
            Load::Invalid(problems) => self.refuse(&problems),
        }
    }

    fn accept(&mut self, set: SecretSet, now: Instant) {
        self.retired
            .replace(&self.handle.current().app_secrets, &set.app_secrets, now);
        let generation = self.handle.status().generation + 1;
        for warning in &set.warnings {
            tracing::warn!(%warning, "a secret is unusual");
        }
        tracing::info!(generation, app_secrets = set.app_secrets.len(), "secrets loaded");
        let set = SecretSet {
            retired: self.retired.secrets(),
            ..set
        };
        self.handle.publish(set, generation, Some(Timestamp::now()), None);
    }

    /// Before the first whole set, what is there is already of use: the connection to the broker can be made.
    /// Afterwards a whole set is never given up for a part.
    fn wait(&self, reasons: &[Problem], partial: SecretSet) {
        let error = lines(reasons);
        if self.accepted.is_some() {
            tracing::warn!(%error, "secrets are missing; the last good ones stay");
            self.handle.set_error(Some(error));
        } else {
            tracing::warn!(%error, "waiting for secrets; nothing can be verified before");
            self.handle.publish(partial, 0, None, Some(error));
        }
    }

    fn refuse(&self, problems: &[Problem]) {
        let error = lines(problems);
        tracing::warn!(%error, "secrets cannot be used; the last good ones stay");
        self.handle.set_error(Some(error));
    }

    fn recover(&self) {
        if self.handle.status().last_error.is_some() {
            tracing::info!("the secrets are good again");
            self.handle.set_error(None);
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::RETIRED_FOR;
    use super::*;

    const TOKEN: &str = "a-verify-token-for-tests";

    #[test]
    fn half_a_secret_is_never_taken_over_and_a_retired_one_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| std::fs::write(dir.path().join(name), content).unwrap();
        write("verify-token", TOKEN);
        write("app-secret-1", "0123456789abcdef0123456789abcdef");
        let mut watcher = SecretsWatcher::start(SecretsSource::directory(dir.path()), Duration::MAX);
        let start = Instant::now();
        let look = |watcher: &mut SecretsWatcher, later: Duration| {
            let snapshot = watcher.source.read();
            watcher.look_at(&snapshot, start + later);
            let status = watcher.handle.status();
            (status.generation, status.retired_app_secrets)
        };

        // Long enough to pass for a secret, and only half of one.
        write("app-secret-1", "fedcba9876543210");
        assert_eq!(look(&mut watcher, Duration::ZERO), (1, 0));
        write("app-secret-1", "fedcba9876543210fedcba9876543210");
        assert_eq!(look(&mut watcher, Duration::ZERO), (1, 0));
        assert_eq!(look(&mut watcher, Duration::ZERO), (2, 1));
        assert_eq!(watcher.handle.current().app_secrets[0].expose().len(), 32);

        assert_eq!(look(&mut watcher, RETIRED_FOR / 2), (2, 1));
        assert_eq!(
            look(&mut watcher, RETIRED_FOR),
            (2, 0),
            "forgotten without a new generation"
        );
        assert!(watcher.handle.current().retired.is_empty());
        assert!(watcher.handle.current().is_complete());
    }
}
