//! `wahook-operator run`: joins the parts, waits for the cluster to be fit, leads or stands by, and ends in good order.

use std::env;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{Api, ListParams};
use kube::{Client, Config};
use rand::Rng as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wahook_crds::WhatsAppWebhook;
use wahook_telemetry::TelemetryError;
use wahook_telemetry::trace::{Service, TraceSettings, Tracing};

use super::{FlagProblems, RunArgs};
use crate::admin::{self, Readiness};
use crate::controller::{self, Context, Timing};
use crate::jetstream::{Broker, BrokerSettings};
use crate::leader::{self, Elector, Ended, Fence};
use crate::metrics::Metrics;
use crate::observe::{Kinds, discover};
use crate::settings::Settings;

/// How often a cluster that is not fit yet is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long what has begun may go on after a stop was asked for. Whoever stands by waits for it, and a hand-over is
/// promised within three seconds. What is cut off is repeated by the next leader.
const LAST_WORK: Duration = Duration::from_millis(1500);

/// Why the operator does not run, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Flags that cannot be used.
    #[error(transparent)]
    Flags(#[from] FlagProblems),
    /// The election needs a namespace for its Lease.
    #[error(
        "--leader-election needs --namespace (or POD_NAMESPACE), where the Lease is kept. Set it, or --leader-election=false when there is only one operator"
    )]
    NoNamespace,
    /// Logs could not be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The program could not be set up.
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    /// The admin port could not be opened.
    #[error("cannot listen on {address}: {source}. Choose another with --admin-listen")]
    Listen {
        /// `--admin-listen`.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// There is no cluster.
    #[error("cannot find a cluster: {0}. Set KUBECONFIG, or run in a pod with a service account")]
    NoCluster(#[from] kube::config::InferConfigError),
    /// The client could not be made.
    #[error("cannot make a client of the cluster: {0}")]
    Client(#[from] Box<kube::Error>),
    /// A metric is wrong.
    #[error("cannot set up metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// Another operator leads now. Starting again makes this one stand by.
    #[error("the Lease was lost: another operator leads. This one starts again to stand by")]
    LeaseLost,
    /// The controller ended although nobody asked it to.
    #[error("the controller ended by itself")]
    Ended,
}

impl RunError {
    /// Whether the command was used wrongly.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Flags(_) | Self::NoNamespace)
    }
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`].
pub fn run(args: &RunArgs) -> Result<(), RunError> {
    let settings = args.settings.settings()?;
    let traces = args.tracing()?;
    if args.leader_election && settings.operator_namespace.is_none() {
        return Err(RunError::NoNamespace);
    }
    wahook_telemetry::init(args.log_format, &args.log_level)?;
    // kube and async-nats ask for the process's provider. Whoever installed one before has the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(RunError::Start)?
        .block_on(serve(args, settings, traces.as_ref()))
}

async fn serve(args: &RunArgs, settings: Settings, traces: Option<&TraceSettings>) -> Result<(), RunError> {
    let tracing = tracing(traces, &settings)?;
    let client = Client::try_from(Config::infer().await?).map_err(Box::new)?;
    let stop = stop_on_signals().map_err(RunError::Start)?;
    let metrics = Arc::new(Metrics::new()?);
    let (report, readiness) = watch::channel(Readiness {
        missing: vec!["the cluster was not looked at yet".to_owned()],
        without: Vec::new(),
    });
    let listener = TcpListener::bind(args.admin_listen)
        .await
        .map_err(|source| RunError::Listen {
            address: args.admin_listen.to_string(),
            source,
        })?;
    let ended = CancellationToken::new();
    let router = admin::router(Arc::clone(&metrics), readiness);
    let admin = tokio::spawn(admin::serve(listener, router, ended.clone()));
    info!(version = env!("CARGO_PKG_VERSION"), admin = %args.admin_listen, "started");

    let operator = Operator {
        args,
        settings,
        client,
        metrics,
        tracing: tracing.clone(),
    };
    let result = match stop.run_until_cancelled(operator.fit(&report)).await {
        Some(kinds) => operator.work(kinds, &stop).await,
        None => Ok(()),
    };
    ended.cancel();
    // It only served probes; how it ends matters to nobody.
    let _ = admin.await;
    // Nobody waits for it: whoever stands by leads already.
    tracing.finish().await;
    info!("stopped");
    result
}

/// The parts that leading needs.
struct Operator<'a> {
    args: &'a RunArgs,
    settings: Settings,
    client: Client,
    metrics: Arc<Metrics>,
    tracing: Tracing,
}

impl Operator<'_> {
    /// Waits until the cluster can be worked with; what is missing is said on `/readyz` meanwhile.
    async fn fit(&self, report: &watch::Sender<Readiness>) -> Kinds {
        loop {
            let trouble = match self.look().await {
                Ok((kinds, without)) => {
                    for trouble in &without {
                        warn!(trouble, "works without a namespace");
                    }
                    report.send_replace(Readiness {
                        missing: Vec::new(),
                        without,
                    });
                    return kinds;
                }
                Err(trouble) => trouble,
            };
            let news = report.send_if_modified(|known| {
                let is_new = known.missing.as_slice() != std::slice::from_ref(&trouble);
                known.missing = vec![trouble.clone()];
                is_new
            });
            if news {
                warn!(trouble, "the cluster cannot be worked with yet");
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The optional kinds that the cluster has, and which of several namespaces cannot be read: the others are looked
    /// after all the same.
    async fn look(&self) -> Result<(Kinds, Vec<String>), String> {
        let namespaces = &self.settings.watch_namespaces;
        let mut without = Vec::new();
        if namespaces.is_empty() {
            self.may_list(&Api::all(self.client.clone())).await?;
        }
        for namespace in namespaces {
            let resources = Api::namespaced(self.client.clone(), namespace);
            if let Err(trouble) = self.may_list(&resources).await {
                without.push(format!("namespace {namespace}: {trouble}"));
            }
        }
        if !namespaces.is_empty() && without.len() == namespaces.len() {
            return Err(without.join("; "));
        }
        let kinds = discover(&self.client)
            .await
            .map_err(|error| format!("the cluster does not say which kinds it has: {error}"))?;
        Ok((Kinds::new(kinds), without))
    }

    async fn may_list(&self, resources: &Api<WhatsAppWebhook>) -> Result<(), String> {
        let one = ListParams::default().limit(1);
        match resources.list(&one).await {
            // One that cannot be read is no reason to leave the others alone.
            Ok(_) | Err(kube::Error::SerdeError(_)) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(
                "the definition of WhatsAppWebhook is not installed. Install it with the chart, or with \
                            `wahook-operator crd | kubectl apply --server-side -f -`"
                    .to_owned(),
            ),
            Err(kube::Error::Api(status)) if status.code == 403 => Err(format!(
                "the operator's service account lacks a right: {}",
                status.message
            )),
            Err(error) => Err(format!("the API server does not answer: {error}")),
        }
    }

    async fn work(&self, kinds: Kinds, stop: &CancellationToken) -> Result<(), RunError> {
        let identity = identity();
        if !self.args.leader_election {
            self.lead(kinds, Fence::open(), &identity, stop.clone()).await;
            return if stop.is_cancelled() {
                Ok(())
            } else {
                Err(RunError::Ended)
            };
        }
        let namespace = self.settings.operator_namespace.as_deref().unwrap_or_default();
        let elector = Elector::new(
            self.client.clone(),
            namespace,
            &self.args.lease_name,
            &identity,
            leader::Timing::default(),
        );
        info!(identity, lease = self.args.lease_name, "standing by");
        let fence = elector.fence();
        let ended = elector
            .lead(stop.clone(), |working| {
                self.lead(kinds, fence, &identity, working)
            })
            .await;
        match ended {
            Ended::Lost => Err(RunError::LeaseLost),
            Ended::Stopped if stop.is_cancelled() => Ok(()),
            Ended::Stopped => Err(RunError::Ended),
        }
    }

    /// Works until `working` is cancelled, and then until what has begun has ended, but not for long.
    async fn lead(&self, kinds: Kinds, fence: Fence, identity: &str, working: CancellationToken) {
        let broker = Broker::new(BrokerSettings {
            servers: self.settings.nats.servers.clone(),
            credentials_dir: self.args.nats_credentials_dir.clone(),
            ca_file: self.args.settings.nats_ca_file.clone(),
        });
        let context = Context::new(
            self.client.clone(),
            self.settings.clone(),
            Arc::new(broker),
            kinds,
            Arc::clone(&self.metrics),
            fence,
            Some(identity.to_owned()),
            Timing::default(),
        )
        .with_tracing(self.tracing.clone());
        self.metrics.set_leader(true);
        let (settings, args) = (&self.settings, &self.args.settings);
        let following = async {
            tokio::join!(
                settings
                    .nats
                    .ca
                    .follow("--nats-ca-file", args.nats_ca_file.as_deref()),
                settings
                    .probe
                    .ca
                    .follow("--probe-ca-file", args.probe_ca_file.as_deref()),
            )
        };
        let too_long = async {
            working.cancelled().await;
            sleep(LAST_WORK).await;
        };
        tokio::select! {
            () = controller::run(Arc::new(context), self.args.concurrency, working.clone(), || {}) => {}
            _ = following => warn!("the files of authorities are not followed any more"),
            () = too_long => warn!("what had begun did not end in time and is cut off; the next leader repeats it"),
        }
        self.metrics.set_leader(false);
    }
}

fn tracing(traces: Option<&TraceSettings>, settings: &Settings) -> Result<Tracing, TelemetryError> {
    let pod = env::var("HOSTNAME").ok();
    let service = Service {
        name: "wahook-operator",
        version: env!("CARGO_PKG_VERSION"),
        namespace: settings.operator_namespace.as_deref(),
        webhook: None,
        instance: pod.as_deref(),
    };
    Tracing::start(traces, &service)
}

/// The pod's name, and something that no earlier process of that name had.
fn identity() -> String {
    let host = env::var("HOSTNAME").unwrap_or_else(|_| "wahook-operator".to_owned());
    format!("{host}-{:08x}", rand::rng().random::<u32>())
}

fn stop_on_signals() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM: stopping"),
            _ = interrupt.recv() => info!("SIGINT: stopping"),
        }
        stopping.cancel();
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_work_leaves_time_to_hand_over_within_three_seconds() {
        let promised = Duration::from_secs(3);
        assert!(LAST_WORK * 2 <= promised, "{LAST_WORK:?}");
    }
}
