//! What the admin port says about the receiver: whether it is ready, what is missing, what happened last.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::parts::Parts;
use crate::admin;
use crate::config::{Config, ReloadHandle};
use crate::publish::{Health, StreamState};
use crate::secrets::SecretsHandle;
use crate::webhook::Activity;

/// How long a broker may be gone before readiness follows: an election takes seconds, and a Service without endpoints is
/// worse for Meta than a 503 it repeats.
const PATIENCE: Duration = Duration::from_secs(15);

/// Gathers what the admin port shows.
pub(super) struct AppHealth {
    identity: Value,
    stream: String,
    secrets: SecretsHandle,
    reload: ReloadHandle,
    broker: Arc<Health>,
    activity: Arc<Activity>,
    stopping: CancellationToken,
}

impl AppHealth {
    pub(super) fn new(
        config: &Config,
        secrets: &SecretsHandle,
        reload: &ReloadHandle,
        parts: &Parts,
        stopping: CancellationToken,
    ) -> Self {
        let identity = &config.identity;
        Self {
            identity: json!({"namespace": identity.namespace, "webhook": identity.webhook}),
            stream: config.stream.name.clone(),
            secrets: secrets.clone(),
            reload: reload.clone(),
            broker: Arc::clone(&parts.broker),
            activity: parts.webhook.activity(),
            stopping,
        }
    }

    fn broker_unready(&self) -> Option<String> {
        let connection = self.broker.connection();
        if connection.up {
            return None;
        }
        let gone = connection.since.elapsed();
        let patient = connection.was_up && gone < PATIENCE;
        (!patient).then(|| {
            format!(
                "NATS is not connected (for {} s); check nats.servers and the credentials",
                gone.as_secs()
            )
        })
    }

    fn stream_unready(&self) -> Option<String> {
        let state = self.broker.stream();
        let recent = self
            .broker
            .stream_was_ready()
            .is_some_and(|since| since.elapsed() < PATIENCE);
        match state {
            // No leader, or a broker that is busy electing one.
            StreamState::Unreachable { .. } if recent => None,
            _ => state.unready(),
        }
    }
}

impl admin::Health for AppHealth {
    fn unready(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.stopping.is_cancelled() {
            missing.push("stopping".to_owned());
        }
        let secrets = self.secrets.status();
        if !secrets.is_ready() {
            let reason = secrets
                .last_error
                .unwrap_or_else(|| "no app secret or verify token".to_owned());
            missing.push(format!("secrets are not loaded: {reason}"));
        }
        missing.extend(self.broker_unready());
        missing.extend(self.stream_unready());
        missing
    }

    fn status(&self) -> Value {
        let seen = self.activity.seen();
        let connection = self.broker.connection();
        let trouble = self.broker.trouble();
        let runtime = tokio::runtime::Handle::try_current();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "identity": self.identity,
            "ready": self.unready().is_empty(),
            "secrets": self.secrets.status(),
            "configuration": self.reload.status(),
            "nats": {
                "connected": connection.up,
                "forSeconds": connection.since.elapsed().as_secs(),
                "deniedSubject": trouble.denied_subject,
                "lastError": trouble.last_error,
            },
            "stream": {"name": self.stream, "is": self.broker.stream()},
            "lastHandshake": seen.last_handshake,
            "lastDelivery": seen.last_delivery,
            "signatureMismatches": {
                "last": seen.mismatches.last,
                "sinceDelivery": seen.mismatches.since_delivery,
            },
            "tasks": runtime.map(|runtime| runtime.metrics().num_alive_tasks()).ok(),
        })
    }
}
