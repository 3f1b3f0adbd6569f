//! Drives the reconciles: watches resources and their children, wakes, retries, and ends in good order.
//!
//! ```text
//! watches ──┐
//! kinds   ──┼─ Controller ─ reconcile: read -> validate -> observe -> build -> apply -> status
//! broker  ──┘       └ after a failure: backoff        after a success: pace
//! ```

mod backoff;
mod context;
mod error;
mod events;
mod outside;
mod pace;
mod reconcile;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::runtime::controller::{Config, Controller, Error as RunError};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::runtime::{Predicate, WatchStreamExt, predicates, watcher};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

pub use context::{Context, Timing, now};
pub use error::Error;
pub use reconcile::{after_failure, reconcile};

use crate::api_error::ApiError;
use crate::apply::{Progress, upgrade};
use crate::child::ChildKind;
use crate::hosts;
use crate::names::{MANAGED_BY, MANAGED_BY_LABEL, WEBHOOK_LABEL};
use crate::receivers::Endpoints;
use crate::resource::Guarded;
use watches::Wake;

/// Wakes that may wait for the controller. A watch that has more to say waits itself.
const WAKES: usize = 1024;
/// How long all resources are waited for before the first host is given away. One namespace that cannot be read must
/// not stop the others.
const READ: Duration = Duration::from_secs(15);
/// How often memories of deleted resources are cleared.
const FORGET: Duration = Duration::from_secs(60);

/// Runs until `stop`: begins nothing new then and lets what has begun come to its end. `synced` is called once all
/// resources have been read.
pub async fn run(context: Arc<Context>, concurrency: u16, stop: CancellationToken, synced: impl FnOnce()) {
    context.metrics.set_workers(concurrency);
    let namespaces: Vec<Option<String>> = if context.settings.watch_namespaces.is_empty() {
        vec![None]
    } else {
        context
            .settings
            .watch_namespaces
            .iter()
            .cloned()
            .map(Some)
            .collect()
    };
    let catching_up = async {
        context.kinds.refresh(&context.client).await;
        remember_rollouts(&context, &namespaces).await;
    };
    if stop.run_until_cancelled(catching_up).await.is_none() {
        return;
    }

    let tasks = TaskTracker::new();
    let spawn = |task: futures_util::future::BoxFuture<'static, ()>| {
        let stop = stop.clone();
        tasks.spawn(async move { stop.run_until_cancelled(task).await });
    };
    spawn(Box::pin(
        context
            .kinds
            .clone()
            .follow(context.client.clone(), context.timing.discovery),
    ));
    spawn(Box::pin(forget(Arc::clone(&context))));

    let scopes: Vec<Scope> = namespaces.into_iter().map(Scope::new).collect();
    let stores: Vec<Store<Guarded>> = scopes.iter().map(|scope| scope.reader.clone()).collect();
    context.set_stores(stores.clone());
    let wakers: Vec<Sender<Wake>> = scopes.iter().map(|scope| scope.wake.clone()).collect();
    let endpoints: Vec<Endpoints> = scopes.iter().map(|_| Endpoints::default()).collect();
    let slices = endpoints.iter().map(Endpoints::reader).collect();
    spawn(Box::pin(outside::follow_receivers(
        Arc::clone(&context),
        slices,
        wakers.clone(),
    )));
    spawn(Box::pin(outside::follow_endpoints(
        Arc::clone(&context),
        wakers.clone(),
    )));
    for (scope, endpoints) in scopes.iter().zip(endpoints) {
        let (context, namespace) = (Arc::clone(&context), scope.namespace.clone());
        spawn(Box::pin(async move {
            let api = match &namespace {
                Some(namespace) => Api::namespaced(context.client.clone(), namespace),
                None => Api::all(context.client.clone()),
            };
            endpoints.watch(api, &context.metrics).await;
        }));
    }
    spawn(Box::pin(follow_rollouts(Arc::clone(&context), wakers.clone())));
    for scope in &scopes {
        let mut kinds = ChildKind::ALL.to_vec();
        // Both ConfigMaps are of one kind.
        kinds.dedup_by_key(|kind| kind.resource());
        for kind in kinds {
            let namespace = scope.namespace.clone();
            spawn(Box::pin(watches::follow(
                Arc::clone(&context),
                kind,
                namespace,
                scope.wake.clone(),
            )));
        }
    }
    // Namespaces are separate watches. One worker is the least that each can have.
    let share = (concurrency / u16::try_from(scopes.len()).unwrap_or(u16::MAX)).max(1);
    let controllers = scopes
        .into_iter()
        .map(|scope| scope.run(&context, share, &stop, &wakers));
    let controllers = join_all(controllers);
    let ready = async {
        // A store fails to become ready only when its controller ends.
        let mut all = std::pin::pin!(join_all(stores.iter().map(Store::wait_until_ready)));
        if timeout(READ, &mut all).await.is_err() {
            warn!("not all namespaces could be read; the others are looked after without them");
            context.all_read();
            let _ = all.await;
        }
        info!("all resources have been read");
        context.all_read();
        synced();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = controllers => {}
        () = ready => {}
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
}

/// One watch of resources, of a namespace or of all.
struct Scope {
    namespace: Option<String>,
    reader: Store<Guarded>,
    writer: reflector::store::Writer<Guarded>,
    wake: Sender<Wake>,
    woken: Receiver<Wake>,
}

impl Scope {
    fn new(namespace: Option<String>) -> Self {
        let (reader, writer) = reflector::store();
        let (wake, woken) = mpsc::channel(WAKES);
        Self {
            namespace,
            reader,
            writer,
            wake,
            woken,
        }
    }

    async fn run(
        self,
        context: &Arc<Context>,
        workers: u16,
        stop: &CancellationToken,
        wakers: &[Sender<Wake>],
    ) {
        let api: Api<Guarded> = match &self.namespace {
            Some(namespace) => Api::namespaced(context.client.clone(), namespace),
            None => Api::all(context.client.clone()),
        };
        let resources = resources(context, api, self.writer, wakers.to_vec());
        let mut woken = self.woken;
        let woken = stream::poll_fn(move |task| woken.poll_recv(task));
        Controller::for_stream(resources, self.reader)
            .with_config(Config::default().concurrency(workers))
            .reconcile_on(woken)
            .reconcile_all_on(kinds_changed(context))
            .reconcile_all_on(context.streams.recovered())
            .reconcile_all_on(context.settings.nats.ca.changes())
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(reconcile, after_failure, Arc::clone(context))
            .for_each(|result| {
                match result {
                    Ok(_) | Err(RunError::ReconcilerFailed(..)) => {}
                    Err(RunError::ObjectNotFound(_)) => debug!("a child of a resource that is gone changed"),
                    Err(error) => warn!(%error, "the controller had to begin again"),
                }
                std::future::ready(())
            })
            .await;
    }
}

/// The resources whose spec, labels or annotations changed. Statuses are written by nobody but us.
fn resources(
    context: &Arc<Context>,
    api: Api<Guarded>,
    writer: reflector::store::Writer<Guarded>,
    wakers: Vec<Sender<Wake>>,
) -> impl Stream<Item = Result<Guarded, watcher::Error>> + Send + 'static {
    let (failed, freed) = (Arc::clone(context), Arc::clone(context));
    watcher(api, watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .inspect_ok(move |event| {
            if let Event::Delete(Guarded { 0: Ok(gone) }) = event {
                let host = hosts::given(gone).unwrap_or(&gone.spec.endpoint.host);
                wake_rivals(&freed, host, &wakers);
            }
        })
        .applied_objects()
        // An error would hold up what the other watches tell.
        .filter_map(move |result| {
            let result = result.inspect_err(|error| {
                failed.metrics.watch_failed("WhatsAppWebhook");
                warn!(error = %watches::describe(error), "the watch of resources failed and begins again");
            });
            std::future::ready(result.ok().map(Ok))
        })
        .predicate_filter(
            predicates::generation
                .combine(predicates::labels)
                .combine(predicates::annotations),
            kube::runtime::utils::PredicateConfig::default(),
        )
}

/// Lets those who wait for a host try at once.
fn wake_rivals(context: &Context, host: &str, wakers: &[Sender<Wake>]) {
    for rival in context.rivals(host) {
        wake(&ObjectRef::from_obj(&*rival), wakers);
    }
}

/// Wakes a resource, in whichever namespace's watch it is. When the queue is full it comes later: who waits for something
/// asks again by itself.
fn wake(resource: &Wake, wakers: &[Sender<Wake>]) {
    for waker in wakers {
        let _ = waker.try_send(resource.clone());
    }
}

/// An optional kind came or went.
fn kinds_changed(context: &Context) -> impl Stream<Item = ()> + Send + 'static {
    stream::unfold(context.kinds.subscribe(), async |mut changes| {
        changes.changed().await.ok().map(|()| ((), changes))
    })
}

/// Takes in which Deployments are being rolled, before any more are. A namespace that may not be read has none that the
/// operator could roll.
async fn remember_rollouts(context: &Context, namespaces: &[Option<String>]) {
    for namespace in namespaces {
        let deployments = loop {
            match deployments(&context.client, namespace.as_deref()).await {
                Ok(deployments) => break deployments,
                Err(error) if !error.is_transient() => {
                    warn!(namespace, %error, "cannot look which receivers are being replaced there");
                    break Vec::new();
                }
                Err(error) => {
                    warn!(namespace, %error, "cannot look which receivers are being replaced, and tries again");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        };
        for deployment in &deployments {
            let metadata = &deployment.metadata;
            let webhook = metadata
                .labels
                .as_ref()
                .and_then(|labels| labels.get(WEBHOOK_LABEL));
            if let (Some(namespace), Some(webhook), Some(began)) =
                (&metadata.namespace, webhook, upgrade(deployment))
            {
                let key = format!("{namespace}/{webhook}");
                context.rollouts.remember(&key, began, Progress::of(deployment));
            }
        }
    }
}

/// Wakes those whose turn to roll it is, and those that have to be told why it is not.
async fn follow_rollouts(context: Arc<Context>, wakers: Vec<Sender<Wake>>) {
    let mut news = context.rollouts.news();
    while news.changed().await.is_ok() {
        for webhook in context.rollouts.next() {
            if let Some((namespace, name)) = webhook.split_once('/') {
                wake(&ObjectRef::new(name).within(namespace), &wakers);
            }
        }
    }
}

async fn deployments(client: &Client, namespace: Option<&str>) -> Result<Vec<DynamicObject>, ApiError> {
    let kind = ApiResource::erase::<Deployment>(&());
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
        None => Api::all_with(client.clone(), &kind),
    };
    let ours = ListParams::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    Ok(api.list(&ours).await?.items)
}

async fn forget(context: Arc<Context>) {
    loop {
        tokio::time::sleep(FORGET).await;
        context.forget_gone();
    }
}
