//! Wakes a webhook when one of its children changes.
//!
//! Each kind has a watch and a pace of its own: a kind that cannot be watched, because a right is missing or it is not
//! installed, holds up no other. Only metadata is watched, and only of objects with our label.

use std::future::Future;

use futures_util::StreamExt;
use kube::api::{Api, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource, ResourceExt};
use tokio::sync::mpsc::Sender;
use tracing::warn;
use wahook_crds::WhatsAppWebhook;

use super::context::Context;
use crate::child::ChildKind;
use crate::names::{MANAGED_BY, MANAGED_BY_LABEL};
use crate::observe::Kinds;
use crate::resource::Guarded;

/// Whom to wake.
pub(super) type Wake = ObjectRef<Guarded>;

/// Watches one kind in one namespace, or in all, for ever. An optional kind only while it is installed.
pub(super) async fn follow(
    context: std::sync::Arc<Context>,
    kind: ChildKind,
    namespace: Option<String>,
    wake: Sender<Wake>,
) {
    loop {
        installed(&context.kinds, kind, true).await;
        let watch = watch(&context, kind, namespace.as_deref(), &wake);
        // Ends when the kind does.
        tokio::select! {
            () = watch => return,
            () = installed(&context.kinds, kind, false) => {}
        }
    }
}

/// Waits until an optional kind is there, or is not.
fn installed(kinds: &Kinds, kind: ChildKind, wanted: bool) -> impl Future<Output = ()> + use<> {
    let mut changes = kinds.subscribe();
    async move {
        // The sender lives as long as the context. Should it be gone, there is nothing to wait for.
        let _ = changes
            .wait_for(|installed| (!kind.is_optional() || installed.contains(&kind)) == wanted)
            .await;
    }
}

async fn watch(context: &Context, kind: ChildKind, namespace: Option<&str>, wake: &Sender<Wake>) {
    let api = api(&context.client, kind, namespace);
    let config = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
    let objects = watcher(api, config).default_backoff().touched_objects();
    let mut objects = std::pin::pin!(objects);
    while let Some(object) = objects.next().await {
        match object {
            Ok(object) => {
                for owner in owners(&object) {
                    if wake.send(owner).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                context.metrics.watch_failed(&kind.resource().kind);
                warn!(?kind, error = %describe(&error), "a watch failed and begins again");
            }
        }
    }
}

fn api(client: &Client, kind: ChildKind, namespace: Option<&str>) -> Api<PartialObjectMeta<DynamicObject>> {
    let resource = kind.resource();
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// The webhooks that own an object.
fn owners(object: &PartialObjectMeta<DynamicObject>) -> impl Iterator<Item = Wake> {
    let namespace = object.namespace();
    object
        .owner_references()
        .iter()
        .filter(|owner| {
            owner.kind == WhatsAppWebhook::kind(&())
                && owner.api_version.split('/').next() == Some(&*WhatsAppWebhook::group(&()))
        })
        .filter_map(move |owner| Some(ObjectRef::new(&owner.name).within(namespace.as_deref()?)))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Without the object that a watch may have stumbled over.
pub(super) fn describe(error: &watcher::Error) -> String {
    match error {
        watcher::Error::WatchError(status) => status.message.clone(),
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => match error {
            kube::Error::SerdeError(_) => "an object could not be read".to_owned(),
            other => other.to_string(),
        },
        other @ watcher::Error::NoResourceVersion => other.to_string(),
    }
}
