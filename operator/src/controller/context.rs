//! What every reconcile shares.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::Store;
use tokio_util::sync::CancellationToken;
use wahook_crds::WhatsAppWebhook;
use wahook_telemetry::trace::Tracing;

use super::backoff::Backoff;
use crate::apply::{Rollouts, Writer};
use crate::hosts::{self, Claim, Sharing};
use crate::leader::Fence;
use crate::metrics::Metrics;
use crate::names::MANAGED_BY;
use crate::observe::Kinds;
use crate::probe::{Due, Probes};
use crate::receivers::Sightings;
use crate::resource::Guarded;
use crate::settings::Settings;
use crate::streams::StreamKeeping;
use crate::validate::{Validated, validate};

/// How often things happen that no event brings. Tests make them shorter.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How often is asked which optional kinds the cluster has.
    pub discovery: Duration,
    /// How long one reconcile may take.
    pub deadline: Duration,
    /// How often the receivers are asked what they have seen.
    pub receivers: Duration,
    /// How often a public URL that is right is looked at; not at all when absent.
    pub probe: Option<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            discovery: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
            receivers: Duration::from_secs(30),
            probe: Some(Duration::from_secs(300)),
        }
    }
}

/// What every reconcile shares.
pub struct Context {
    /// Reads.
    pub client: Client,
    /// The operator's settings.
    pub settings: Settings,
    /// Writes.
    pub writer: Writer,
    /// The streams.
    pub streams: Arc<dyn StreamKeeping>,
    /// The optional kinds that the cluster has.
    pub kinds: Kinds,
    /// Who may roll.
    pub rollouts: Rollouts,
    /// What the receivers have seen.
    pub sightings: Sightings,
    /// What looks at the public URLs came to.
    pub probes: Arc<Probes>,
    /// Kubernetes Events.
    pub recorder: Recorder,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Traces.
    pub tracing: Tracing,
    /// Who failed how often.
    pub backoff: Backoff,
    /// How often things happen.
    pub timing: Timing,
    /// All resources, one store for each watch.
    stores: OnceLock<Vec<Store<Guarded>>>,
    /// Whether all resources have been read, or enough was waited for it. Who has a host cannot be said before.
    read: CancellationToken,
}

impl Context {
    /// A context that has seen nothing yet. `fence` says whether this process may write, `instance` is its name in
    /// Events.
    #[allow(
        clippy::too_many_arguments,
        reason = "each is a part of its own, named where it is called"
    )]
    pub fn new(
        client: Client,
        settings: Settings,
        streams: Arc<dyn StreamKeeping>,
        kinds: Kinds,
        metrics: Arc<Metrics>,
        fence: Fence,
        instance: Option<String>,
        timing: Timing,
    ) -> Self {
        let reporter = Reporter {
            controller: MANAGED_BY.to_owned(),
            instance,
        };
        let probes = Arc::new(Probes::default());
        metrics.show_probes(Arc::clone(&probes));
        Self {
            writer: Writer::new(client.clone(), Arc::clone(&metrics), fence),
            recorder: Recorder::new(client.clone(), reporter),
            rollouts: Rollouts::new(settings.rollout_batch),
            backoff: Backoff::default(),
            probes,
            sightings: Sightings::default(),
            stores: OnceLock::new(),
            read: CancellationToken::new(),
            client,
            settings,
            streams,
            kinds,
            metrics,
            tracing: Tracing::off(),
            timing,
        }
    }

    /// Makes spans of reconciles and of what they write.
    #[must_use]
    pub fn with_tracing(mut self, tracing: Tracing) -> Self {
        self.writer = self.writer.with_tracing(tracing.clone());
        self.tracing = tracing;
        self
    }

    /// Learns where all resources are kept.
    pub(super) fn set_stores(&self, stores: Vec<Store<Guarded>>) {
        self.metrics.show(stores.clone());
        // Called once, by the controller that this context is made for.
        let _ = self.stores.set(stores);
    }

    /// All resources have been read, or those that cannot be are not waited for any longer.
    pub(super) fn all_read(&self) {
        self.read.cancel();
    }

    /// Waits for [`Self::all_read`].
    pub(super) async fn until_read(&self) {
        self.read.cancelled().await;
    }

    fn stores(&self) -> &[Store<Guarded>] {
        self.stores.get().map_or(&[], Vec::as_slice)
    }

    /// Whether the resource may have its host. Others count only if they can be followed or have it already: nobody
    /// takes a host by asking for what is not allowed.
    pub fn claim(&self, resource: &WhatsAppWebhook, validated: &Validated) -> Claim {
        let host = &validated.route.host;
        let rivals = self.rivals(host);
        let rivals: Vec<_> = rivals
            .iter()
            .filter_map(|other| other.0.as_ref().ok())
            .filter(|other| hosts::has(other, host) || validate(other, &self.settings).is_ok())
            .collect();
        let sharing = if self.settings.allow.hosts.is_empty() {
            Sharing::No
        } else {
            Sharing::ByPath
        };
        hosts::decide(resource, &rivals, sharing)
    }

    /// Whether someone else, who may have it, asks for a host that a resource has and may not.
    pub(super) fn is_wanted(&self, resource: &WhatsAppWebhook, host: &str) -> bool {
        let entitled = |other: &WhatsAppWebhook| {
            other.metadata.uid != resource.metadata.uid
                && hosts::wants(other, host)
                && other.metadata.deletion_timestamp.is_none()
                && validate(other, &self.settings).is_ok()
        };
        self.rivals(host)
            .iter()
            .any(|other| other.0.as_ref().is_ok_and(entitled))
    }

    /// The resources that ask for this host or have it.
    pub(super) fn rivals(&self, host: &str) -> Vec<Arc<Guarded>> {
        let is_rival = |other: &WhatsAppWebhook| hosts::wants(other, host) || hosts::has(other, host);
        let asks = |other: &Guarded| other.0.as_ref().is_ok_and(is_rival);
        self.stores()
            .iter()
            .flat_map(|store| store.state_filter(asks))
            .collect()
    }

    /// The webhooks that should have receivers, by namespace and name.
    pub(super) fn with_receivers(&self) -> Vec<(String, String)> {
        let webhooks = self.stores().iter().flat_map(Store::state);
        webhooks
            .filter_map(|webhook| {
                let webhook = webhook.0.as_ref().ok()?;
                let metadata = &webhook.metadata;
                (!webhook.spec.suspend)
                    .then(|| Some((metadata.namespace.clone()?, metadata.name.clone()?)))?
            })
            .collect()
    }

    /// The webhooks that have been given a URL.
    pub(super) fn with_url(&self) -> Vec<Due> {
        let webhooks = self.stores().iter().flat_map(Store::state);
        webhooks
            .filter_map(|webhook| {
                let webhook = webhook.0.as_ref().ok()?;
                if webhook.spec.suspend {
                    return None;
                }
                Some(Due {
                    namespace: webhook.metadata.namespace.clone()?,
                    webhook: webhook.metadata.name.clone()?,
                    url: webhook.status.as_ref()?.callback_url.clone()?,
                    generation: webhook.metadata.generation.unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Forgets what was remembered of resources that are gone, and of URLs that are not looked at any more.
    pub(super) fn forget_gone(&self) {
        let exists = |webhook: &str| {
            let Some((namespace, name)) = webhook.split_once('/') else {
                return false;
            };
            let key = kube::runtime::reflector::ObjectRef::new(name).within(namespace);
            self.stores().iter().any(|store| store.get(&key).is_some())
        };
        self.backoff.retain(exists);
        self.rollouts.retain(exists);
        self.sightings.retain(exists);
        self.probes.retain(&self.with_url());
    }
}

/// The time, as the API server keeps it: whole seconds.
pub fn now() -> Time {
    let now = Timestamp::now();
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

#[cfg(test)]
pub(super) mod tests;
