//! Wakes a webhook when one of its children changes.
//!
//! Each kind has a watch and a pace of its own: a kind that cannot be watched, because a right is missing or it is not
//! installed, holds up no other. Only metadata is watched, and only of objects with our label.

use std::collections::HashMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures_util::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
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

/// What is watched of a child.
type Metadata = PartialObjectMeta<DynamicObject>;

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
    let events = watcher(api, config).default_backoff();
    let mut events = std::pin::pin!(events);
    let mut news = News::of(kind);
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                let Some(object) = news.in_event(event) else {
                    continue;
                };
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

/// Tells changes that matter from those that do not. An autoscaler writes its status every few seconds, and a budget at
/// every change of a pod; nobody here reads these.
enum News {
    /// Every change may matter.
    Any,
    /// Only one that somebody else than a controller's status made, by what was seen of each object.
    ButStatus(HashMap<String, u64>),
}

impl News {
    fn of(kind: ChildKind) -> Self {
        match kind {
            ChildKind::PodDisruptionBudget | ChildKind::HorizontalPodAutoscaler => {
                Self::ButStatus(HashMap::new())
            }
            _ => Self::Any,
        }
    }

    /// The object of an event that matters.
    fn in_event(&mut self, event: Event<Metadata>) -> Option<Metadata> {
        match (event, self) {
            (Event::Init | Event::InitDone, _) => None,
            (Event::Apply(object) | Event::InitApply(object) | Event::Delete(object), Self::Any) => {
                Some(object)
            }
            (Event::Apply(object) | Event::InitApply(object), Self::ButStatus(seen)) => {
                let now = but_status(&object.metadata);
                (seen.insert(key(&object), now) != Some(now)).then_some(object)
            }
            (Event::Delete(object), Self::ButStatus(seen)) => {
                seen.remove(&key(&object));
                Some(object)
            }
        }
    }
}

fn key(object: &Metadata) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// A digest of everything that changes with an object but not with its status alone. Who wrote what when is part of the
/// metadata, which tells of changes that are not.
fn but_status(metadata: &ObjectMeta) -> u64 {
    let mut metadata = metadata.clone();
    metadata.resource_version = None;
    if let Some(fields) = &mut metadata.managed_fields {
        fields.retain(|written| written.subresource.as_deref() != Some("status"));
    }
    let mut hasher = DefaultHasher::new();
    // Metadata always have a JSON form.
    serde_json::to_string(&metadata)
        .unwrap_or_default()
        .hash(&mut hasher);
    hasher.finish()
}

fn api(client: &Client, kind: ChildKind, namespace: Option<&str>) -> Api<Metadata> {
    let resource = kind.resource();
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// The webhooks that own an object.
fn owners(object: &Metadata) -> impl Iterator<Item = Wake> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str, written: &[(&str, Option<&str>, &str)]) -> Metadata {
        let managed: Vec<_> = written
            .iter()
            .map(|(manager, subresource, time)| {
                json!({ "manager": manager, "operation": "Apply", "subresource": subresource, "time": time })
            })
            .collect();
        serde_json::from_value(json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": { "namespace": "shop", "name": "main-webhook", "resourceVersion": version, "managedFields": managed },
        }))
        .unwrap()
    }

    #[test]
    fn a_status_of_an_autoscaler_is_no_news() {
        const EARLY: &str = "2026-01-01T00:00:00Z";
        const LATE: &str = "2026-01-01T00:00:15Z";
        let ours = ("wahook-operator", None, EARLY);
        let mut news = News::of(ChildKind::HorizontalPodAutoscaler);
        let mut is_news = |event| news.in_event(event).is_some();
        assert!(is_news(Event::InitApply(object("1", &[ours]))));
        assert!(!is_news(Event::Apply(object(
            "2",
            &[ours, ("hpa", Some("status"), EARLY)]
        ))));
        assert!(!is_news(Event::Apply(object(
            "3",
            &[ours, ("hpa", Some("status"), LATE)]
        ))));
        // After the watch began again.
        assert!(!is_news(Event::InitApply(object(
            "3",
            &[ours, ("hpa", Some("status"), LATE)]
        ))));
        assert!(is_news(Event::Apply(object(
            "4",
            &[ours, ("kubectl", None, LATE)]
        ))));
        assert!(is_news(Event::Delete(object(
            "5",
            &[ours, ("kubectl", None, LATE)]
        ))));
        assert!(is_news(Event::Apply(object(
            "6",
            &[ours, ("kubectl", None, LATE)]
        ))));

        let mut any = News::of(ChildKind::Deployment);
        for version in ["1", "2"] {
            assert!(any.in_event(Event::Apply(object(version, &[ours]))).is_some());
        }
    }
}
