//! Waits for the Lease, renews it, gives it back.

use std::future::Future;
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use rand::Rng as _;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::fence::Fence;
use super::record::{Verdict, Watched, given_back, taken};

/// How long things take. Each is longer than the one before it.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often the Lease is looked at or renewed. Half of it at random is added.
    pub retry: Duration,
    /// How long the leader goes on without having renewed it.
    pub renew_deadline: Duration,
    /// How long it stays the leader's without being renewed. Whole seconds.
    pub duration: Duration,
}

impl Default for Timing {
    /// A crash is noticed within 17 s, a clean stop within 2 s.
    fn default() -> Self {
        Self {
            retry: Duration::from_secs(1),
            renew_deadline: Duration::from_secs(10),
            duration: Duration::from_secs(15),
        }
    }
}

/// How leading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// We were asked to stop, or the work came to its end.
    Stopped,
    /// The Lease could not be renewed in time, or somebody else has it.
    Lost,
}

/// Why the Lease could not be written. Waited out; only the log shows it.
#[derive(Debug, thiserror::Error)]
pub enum ElectionError {
    /// The API server refused or could not be reached.
    #[error("the Lease could not be read or written: {0}")]
    Api(#[from] Box<kube::Error>),
    /// The API server did not answer.
    #[error("the API server did not answer about the Lease within {0:?}")]
    Silent(Duration),
}

/// One of several operators that want the same Lease.
#[derive(Clone, Debug)]
pub struct Elector {
    leases: Api<Lease>,
    name: String,
    identity: String,
    timing: Timing,
    fence: Fence,
}

impl Elector {
    /// Takes part in the election for the Lease `name` as `identity`, which no other process may use.
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str, timing: Timing) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: identity.to_owned(),
            timing,
            fence: Fence::closed(),
        }
    }

    /// Open while we lead.
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    /// Waits until we lead, then runs `work` until it ends, `stop` is cancelled or the Lease is lost. `work` has to end
    /// soon after its token is cancelled; while it does after a stop, the Lease is still renewed, and given back after.
    pub async fn lead<F>(&self, stop: CancellationToken, work: impl FnOnce(CancellationToken) -> F) -> Ended
    where
        F: Future<Output = ()>,
    {
        let mut watched = Watched::default();
        tokio::select! {
            () = stop.cancelled() => return Ended::Stopped,
            () = self.wait(&mut watched) => {}
        }
        info!(lease = self.name, "leading");
        let working = stop.child_token();
        let work = work(working.clone());
        let ended = tokio::select! {
            () = work => Ended::Stopped,
            () = self.keep(&mut watched) => Ended::Lost,
        };
        working.cancel();
        self.fence.close();
        match ended {
            Ended::Stopped => self.give_back().await,
            Ended::Lost => warn!(lease = self.name, "the Lease is lost: another operator leads"),
        }
        ended
    }

    async fn wait(&self, watched: &mut Watched) {
        loop {
            match self.turn(watched).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => warn!(%error, "waiting for the Lease"),
            }
            self.pause().await;
        }
    }

    /// Returns when the Lease is lost.
    async fn keep(&self, watched: &mut Watched) {
        let mut renewed = Instant::now();
        while renewed.elapsed() < self.timing.renew_deadline {
            self.pause().await;
            let began = Instant::now();
            match self.turn(watched).await {
                Ok(true) => renewed = began,
                Ok(false) => return,
                Err(error) => warn!(%error, "renewing the Lease"),
            }
        }
    }

    /// Looks at the Lease and takes or renews it if it may be: whether it is ours then.
    async fn turn(&self, watched: &mut Watched) -> Result<bool, ElectionError> {
        let began = Instant::now();
        // Less than the deadline, so that a silent server is noticed in time.
        let limit = self.timing.renew_deadline / 2;
        let ours = timeout(limit, self.try_to_hold(watched))
            .await
            .map_err(|_| ElectionError::Silent(limit))??;
        if ours {
            self.fence.extend(began, self.timing.renew_deadline);
        }
        Ok(ours)
    }

    async fn try_to_hold(&self, watched: &mut Watched) -> Result<bool, ElectionError> {
        let (duration, now) = (self.timing.duration, Timestamp::now());
        let done = match self.leases.get_opt(&self.name).await.map_err(Box::new)? {
            None => {
                let lease = Lease {
                    metadata: ObjectMeta {
                        name: Some(self.name.clone()),
                        ..ObjectMeta::default()
                    },
                    ..Lease::default()
                };
                let lease = taken(lease, &self.identity, duration, now);
                self.leases.create(&PostParams::default(), &lease).await
            }
            Some(lease) => {
                if watched.look(&lease, &self.identity, Instant::now()) == Verdict::Held {
                    return Ok(false);
                }
                let lease = taken(lease, &self.identity, duration, now);
                self.leases
                    .replace(&self.name, &PostParams::default(), &lease)
                    .await
            }
        };
        match done {
            Ok(_) => Ok(true),
            // Somebody was faster. If it was ourselves, an answer got lost: the next look will tell.
            Err(kube::Error::Api(status)) if status.code == 409 => {
                let lease = self.leases.get(&self.name).await.map_err(Box::new)?;
                Ok(watched.look(&lease, &self.identity, Instant::now()) == Verdict::Ours)
            }
            Err(error) => Err(Box::new(error).into()),
        }
    }

    /// Tells whoever waits that it need not wait any longer. A failure only costs time.
    async fn give_back(&self) {
        let back = async {
            let lease = self.leases.get(&self.name).await?;
            let holder = lease
                .spec
                .as_ref()
                .and_then(|spec| spec.holder_identity.as_deref());
            if holder != Some(&self.identity) {
                return Ok(());
            }
            let lease = given_back(lease, Timestamp::now());
            self.leases
                .replace(&self.name, &PostParams::default(), &lease)
                .await
                .map(drop)
        };
        match timeout(Duration::from_secs(2), back).await {
            Ok(Ok(())) => info!(lease = self.name, "gave the Lease back"),
            Ok(Err(error)) => warn!(%error, "the Lease could not be given back and will run out"),
            Err(_) => warn!("the Lease could not be given back in time and will run out"),
        }
    }

    async fn pause(&self) {
        let share = rand::rng().random_range(0.0..0.5);
        sleep(self.timing.retry.mul_f64(1.0 + share)).await;
    }
}
