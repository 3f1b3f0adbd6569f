//! From a [`Validated`] to every child it should have. Pure, and it cannot fail: what could go wrong was
//! refused before.
//!
//! One file per child, in the order they are applied: `service_account`, `configuration`, `events`,
//! `deployment` (with `pod`), `service`, `pdb`, `hpa`, `network_policy`, `certificate`, `ingress`,
//! `http_route`, `service_monitor`, `prometheus_rule`. `secret` is the one that is created once and never
//! applied.

pub mod alerts;
mod certificate;
pub mod configuration;
mod deployment;
mod events;
mod hpa;
mod http_route;
mod ingress;
pub mod labels;
mod network_policy;
mod pdb;
mod pod;
pub mod prometheus_rule;
pub mod quantity;
pub mod secret;
mod service;
mod service_account;
mod service_monitor;

pub use secret::{GeneratedSecret, generated_secret};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DynamicObject, TypeMeta};
use serde::Serialize;
use serde_json::Value;

use crate::child::{Child, ChildKind};
use crate::settings::Settings;
use crate::validate::Validated;
use labels::Pairs;

/// Every child a webhook should have, in the order of [`ChildKind::ALL`]. Routes are among them, as if
/// the host were the webhook's own: see [`without_route`].
pub fn build(webhook: &Validated, settings: &Settings) -> Vec<Child> {
    let configuration = configuration::configuration(webhook, settings);
    [
        Some(service_account::build(webhook)),
        Some(configuration::build(webhook, &configuration)),
        Some(events::build(webhook)),
        Some(deployment::build(webhook, &configuration)),
        Some(service::build(webhook)),
        pdb::build(webhook),
        hpa::build(webhook),
        network_policy::build(webhook, settings),
        certificate::build(webhook),
        ingress::build(webhook),
        http_route::build(webhook),
        service_monitor::build(webhook),
        prometheus_rule::build(webhook),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same without a way in, for a webhook whose host leads to another: no route, and no URL for consumers.
pub fn without_route(mut children: Vec<Child>) -> Vec<Child> {
    children.retain(|child| !child.kind.is_route());
    for events in children
        .iter_mut()
        .filter(|child| child.kind == ChildKind::Events)
    {
        events::withhold_url(&mut events.object);
    }
    children
}

/// The metadata of a child.
fn metadata(webhook: &Validated, kind: ChildKind) -> ObjectMeta {
    ObjectMeta {
        name: Some(kind.name(&webhook.name)),
        namespace: Some(webhook.namespace.clone()),
        labels: Some(labels::common(&webhook.name)),
        owner_references: owner(webhook),
        ..ObjectMeta::default()
    }
}

/// The webhook as the owner of a child. A resource that no API server has seen has no UID and owns nothing.
fn owner(webhook: &Validated) -> Option<Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference>> {
    (!webhook.owner.uid.is_empty()).then(|| vec![webhook.owner.clone()])
}

/// A child with the usual metadata. Of `content` the type and metadata do not count.
fn child(webhook: &Validated, kind: ChildKind, content: &impl Serialize) -> Child {
    child_with(kind, metadata(webhook, kind), content)
}

/// A child with further labels, over which the usual ones win.
fn labelled(webhook: &Validated, kind: ChildKind, theirs: &Pairs, content: &impl Serialize) -> Child {
    let mut metadata = metadata(webhook, kind);
    metadata.labels = metadata.labels.map(|ours| labels::over(theirs, ours));
    child_with(kind, metadata, content)
}

fn child_with(kind: ChildKind, metadata: ObjectMeta, content: &impl Serialize) -> Child {
    // Cannot fail: the types have text for keys and no serializer of their own that does.
    let mut data = serde_json::to_value(content).unwrap_or_default();
    if let Value::Object(fields) = &mut data {
        for elsewhere in ["apiVersion", "kind", "metadata"] {
            fields.remove(elsewhere);
        }
    }
    let resource = kind.resource();
    Child {
        kind,
        object: DynamicObject {
            types: Some(TypeMeta {
                api_version: resource.api_version,
                kind: resource.kind,
            }),
            metadata,
            data,
        },
    }
}
