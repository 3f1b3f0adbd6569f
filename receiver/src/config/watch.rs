//! Follows the configuration file: polls it, takes over what needs no restart, keeps the last good settings.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::reload::{ReloadHandle, Reloadable};
use super::settings::Config;
use crate::secrets::settle::{Digest, Settle};

/// Polls one configuration file. Polling survives what notifications do not: swapped symlinks, files replaced
/// by others.
#[derive(Debug)]
pub struct ConfigWatcher {
    path: PathBuf,
    started_with: Config,
    poll: Duration,
    settle: Settle,
    accepted: Option<Digest>,
    handle: ReloadHandle,
}

impl ConfigWatcher {
    /// Follows the file `config` was read from. Give the settings as they were read, before options of the
    /// command line change them: the file is compared with these. `poll` is [`crate::secrets::POLL`] outside
    /// tests.
    pub fn new(path: PathBuf, config: Config, unknown_keys: Vec<String>, poll: Duration) -> Self {
        let handle = ReloadHandle::new(&config, unknown_keys);
        Self {
            path,
            started_with: config,
            poll,
            settle: Settle::default(),
            accepted: None,
            handle,
        }
    }

    /// The handle to read the settings by.
    pub fn handle(&self) -> ReloadHandle {
        self.handle.clone()
    }

    /// Polls until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let path = self.path.clone();
            let read = tokio::task::spawn_blocking(move || read(&path)).await;
            if let Ok(read) = read {
                self.look_at(read);
            }
        }
    }

    fn look_at(&mut self, read: Result<String, io::ErrorKind>) {
        let digest = match &read {
            Ok(text) => Digest::of([text.as_bytes()]),
            Err(kind) => Digest::of([b"cannot be read".as_slice(), kind.to_string().as_bytes()]),
        };
        if !self.settle.is_new(digest) {
            return;
        }
        let text = match read {
            Ok(text) => text,
            Err(kind) => return self.refuse(format!("the configuration file cannot be read: {kind}")),
        };
        if self.accepted == Some(digest) {
            return self.recover();
        }
        match super::parse(&text) {
            Ok((config, unknown_keys)) => self.accept(digest, &config, unknown_keys),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    fn accept(&mut self, digest: Digest, config: &Config, unknown_keys: Vec<String>) {
        self.recover();
        let settings = Reloadable::from(config);
        let restart_needed = self.started_with.restart_needed(config);
        // The first look finds what the receiver was started with.
        let first = self.accepted.replace(digest).is_none();
        let as_started = restart_needed.is_empty()
            && settings == *self.handle.current()
            && unknown_keys == self.handle.status().unknown_keys;
        if first && as_started {
            return;
        }
        if !restart_needed.is_empty() {
            tracing::warn!(settings = ?restart_needed, "changed settings need a restart");
        }
        if !unknown_keys.is_empty() {
            tracing::warn!(keys = ?unknown_keys, "unknown keys in the configuration file");
        }
        self.handle.accept(settings, restart_needed, unknown_keys);
        tracing::info!(
            generation = self.handle.status().generation,
            "configuration file reloaded"
        );
    }

    fn refuse(&self, error: String) {
        tracing::warn!(%error, "the configuration file cannot be used; the last good settings stay");
        self.handle.set_error(Some(error));
    }

    fn recover(&self) {
        if self.handle.status().last_error.is_some() {
            tracing::info!("the configuration file is good again");
            self.handle.set_error(None);
        }
    }
}

fn read(path: &Path) -> Result<String, io::ErrorKind> {
    std::fs::read_to_string(path).map_err(|error| error.kind())
}
