//! Who may roll now. An upgrade of the operator changes the pods of every webhook; a few at a time do, and none
//! more once one of them has failed. What a user changes never waits.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kube::api::DynamicObject;
use serde_json::Value;
use tracing::warn;

/// The webhooks that roll because of the operator, by `namespace/name`.
#[derive(Debug)]
pub struct Rollouts {
    batch: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Those that were allowed to roll and have not finished.
    rolling: BTreeSet<String>,
    /// Those of them that did not come up.
    failed: BTreeSet<String>,
}

/// How far a Deployment's change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All pods are of the newest template and available.
    Done,
    /// Pods are being replaced.
    Rolling,
    /// The time for it is over.
    Failed,
}

/// The answer to a webhook that wants to roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Now.
    Go,
    /// Not yet.
    Wait,
}

impl State {
    /// Reads a Deployment's status.
    pub fn of(deployment: &DynamicObject) -> Self {
        let status = &deployment.data["status"];
        let number = |field: &str| status[field].as_i64().unwrap_or_default();
        let wanted = deployment.data["spec"]["replicas"].as_i64().unwrap_or(1);
        let seen = number("observedGeneration") >= deployment.metadata.generation.unwrap_or_default();
        let complete = number("updatedReplicas") >= wanted
            && number("replicas") <= number("updatedReplicas")
            && number("availableReplicas") >= wanted;
        if !seen {
            Self::Rolling
        } else if complete {
            Self::Done
        } else if deadline_exceeded(status) {
            Self::Failed
        } else {
            Self::Rolling
        }
    }
}

/// Whether the Deployment controller gave up waiting.
pub(crate) fn deadline_exceeded(status: &Value) -> bool {
    status["conditions"].as_array().is_some_and(|conditions| {
        conditions.iter().any(|condition| {
            condition["type"] == "Progressing"
                && condition["status"] == "False"
                && condition["reason"] == "ProgressDeadlineExceeded"
        })
    })
}

impl Rollouts {
    /// At most `batch` webhooks roll at a time; at least one.
    pub fn new(batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            inner: Mutex::default(),
        }
    }

    /// Learns how a webhook's Deployment is.
    pub fn saw(&self, webhook: &str, state: State) {
        let mut inner = self.lock();
        if !inner.rolling.contains(webhook) {
            return;
        }
        match state {
            State::Done => {
                inner.rolling.remove(webhook);
                inner.failed.remove(webhook);
            }
            State::Failed => {
                if inner.failed.insert(webhook.to_owned()) {
                    warn!(
                        webhook,
                        "the new receivers did not come up: no further webhook is upgraded"
                    );
                }
            }
            State::Rolling => {}
        }
    }

    /// Whether a webhook may replace its pods now.
    pub fn ask(&self, webhook: &str, live: &DynamicObject) -> Permit {
        // Who serves nobody can lose nothing, and says nothing about the new version.
        if live.data["status"]["readyReplicas"].as_i64().unwrap_or_default() == 0 {
            return Permit::Go;
        }
        let mut inner = self.lock();
        let others_failed = inner.failed.iter().any(|other| other != webhook);
        let mine = inner.rolling.contains(webhook);
        if !mine && (others_failed || inner.rolling.len() >= self.batch) {
            return Permit::Wait;
        }
        inner.rolling.insert(webhook.to_owned());
        Permit::Go
    }

    /// Takes in what was rolling before this process began, so that a restart does not begin another batch.
    pub fn remember<'a>(&self, deployments: impl IntoIterator<Item = (String, &'a DynamicObject)>) {
        for (webhook, deployment) in deployments {
            let ready = deployment.data["status"]["readyReplicas"]
                .as_i64()
                .unwrap_or_default();
            let state = State::of(deployment);
            if state != State::Done && ready > 0 {
                self.lock().rolling.insert(webhook.clone());
            }
            self.saw(&webhook, state);
        }
    }

    /// Forgets webhooks that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        let mut inner = self.lock();
        inner.rolling.retain(|webhook| exists(webhook));
        inner.failed.retain(|webhook| exists(webhook));
    }

    /// How many roll, and how many of those have failed.
    pub fn count(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.rolling.len(), inner.failed.len())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(status: &Value) -> DynamicObject {
        serde_json::from_value(json!({
            "metadata": { "name": "d", "generation": 2 },
            "spec": { "replicas": 2 },
            "status": status,
        }))
        .unwrap()
    }

    fn serving() -> DynamicObject {
        deployment(
            &json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
            "availableReplicas": 2 }),
        )
    }

    #[test]
    fn how_far_a_deployment_has_come() {
        assert_eq!(State::of(&serving()), State::Done);
        let failed =
            json!([{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }]);
        for (status, state) in [
            (json!({}), State::Rolling),
            (
                json!({ "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 }),
                State::Rolling,
            ),
            (
                json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3 }),
                State::Rolling,
            ),
            (
                json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1 }),
                State::Rolling,
            ),
            (
                json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "conditions": failed }),
                State::Failed,
            ),
            (
                json!({ "observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "conditions": failed }),
                State::Rolling,
            ),
        ] {
            assert_eq!(State::of(&deployment(&status)), state, "{status}");
        }
    }

    #[test]
    fn a_batch_at_a_time() {
        let rollouts = Rollouts::new(2);
        assert_eq!(rollouts.ask("a", &serving()), Permit::Go);
        assert_eq!(rollouts.ask("b", &serving()), Permit::Go);
        assert_eq!(rollouts.ask("c", &serving()), Permit::Wait);
        assert_eq!(
            rollouts.ask("a", &serving()),
            Permit::Go,
            "asked again after a crash in between"
        );
        rollouts.saw("a", State::Rolling);
        assert_eq!(rollouts.ask("c", &serving()), Permit::Wait);
        rollouts.saw("a", State::Done);
        assert_eq!(rollouts.ask("c", &serving()), Permit::Go);
        assert_eq!(rollouts.count(), (2, 0));
    }

    #[test]
    fn a_failure_stops_everyone_but_those_who_serve_nobody() {
        let rollouts = Rollouts::new(5);
        assert_eq!(rollouts.ask("a", &serving()), Permit::Go);
        rollouts.saw("stranger", State::Failed);
        assert_eq!(
            rollouts.ask("b", &serving()),
            Permit::Go,
            "a failure of someone's own making"
        );
        rollouts.saw("a", State::Failed);
        assert_eq!(rollouts.ask("c", &serving()), Permit::Wait);
        assert_eq!(rollouts.ask("d", &deployment(&json!({}))), Permit::Go);
        assert_eq!(rollouts.ask("a", &serving()), Permit::Go, "what may repair it");
        rollouts.saw("a", State::Done);
        assert_eq!(rollouts.ask("c", &serving()), Permit::Go);
    }

    #[test]
    fn what_rolled_before_a_restart_still_counts() {
        let rollouts = Rollouts::new(1);
        let rolling = deployment(
            &json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 1,
            "readyReplicas": 2, "availableReplicas": 2 }),
        );
        rollouts.remember([("a".to_owned(), &rolling), ("b".to_owned(), &serving())]);
        assert_eq!(rollouts.ask("c", &serving()), Permit::Wait);
        rollouts.retain(|webhook| webhook != "a");
        assert_eq!(rollouts.ask("c", &serving()), Permit::Go);
    }
}
