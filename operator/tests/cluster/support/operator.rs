//! The operator, in this process, with a client of its own name.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use kube::client::ClientBuilder;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wahook_crds::conditions::Reason;
use wahook_operator::controller::{self, Context, Timing};
use wahook_operator::jetstream::{StreamOwner, StreamReport};
use wahook_operator::leader::Fence;
use wahook_operator::metrics::Metrics;
use wahook_operator::observe::{Kinds, discover};
use wahook_operator::settings::{NatsDefaults, RouteDefaults, Settings};
use wahook_operator::streams::StreamKeeping;
use wahook_operator::validate::StreamPlan;

use super::plane;
use super::{Faults, LIMIT, Lab};

/// What an operator is started with.
pub struct Options {
    pub settings: Settings,
    pub streams: Arc<Streams>,
    pub faults: Faults,
    pub timing: Timing,
    pub all_namespaces: bool,
    /// Without any right elsewhere.
    pub only_its_namespace: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settings: settings(),
            streams: Arc::default(),
            faults: Faults::default(),
            timing: Timing {
                discovery: Duration::from_secs(2),
                // Nothing leads to a host here. What it comes to is a write that no test waits for.
                probe: None,
                ..Timing::default()
            },
            all_namespaces: false,
            only_its_namespace: false,
        }
    }
}

/// Settings with which a resource can become ready.
pub fn settings() -> Settings {
    Settings {
        nats: NatsDefaults {
            servers: vec!["nats://nats.nats:4222".to_owned()],
            ..NatsDefaults::default()
        },
        route: RouteDefaults {
            needs_address: true,
            ..RouteDefaults::default()
        },
        operator_namespace: Some("wahook-system".to_owned()),
        ..Settings::of("registry.example.com/wahook-receiver:1")
    }
}

/// Streams without a broker: what is asked for is noted, what is answered is set.
#[derive(Default)]
pub struct Streams {
    trouble: Mutex<Option<Reason>>,
    plans: Mutex<BTreeMap<String, String>>,
}

impl Streams {
    pub fn fail(&self, reason: Option<Reason>) {
        *self.trouble.lock().unwrap() = reason;
    }

    /// What was asked of a webhook's stream last.
    pub fn plan(&self, webhook: &str) -> Option<String> {
        self.plans.lock().unwrap().get(webhook).cloned()
    }
}

impl StreamKeeping for Streams {
    fn look_after<'a>(&'a self, plan: &'a StreamPlan, owner: &'a StreamOwner) -> BoxFuture<'a, StreamReport> {
        self.plans
            .lock()
            .unwrap()
            .insert(owner.name.clone(), format!("{plan:?}"));
        let trouble = *self.trouble.lock().unwrap();
        Box::pin(async move {
            StreamReport {
                ok: trouble.is_none(),
                reason: trouble.unwrap_or(Reason::StreamFound),
                message: "as the test says".to_owned(),
                usage: None,
                written: Vec::new(),
            }
        })
    }
}

/// A running operator. Dropping it is a crash: nothing comes to its end.
pub struct Running {
    pub metrics: Arc<Metrics>,
    pub streams: Arc<Streams>,
    /// The operator's name in the audit log.
    pub user: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

static NUMBER: AtomicUsize = AtomicUsize::new(1);

impl Running {
    pub async fn start(lab: &Lab, options: Options) -> Self {
        let user = format!("operator-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let group = if options.only_its_namespace {
            lab.grant_all_in_its_namespace("limited").await;
            "limited"
        } else {
            "system:masters"
        };
        let kubeconfig = lab.plane.user_kubeconfig(&user, &[group]).unwrap();
        let client = ClientBuilder::try_from(plane::config(&kubeconfig).await)
            .unwrap()
            .with_layer(&options.faults.layer())
            .build();
        let mut settings = options.settings;
        if !options.all_namespaces && settings.watch_namespaces.is_empty() {
            settings.watch_namespaces = vec![lab.namespace.clone()];
        }
        let metrics = Arc::new(Metrics::new().unwrap());
        let kinds = Kinds::new(discover(&lab.client).await.unwrap());
        let context = Arc::new(Context::new(
            client,
            settings,
            Arc::clone(&options.streams) as Arc<dyn StreamKeeping>,
            kinds,
            Arc::clone(&metrics),
            Fence::open(),
            Some(user.clone()),
            options.timing,
        ));
        let stop = CancellationToken::new();
        let task = tokio::spawn(controller::run(context, 4, stop.clone(), || {}));
        Self {
            metrics,
            streams: options.streams,
            user,
            stop,
            task,
        }
    }

    /// Waits until it has written nothing for a second and a half, in which as many looks ended as were going on: on a
    /// busy machine there may be a while between two writes of one look.
    pub async fn quiet(&self) {
        let deadline = Instant::now() + LIMIT;
        let (mut writes, mut since, mut begun) = (self.metrics.writes(), Instant::now(), self.begun());
        while since.elapsed() < Duration::from_millis(1500) || self.reconciles() < begun {
            assert!(Instant::now() < deadline, "it goes on writing: {writes}");
            tokio::time::sleep(Duration::from_millis(50)).await;
            if self.metrics.writes() != writes {
                (writes, since, begun) = (self.metrics.writes(), Instant::now(), self.begun());
            }
        }
    }

    /// How many looks have begun.
    fn begun(&self) -> u64 {
        let ended = self.reconciles();
        let text = self.metrics.render().unwrap();
        let name = "controller_runtime_active_workers{";
        let line = text.lines().find(|line| line.starts_with(name));
        let active = line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        ended + active.unwrap_or_default()
    }

    /// How many looks have ended.
    pub fn reconciles(&self) -> u64 {
        self.metrics.reconciles()
    }

    /// Ends it in good order.
    pub async fn stop(mut self) {
        self.stop.cancel();
        tokio::time::timeout(LIMIT, &mut self.task)
            .await
            .unwrap()
            .unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}
