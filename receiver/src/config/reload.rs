//! The settings that follow the configuration file while the receiver runs, and the handle to read them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use serde::Serialize;
use tokio::sync::watch;

use super::settings::{Config, Limits, LogLevel};

/// The settings that need no restart.
#[derive(Debug, Clone, PartialEq)]
pub struct Reloadable {
    /// What the receiver accepts at most.
    pub limits: Arc<Limits>,
    /// The business phone numbers whose events are published; `None`: all.
    pub phone_number_ids: Option<Arc<BTreeSet<String>>>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// The least severe log line that is written.
    pub log_level: LogLevel,
}

impl From<&Config> for Reloadable {
    fn from(config: &Config) -> Self {
        Self {
            limits: Arc::new(config.limits),
            phone_number_ids: config.phone_number_ids.clone().map(Arc::new),
            trusted_proxies: config.http.trusted_proxies.as_slice().into(),
            log_level: config.log.level,
        }
    }
}

/// How the configuration file is doing. For the status page: it holds setting names and no personal data.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReloadStatus {
    /// 1 at the start, one more with each accepted change of the file.
    pub generation: u64,
    /// How many changes of the file were refused.
    pub refused: u64,
    /// Why the file as it is now is not used; `None` when it is.
    pub last_error: Option<String>,
    /// Settings the file has changed since the start that need a restart.
    pub restart_needed: Vec<&'static str>,
    /// Keys of the file this version does not know.
    pub unknown_keys: Vec<String>,
}

/// Reads the current settings without a lock. Clones share the same settings.
#[derive(Debug, Clone)]
pub struct ReloadHandle {
    shared: Arc<Shared>,
    seen: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Reloadable>,
    status: ArcSwap<ReloadStatus>,
    generation: watch::Sender<u64>,
}

impl ReloadHandle {
    /// Settings that stay as they are: by hand there is no file to follow.
    pub fn fixed(config: &Config) -> Self {
        Self::new(config, Vec::new())
    }

    pub(super) fn new(config: &Config, unknown_keys: Vec<String>) -> Self {
        let (generation, seen) = watch::channel(1);
        let status = ReloadStatus {
            generation: 1,
            unknown_keys,
            ..ReloadStatus::default()
        };
        let current = ArcSwap::from_pointee(Reloadable::from(config));
        Self {
            shared: Arc::new(Shared {
                current,
                status: ArcSwap::from_pointee(status),
                generation,
            }),
            seen,
        }
    }

    /// All reloadable settings of one moment.
    pub fn current(&self) -> Arc<Reloadable> {
        self.shared.current.load_full()
    }

    /// What the receiver accepts at most.
    pub fn limits(&self) -> Arc<Limits> {
        Arc::clone(&self.shared.current.load().limits)
    }

    /// The business phone numbers whose events are published; `None`: all.
    pub fn phone_number_ids(&self) -> Option<Arc<BTreeSet<String>>> {
        self.shared.current.load().phone_number_ids.clone()
    }

    /// Networks whose `X-Forwarded-For` is believed.
    pub fn trusted_proxies(&self) -> Arc<[IpNet]> {
        Arc::clone(&self.shared.current.load().trusted_proxies)
    }

    /// The least severe log line that is written.
    pub fn log_level(&self) -> LogLevel {
        self.shared.current.load().log_level
    }

    /// How the configuration file is doing.
    pub fn status(&self) -> ReloadStatus {
        ReloadStatus::clone(&self.shared.status.load())
    }

    /// Waits for a change this handle has not reported yet. Never ends when nothing changes.
    pub async fn changed(&mut self) {
        // The sender lives in `shared`, which this handle keeps: the channel cannot close.
        let _ = self.seen.changed().await;
    }

    /// Takes over a changed file.
    pub(super) fn accept(
        &self,
        settings: Reloadable,
        restart_needed: Vec<&'static str>,
        unknown_keys: Vec<String>,
    ) {
        let ReloadStatus {
            generation, refused, ..
        } = self.status();
        let generation = generation + 1;
        self.shared.current.store(Arc::new(settings));
        self.set_status(ReloadStatus {
            generation,
            refused,
            last_error: None,
            restart_needed,
            unknown_keys,
        });
        self.shared.generation.send_replace(generation);
    }

    /// Notes why the file cannot be used, or that it can again.
    pub(super) fn set_error(&self, last_error: Option<String>) {
        let status = self.status();
        self.set_status(ReloadStatus {
            refused: status.refused + u64::from(last_error.is_some()),
            last_error,
            ..status
        });
    }

    fn set_status(&self, status: ReloadStatus) {
        self.shared.status.store(Arc::new(status));
    }
}
