//! The receiver as a whole: every part made, joined and run until it is told to stop.

mod health;
mod parts;
mod rotation;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::health::AppHealth;
use self::parts::Parts;
use crate::cli::ServeArgs;
use crate::config::{self, ConfigError, ConfigWatcher, ReloadHandle};
use crate::metrics::{Metrics, MetricsError};
use crate::publish::{ConnectError, SessionError};
use crate::secrets::{POLL, SecretSet, SecretsHandle, SecretsSource, SecretsWatcher};
use crate::server::{self, BindError, Hooks, Limits, NoHooks, Shutdown};
use crate::{admin, webhook};
use wahook_telemetry::TelemetryError;
use wahook_telemetry::trace::{Service, Tracing};

/// How long the admin port's connections may live after the public port is closed.
const ADMIN_GRACE: Duration = Duration::from_secs(1);

/// Why the receiver did not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration cannot be used; every problem is listed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Logging cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// A port cannot be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The connection to NATS cannot even be tried.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The client could not be started.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A metric could not be registered.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Signals cannot be listened for.
    #[error("cannot listen for SIGTERM: {0}. Check the process's limits")]
    Signal(#[from] std::io::Error),
}

/// Serves until SIGTERM or SIGINT, then finishes what was accepted.
pub async fn serve(args: ServeArgs) -> Result<(), AppError> {
    let mut env: config::Env = std::env::vars().collect::<BTreeMap<_, _>>();
    if let Some(file) = &args.env_file {
        env = config::with_env_file(env, file)?;
    }
    let background = CancellationToken::new();
    let mut loaded = config::load(args.config.as_deref(), &env)?;
    // The watcher compares with what the file says, not with what the command line made of it.
    let reload = reload(&args, &loaded.config, loaded.unknown_keys.clone(), &background);
    loaded.config.stream.ensure |= args.ensure_stream;
    let config = &loaded.config;
    let format = args.log_format.unwrap_or(config.log.format);
    let log_level = wahook_telemetry::init(format, config.log.level.as_str())?;
    for key in &loaded.unknown_keys {
        warn!(
            key,
            "the configuration file has a key that this version does not know; it is ignored"
        );
    }

    let stop = signalled()?;
    let public = server::bind(config.http.listen)?;
    let private = server::bind(config.http.admin_listen)?;
    let addresses = (public.local_addr()?, private.local_addr()?);

    let secrets = secrets(config, loaded.env_secrets.take(), &background);
    let metrics = Arc::new(Metrics::new(
        &loaded.config.identity.namespace,
        &loaded.config.identity.webhook,
    )?);
    let config = &loaded.config;
    let tracing = tracing(config)?;
    let parts = Parts::make(config, &secrets, &reload, &metrics, tracing.clone()).await?;
    parts.follow(config, &secrets, &reload, log_level, &background);

    let health = Arc::new(AppHealth::new(config, &secrets, &reload, &parts, stop.clone()));
    let admin_stop = CancellationToken::new();
    let admin = tokio::spawn(server::serve(
        private,
        admin::router(Arc::clone(&metrics), health),
        Arc::new(Limits::default),
        Arc::new(NoHooks),
        Shutdown {
            signal: admin_stop.clone(),
            endpoint_lag: Duration::ZERO,
            grace: ADMIN_GRACE,
        },
    ));
    announce(config, addresses);

    let report = server::serve(
        public,
        webhook::router(Arc::clone(&parts.webhook), &config.http.path),
        server_limits(reload.clone()),
        Arc::new(Connections(metrics)),
        Shutdown {
            signal: stop,
            endpoint_lag: config.shutdown.endpoint_lag,
            grace: config.shutdown.grace,
        },
    )
    .await;
    info!(
        finished = report.finished,
        aborted = report.aborted,
        "the public port is closed"
    );
    parts.finish(config.shutdown.grace).await;
    tracing.finish().await;
    background.cancel();
    admin_stop.cancel();
    // The admin port ends on its own, within its grace.
    let _ = admin.await;
    info!("stopped");
    Ok(())
}

/// Cancelled by SIGTERM or SIGINT.
fn signalled() -> Result<CancellationToken, std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM: stopping"),
            _ = interrupt.recv() => info!("SIGINT: stopping"),
        }
        signalled.cancel();
    });
    Ok(stop)
}

fn secrets(config: &config::Config, env: Option<SecretSet>, stop: &CancellationToken) -> SecretsHandle {
    let Some(source) = SecretsSource::from_config(config) else {
        return SecretsHandle::fixed(env.unwrap_or_default());
    };
    let watcher = SecretsWatcher::start(source, POLL);
    let handle = watcher.handle();
    tokio::spawn(watcher.run(stop.clone()));
    handle
}

fn tracing(config: &config::Config) -> Result<Tracing, TelemetryError> {
    let pod = std::env::var("HOSTNAME").ok();
    let service = Service {
        name: "wahook-receiver",
        version: env!("CARGO_PKG_VERSION"),
        namespace: Some(&config.identity.namespace),
        webhook: Some(&config.identity.webhook),
        instance: pod.as_deref(),
    };
    Tracing::start(config.tracing.as_ref(), &service)
}

fn reload(
    args: &ServeArgs,
    config: &config::Config,
    unknown_keys: Vec<String>,
    stop: &CancellationToken,
) -> ReloadHandle {
    let Some(path) = &args.config else {
        return ReloadHandle::fixed(config);
    };
    let watcher = ConfigWatcher::new(path.clone(), config.clone(), unknown_keys, POLL);
    let handle = watcher.handle();
    tokio::spawn(watcher.run(stop.clone()));
    handle
}

fn server_limits(reload: ReloadHandle) -> server::LimitsSource {
    Arc::new(move || {
        let limits = reload.limits();
        Limits {
            header_bytes: limits.header_bytes,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            write_timeout: limits.write_timeout,
            connections: limits.connections,
            ..Limits::default()
        }
    })
}

fn announce(config: &config::Config, (public, private): (SocketAddr, SocketAddr)) {
    let webhook = format!("http://{public}{}", config.http.path);
    info!(
        webhook,
        admin = %private,
        stream = config.stream.name,
        version = env!("CARGO_PKG_VERSION"),
        "serving; /health is on the same port, /readyz, /metrics and /status on the admin port"
    );
}

/// Counts connections.
struct Connections(Arc<Metrics>);

impl Hooks for Connections {
    fn opened(&self) {
        self.0.connection_opened();
    }
    fn closed(&self, _: server::Closed) {
        self.0.connection_closed();
    }
}
