//! How the rest of the receiver reads the secrets: without a lock, always a whole set of one moment.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tokio::sync::watch;

use crate::config::Problem;

use super::set::SecretSet;

/// How the secrets are doing. For the status page: counts, times and file names, never content.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretsStatus {
    /// 0 until all needed secrets were there for the first time; one more with each accepted change.
    pub generation: u64,
    /// How many app secrets a signature may come from.
    pub active_app_secrets: usize,
    /// How many removed app secrets are remembered.
    pub retired_app_secrets: usize,
    /// Whether the verify token is there.
    pub verify_token: bool,
    /// Whether the probe key is there.
    pub probe_key: bool,
    /// Stands for the app secrets and the verify token, as [`SecretSet::fingerprint`] says.
    pub fingerprint: Option<String>,
    /// When this generation was accepted.
    #[serde(serialize_with = "as_text")]
    pub loaded_at: Option<Timestamp>,
    /// How many changes of the files were refused.
    pub refused: u64,
    /// Why the files as they are now are not used; `None` when they are.
    pub last_error: Option<String>,
    /// What is odd about the files but was tolerated.
    pub warnings: Vec<Problem>,
}

impl SecretsStatus {
    /// Whether requests can be verified with what is loaded. The last good set counts, whatever the files
    /// hold now.
    pub fn is_ready(&self) -> bool {
        self.generation > 0
    }
}

/// RFC 3339, or `null`.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn as_text<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

/// Reads the current secrets without a lock. Clones share the same secrets.
#[derive(Debug, Clone)]
pub struct SecretsHandle {
    shared: Arc<Shared>,
    seen: watch::Receiver<()>,
}

#[derive(Debug)]
struct Shared {
    current: ArcSwap<SecretSet>,
    status: ArcSwap<SecretsStatus>,
    changes: watch::Sender<()>,
}

impl SecretsHandle {
    /// Secrets that stay as they are, those of the environment.
    pub fn fixed(set: SecretSet) -> Self {
        let generation = u64::from(set.is_complete());
        let mut handle = Self::new();
        handle.publish(set, generation, Some(Timestamp::now()), None);
        handle.forget_changes();
        handle
    }

    /// No secrets yet.
    pub(super) fn new() -> Self {
        let (changes, seen) = watch::channel(());
        let shared = Shared {
            current: ArcSwap::default(),
            status: ArcSwap::default(),
            changes,
        };
        Self {
            shared: Arc::new(shared),
            seen,
        }
    }

    /// All secrets of one moment. Empty until there are some: nothing can be verified then.
    pub fn current(&self) -> Arc<SecretSet> {
        self.shared.current.load_full()
    }

    /// How the secrets are doing.
    pub fn status(&self) -> SecretsStatus {
        SecretsStatus::clone(&self.shared.status.load())
    }

    /// Waits for a change of the set this handle has not reported yet. Never ends when nothing changes.
    pub async fn changed(&mut self) {
        // The sender lives in `shared`, which this handle keeps: the channel cannot close.
        let _ = self.seen.changed().await;
    }

    /// Counts every change so far as reported.
    pub(super) fn forget_changes(&mut self) {
        self.seen.mark_unchanged();
    }

    /// Puts a set in place, then tells everyone who waits.
    pub(super) fn publish(
        &self,
        set: SecretSet,
        generation: u64,
        loaded_at: Option<Timestamp>,
        last_error: Option<String>,
    ) {
        self.shared.status.store(Arc::new(SecretsStatus {
            generation,
            active_app_secrets: set.app_secrets.len(),
            retired_app_secrets: set.retired.len(),
            verify_token: set.verify_token.is_some(),
            probe_key: set.probe_key.is_some(),
            fingerprint: set.fingerprint(),
            loaded_at,
            refused: self.shared.status.load().refused,
            last_error,
            warnings: set.warnings.clone(),
        }));
        self.shared.current.store(Arc::new(set));
        self.shared.changes.send_replace(());
    }

    /// Notes why the files cannot be used, or that they can again. The set stays.
    pub(super) fn set_error(&self, last_error: Option<String>) {
        let status = self.status();
        self.shared.status.store(Arc::new(SecretsStatus {
            refused: status.refused + u64::from(last_error.is_some()),
            last_error,
            ..status
        }));
    }
}
