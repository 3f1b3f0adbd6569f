//! Who may roll now. An upgrade of the operator changes the pods of every webhook; a few at a time do, and none
//! more once one of them that served has failed. What a user changes never waits.
//!
//! What rolls because of the operator carries a mark, [`names::UPGRADE_ANNOTATION`](crate::names::UPGRADE_ANNOTATION), by
//! which the next process knows it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::api::DynamicObject;
use tokio::sync::watch;
use tracing::{info, warn};

use super::progress::Progress;

/// The webhooks that roll because of the operator, by `namespace/name`.
#[derive(Debug)]
pub struct Rollouts {
    batch: usize,
    inner: Mutex<Inner>,
    /// Counts the occasions on which those that wait should ask again.
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Those that were allowed to roll and have not finished.
    rolling: BTreeMap<String, Began>,
    /// Those of them that served and did not come up again.
    failed: BTreeSet<String>,
    /// Those that asked and may not yet.
    queued: BTreeSet<String>,
}

/// What a webhook was like when its roll-out began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Began {
    /// It had ready receivers: that the new ones are not is the new version's fault.
    Serving,
    /// It had none, for whatever reason: its failure says nothing about the new version.
    Idle,
}

impl Began {
    /// Reads a Deployment's status.
    pub fn of(deployment: &DynamicObject) -> Self {
        match deployment.data["status"]["readyReplicas"].as_i64() {
            Some(1..) => Self::Serving,
            _ => Self::Idle,
        }
    }
}

/// The answer to a webhook that wants to roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Now.
    Go,
    /// Not yet.
    Wait(Because),
}

/// Why a webhook waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// Others are at it.
    Others,
    /// The receivers of this one, `namespace/name`, did not come up.
    Failed(String),
}

/// How many webhooks are where in an upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Their receivers are being replaced.
    pub rolling: usize,
    /// Their new receivers did not come up.
    pub failed: usize,
    /// They wait.
    pub queued: usize,
}

impl Rollouts {
    /// At most `batch` webhooks roll at a time; at least one.
    pub fn new(batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            inner: Mutex::default(),
            news: watch::Sender::new(0),
        }
    }

    /// Learns how the Deployment of a webhook is that rolls because of the operator.
    pub fn saw(&self, webhook: &str, progress: Progress) {
        let mut inner = self.lock();
        let Some(began) = inner.rolling.get(webhook).copied() else {
            return;
        };
        match (progress, began) {
            (Progress::Rolling, _) => {}
            (Progress::Failed, Began::Serving) => {
                if inner.failed.insert(webhook.to_owned()) {
                    warn!(
                        webhook,
                        "the new receivers did not come up: no further webhook is upgraded. Repair it, or go back to the \
                         operator's former version"
                    );
                    self.tell();
                }
            }
            (Progress::Done | Progress::Short, _) | (Progress::Failed, Began::Idle) => {
                self.leave(&mut inner, webhook);
            }
        }
    }

    /// Whether a webhook may replace its pods now.
    pub fn ask(&self, webhook: &str, began: Began) -> Permit {
        let mut inner = self.lock();
        if !inner.rolling.contains_key(webhook) {
            let failed = inner.failed.first().filter(|_| began == Began::Serving).cloned();
            let because = match failed {
                Some(failed) => Some(Because::Failed(failed)),
                None if self.room(&inner) == 0 => Some(Because::Others),
                None => None,
            };
            if let Some(because) = because {
                inner.queued.insert(webhook.to_owned());
                return Permit::Wait(because);
            }
            inner.rolling.insert(webhook.to_owned(), began);
        }
        inner.queued.remove(webhook);
        Permit::Go
    }

    /// Takes in a roll-out that began before this process, so that a restart does not begin another batch.
    pub fn remember(&self, webhook: &str, began: Began, progress: Progress) {
        self.lock().rolling.insert(webhook.to_owned(), began);
        self.saw(webhook, progress);
    }

    /// Forgets a webhook: it does not roll because of the operator, or cannot be followed, or is gone.
    pub fn forget(&self, webhook: &str) {
        self.leave(&mut self.lock(), webhook);
    }

    /// Forgets webhooks that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        let mut inner = self.lock();
        let known: BTreeSet<String> = inner.rolling.keys().chain(&inner.queued).cloned().collect();
        for gone in known.iter().filter(|webhook| !exists(webhook)) {
            self.leave(&mut inner, gone);
        }
    }

    /// How many webhooks are where.
    pub fn count(&self) -> Count {
        let inner = self.lock();
        Count {
            rolling: inner.rolling.len() - inner.failed.len(),
            failed: inner.failed.len(),
            queued: inner.queued.len(),
        }
    }

    /// Tells whenever those that wait should ask again: see [`Self::next`].
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Those that may begin now, as far as there is room; or all that wait when one failed, to be told so.
    pub fn next(&self) -> Vec<String> {
        let inner = self.lock();
        let room = if inner.failed.is_empty() {
            self.room(&inner)
        } else {
            usize::MAX
        };
        inner.queued.iter().take(room).cloned().collect()
    }

    fn room(&self, inner: &Inner) -> usize {
        self.batch.saturating_sub(inner.rolling.len())
    }

    fn leave(&self, inner: &mut Inner, webhook: &str) {
        inner.queued.remove(webhook);
        if inner.failed.remove(webhook) {
            info!(webhook, "no longer holds up the upgrade of the others");
        }
        if inner.rolling.remove(webhook).is_some() {
            self.tell();
        }
    }

    fn tell(&self) {
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: Permit = Permit::Wait(Because::Others);

    fn count(rollouts: &Rollouts) -> (usize, usize, usize) {
        let Count {
            rolling,
            failed,
            queued,
        } = rollouts.count();
        (rolling, failed, queued)
    }

    #[test]
    fn a_batch_at_a_time() {
        let rollouts = Rollouts::new(2);
        let news = rollouts.news();
        assert_eq!(rollouts.ask("a", Began::Serving), Permit::Go);
        assert_eq!(rollouts.ask("b", Began::Serving), Permit::Go);
        assert_eq!(rollouts.ask("c", Began::Serving), OTHERS);
        assert_eq!(rollouts.ask("d", Began::Serving), OTHERS);
        assert_eq!(
            rollouts.ask("a", Began::Serving),
            Permit::Go,
            "asked again after a crash in between"
        );
        rollouts.saw("a", Progress::Rolling);
        assert_eq!((count(&rollouts), rollouts.next().len()), ((2, 0, 2), 0));
        assert!(!news.has_changed().unwrap());
        rollouts.saw("a", Progress::Done);
        assert!(news.has_changed().unwrap());
        assert_eq!(rollouts.next(), ["c"]);
        assert_eq!(rollouts.ask("c", Began::Serving), Permit::Go);
        assert_eq!(count(&rollouts), (2, 0, 1));
    }

    #[test]
    fn a_failure_stops_everyone_who_serves() {
        let rollouts = Rollouts::new(3);
        assert_eq!(rollouts.ask("a", Began::Serving), Permit::Go);
        rollouts.saw("stranger", Progress::Failed);
        assert_eq!(
            rollouts.ask("b", Began::Serving),
            Permit::Go,
            "a failure of someone's own making"
        );
        rollouts.saw("a", Progress::Failed);
        let stopped = Permit::Wait(Because::Failed("a".to_owned()));
        assert_eq!(rollouts.ask("c", Began::Serving), stopped);
        assert_eq!(
            (count(&rollouts), rollouts.next()),
            ((1, 1, 1), vec!["c".to_owned()])
        );
        assert_eq!(
            rollouts.ask("a", Began::Serving),
            Permit::Go,
            "what may repair it"
        );
        // Who serves nobody can lose nothing, but has to wait for its turn, too.
        assert_eq!(rollouts.ask("d", Began::Idle), Permit::Go);
        assert_eq!(rollouts.ask("e", Began::Idle), OTHERS);
        rollouts.saw("d", Progress::Failed);
        assert_eq!(
            rollouts.ask("e", Began::Idle),
            Permit::Go,
            "its failure says nothing"
        );
        rollouts.saw("a", Progress::Done);
        assert_eq!(rollouts.next(), ["c"]);
    }

    #[test]
    fn what_rolled_before_a_restart_still_counts() {
        let rollouts = Rollouts::new(1);
        rollouts.remember("a", Began::Serving, Progress::Rolling);
        rollouts.remember("b", Began::Serving, Progress::Done);
        rollouts.remember("b", Began::Idle, Progress::Failed);
        assert_eq!(rollouts.ask("c", Began::Serving), OTHERS);
        rollouts.retain(|webhook| webhook != "a");
        assert_eq!(rollouts.ask("c", Began::Serving), Permit::Go);
        rollouts.remember("d", Began::Serving, Progress::Failed);
        assert_eq!(
            rollouts.ask("e", Began::Serving),
            Permit::Wait(Because::Failed("d".to_owned()))
        );
        rollouts.forget("d");
        rollouts.forget("c");
        assert_eq!(rollouts.next(), ["e"]);
    }
}
