//! What serves a request, made of the configuration, and what keeps it up to date.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::StorageType;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wahook_events::contract;
use wahook_stream::StreamSpec;

use super::AppError;
use super::rotation;
use crate::config::{Config, ReloadHandle, Reloadable, Storage};
use crate::dedupe::Dedupe;
use crate::metrics::Metrics;
use crate::publish::{ClaimCheck, Health, Monitor, Publisher, Session, options};
use crate::secrets::{POLL, SecretsHandle};
use crate::webhook::{Ingest, Live, Traces, Webhook};
use wahook_telemetry::LogLevel;
use wahook_telemetry::trace::Tracing;

/// The parts that live as long as the process.
pub(super) struct Parts {
    pub(super) webhook: Arc<Webhook>,
    pub(super) ingest: Arc<Ingest>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) broker: Arc<Health>,
    pub(super) metrics: Arc<Metrics>,
}

impl Parts {
    pub(super) async fn make(
        config: &Config,
        secrets: &SecretsHandle,
        reload: &ReloadHandle,
        metrics: &Arc<Metrics>,
        tracing: Tracing,
    ) -> Result<Self, AppError> {
        let broker = Arc::new(Health::default());
        let session = open_session(config, secrets, &broker).await?;
        let claim_check = ClaimCheck::new(config.stream.object_bucket.clone(), config.nats.domain.clone());
        let events = config.limits.in_flight_events;
        let publisher = Arc::new(Publisher::new(
            session,
            events,
            claim_check,
            Arc::clone(&broker),
            Arc::clone(metrics),
        ));
        let ingest = Arc::new(Ingest::new(
            Arc::clone(&publisher),
            Dedupe::new(config.stream.window, config.deduplication.memory_entries),
            contract(config),
            config.stream.name.as_str().into(),
            Arc::clone(metrics),
        ));
        let keys = rotation::keys(&secrets.current());
        let webhook = Webhook::new(
            live(&reload.current()),
            keys,
            Arc::clone(&ingest),
            Arc::clone(metrics),
            Traces::new(tracing, &config.http.path),
        );
        Ok(Self {
            webhook: Arc::new(webhook),
            ingest,
            publisher,
            broker,
            metrics: Arc::clone(metrics),
        })
    }

    /// Starts everything that follows a change: secrets, limits, the stream, the broker.
    pub(super) fn follow(
        &self,
        config: &Config,
        secrets: &SecretsHandle,
        reload: &ReloadHandle,
        log_level: LogLevel,
        stop: &CancellationToken,
    ) {
        let until = |stop: &CancellationToken, task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
            let stop = stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(task).await });
        };
        let ingest = Arc::clone(&self.ingest);
        let monitor = Monitor::new(stream_spec(config), Arc::clone(&self.broker));
        until(
            stop,
            Box::pin(monitor.run(Arc::clone(&self.publisher), move || ingest.forget())),
        );
        let rotation = rotation::Rotation {
            config: config.clone(),
            webhook: Arc::clone(&self.webhook),
            publisher: Arc::clone(&self.publisher),
            broker: Arc::clone(&self.broker),
            metrics: Arc::clone(&self.metrics),
        };
        until(stop, Box::pin(rotation.follow(secrets.clone())));
        until(
            stop,
            Box::pin(follow_limits(reload.clone(), self.limits_targets(), log_level)),
        );
        until(
            stop,
            Box::pin(count_refusals(
                reload.clone(),
                secrets.clone(),
                Arc::clone(&self.metrics),
            )),
        );
        until(
            stop,
            Box::pin(follow_broker(Arc::clone(&self.broker), Arc::clone(&self.metrics))),
        );
    }

    fn limits_targets(&self) -> (Arc<Webhook>, Arc<Publisher>) {
        (Arc::clone(&self.webhook), Arc::clone(&self.publisher))
    }

    /// Sends what the connection still has to send.
    pub(super) async fn finish(&self, grace: Duration) {
        if timeout(grace, self.publisher.session().drain()).await.is_err() {
            warn!("the connection to NATS was not drained in time");
        }
    }
}

/// Opens a connection with the secrets of this moment.
pub(super) async fn open_session(
    config: &Config,
    secrets: &SecretsHandle,
    broker: &Arc<Health>,
) -> Result<Session, AppError> {
    let name = format!(
        "wahook-receiver {}/{}",
        config.identity.namespace, config.identity.webhook
    );
    let (servers, options) = options(&config.nats, &secrets.current().nats, &name)?;
    let stream = config.stream.name.as_str().into();
    Ok(Session::open(servers, options, stream, Arc::clone(broker)).await?)
}

fn contract(config: &Config) -> contract::Publisher {
    let identity = &config.identity;
    contract::Publisher::new(&identity.subject_prefix, &identity.namespace, &identity.webhook)
}

fn stream_spec(config: &Config) -> StreamSpec {
    let stream = &config.stream;
    StreamSpec {
        name: stream.name.clone(),
        subjects: contract(config).all_subjects(),
        ensure: stream.ensure,
        window: stream.window,
        max_age: stream.max_age,
        max_bytes: stream.max_bytes,
        replicas: stream.replicas.map(usize::from),
        storage: match stream.storage {
            Storage::File => StorageType::File,
            Storage::Memory => StorageType::Memory,
        },
        bucket: stream.object_bucket.clone(),
        domain: config.nats.domain.clone(),
    }
}

fn live(settings: &Reloadable) -> Live {
    let limits = &settings.limits;
    Live {
        body_bytes: limits.body_bytes,
        body_memory_bytes: limits.body_memory_bytes,
        body_timeout: limits.body_timeout,
        publish_deadline: limits.publish_deadline,
        bodies: limits.connections,
        in_flight_requests: limits.in_flight_requests,
        bad_signatures_per_minute: limits.bad_signatures_per_minute,
        phone_number_ids: settings.phone_number_ids.clone(),
        trusted_proxies: settings.trusted_proxies.to_vec(),
    }
}

async fn follow_limits(
    mut reload: ReloadHandle,
    (webhook, publisher): (Arc<Webhook>, Arc<Publisher>),
    log_level: LogLevel,
) {
    loop {
        reload.changed().await;
        let settings = reload.current();
        webhook.reload(live(&settings));
        publisher.resize(settings.limits.in_flight_events);
        if let Err(error) = log_level.set(settings.log_level.as_str()) {
            warn!(%error, "the log level stays as it is");
        }
    }
}

/// Both statuses count what they refused; looking at them often enough misses nothing.
async fn count_refusals(reload: ReloadHandle, secrets: SecretsHandle, metrics: Arc<Metrics>) {
    let mut counted = 0;
    let mut tick = tokio::time::interval(POLL);
    loop {
        tick.tick().await;
        let refused = reload.status().refused + secrets.status().refused;
        metrics.reloads_failed(refused - counted);
        counted = refused;
    }
}

async fn follow_broker(broker: Arc<Health>, metrics: Arc<Metrics>) {
    let mut connection = broker.watch_connection();
    let mut stream = broker.watch_stream();
    loop {
        let is_connected = connection.borrow_and_update().up;
        let was_ready = stream.borrow_and_update().unready().is_none();
        metrics.set_nats_connected(is_connected);
        // While the broker is away the stream is what it was at the last look, and takes nothing.
        metrics.set_stream_ready(is_connected && was_ready);
        // The senders live in `broker`.
        tokio::select! {
            _ = connection.changed() => {}
            _ = stream.changed() => {}
        }
    }
}
