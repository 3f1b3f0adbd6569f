//! What a change of secrets sets in motion: other keys for requests, another connection for other NATS credentials.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::parts::open_session;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::publish::{Health, Publisher, Session};
use crate::secrets::{Secret, SecretSet, SecretsHandle};
use crate::signature::Verifier;
use crate::webhook::{Keys, Webhook};

/// How long requests on the old connection may take to finish.
const OLD_CONNECTION_GRACE: Duration = Duration::from_secs(20);

/// Applies changes of the secrets.
pub(super) struct Rotation {
    pub(super) config: Config,
    pub(super) webhook: Arc<Webhook>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) broker: Arc<Health>,
    pub(super) metrics: Arc<Metrics>,
}

/// The keys of a set of secrets.
pub(super) fn keys(set: &SecretSet) -> Keys {
    fn bytes(secrets: &[Secret]) -> Vec<&[u8]> {
        secrets.iter().map(Secret::expose).collect()
    }
    Keys {
        verifier: Verifier::new(&bytes(&set.app_secrets), &bytes(&set.retired)),
        verify_token: set.verify_token.as_ref().map(|token| token.expose().to_vec()),
        probe_key: set.probe_key.as_ref().map(|key| key.expose().to_vec()),
        configured: !set.app_secrets.is_empty(),
    }
}

impl Rotation {
    /// Follows the secrets for ever.
    pub(super) async fn follow(self, mut secrets: SecretsHandle) {
        let mut connected_with = secrets.current().nats.digest();
        let mut candidate = None;
        self.metrics.set_secret_generation(secrets.status().generation);
        loop {
            tokio::select! {
                () = secrets.changed() => {
                    let set = secrets.current();
                    self.webhook.rotate(keys(&set));
                    self.metrics.set_secret_generation(secrets.status().generation);
                    if set.nats.digest() != connected_with {
                        connected_with = set.nats.digest();
                        candidate = self.connect(&secrets).await;
                    }
                }
                session = connected(&mut candidate) => self.go_over(session),
            }
        }
    }

    async fn connect(&self, secrets: &SecretsHandle) -> Option<Session> {
        info!("the NATS credentials or TLS files changed: connecting with the new ones");
        let opened = open_session(&self.config, secrets, &self.broker).await;
        opened
            .inspect_err(
                |error| warn!(%error, "the new NATS credentials cannot be used; the old connection stays"),
            )
            .ok()
    }

    fn go_over(&self, session: Session) {
        let old = self.publisher.replace(session);
        info!("went over to a new connection to NATS");
        tokio::spawn(async move {
            tokio::time::sleep(OLD_CONNECTION_GRACE).await;
            // A broker that is gone in this very moment would keep it waiting for ever.
            let _ = tokio::time::timeout(OLD_CONNECTION_GRACE, old.drain()).await;
        });
    }
}

/// Waits until the candidate, if there is one, is connected: until then the old connection serves, and wrong credentials
/// never take over.
async fn connected(candidate: &mut Option<Session>) -> Session {
    match candidate {
        Some(session) => session.connected().await,
        None => std::future::pending().await,
    }
    match candidate.take() {
        Some(session) => session,
        None => std::future::pending().await,
    }
}
