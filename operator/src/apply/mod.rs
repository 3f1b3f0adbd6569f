//! Makes the children what they should be: creates, changes and removes them, in order, and nothing when nothing
//! has to be done. The only module that writes.

mod deployment;
mod drift;
mod ownership;
mod progress;
mod rollout;
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Secret;
use kube::api::DynamicObject;
use serde_json::Value;
use tracing::{info, warn};

pub use deployment::upgrade;
pub use drift::{difference, digest};
pub use ownership::{is_controller, is_ours, owns_replicas, replicas};
pub use progress::Progress;
pub use rollout::{Because, Began, Count, Permit, Rollouts};
pub use writer::Writer;

use crate::api_error::ApiError;
use crate::child::{Child, ChildKind};
use crate::names::APPLIED_ANNOTATION;
use crate::observe::{Found, Observed, SecretState};
use crate::validate::Scale;

/// What became of one kind of child.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is as it should be. The object is the API server's.
    Ready(Box<DynamicObject>),
    /// It is not wanted and not there.
    Gone,
    /// An object of its name belongs to someone else.
    Conflict,
    /// The cluster has no such kind.
    NoSuchKind,
    /// It is still as it was: its change waits until other webhooks have rolled.
    Queued(Box<DynamicObject>, Because),
    /// The API server refused it.
    Refused(String),
    /// It was not tried, because something it needs was refused.
    Skipped,
}

impl Outcome {
    /// The object as the API server has it.
    pub fn live(&self) -> Option<&DynamicObject> {
        match self {
            Self::Ready(object) | Self::Queued(object, _) => Some(object),
            _ => None,
        }
    }
}

/// What became of everything.
#[derive(Debug, Default)]
pub struct Applied {
    /// The children, all kinds of them.
    pub children: BTreeMap<ChildKind, Outcome>,
    /// Why the generated Secret is not there: what the API server said.
    pub generated_refused: Option<String>,
    /// Whether the generated Secret was created just now.
    pub generated_created: bool,
    /// What the API server could not do for one of the children, although it answers: an admission webhook that is
    /// down, for instance. The others were looked after all the same; the look has to be repeated.
    pub trouble: Option<ApiError>,
}

/// What should be there.
#[derive(Debug)]
pub struct Desired<'a> {
    /// The webhook, as logs and the roll-outs know it: `namespace/name`.
    pub key: &'a str,
    /// Its generation.
    pub generation: i64,
    /// The children, in the order they are applied.
    pub children: &'a [Child],
    /// The Secret to create when there is none.
    pub generated: Option<&'a Secret>,
    /// How many receivers run.
    pub scale: Scale,
}

/// Makes it so. What the API server refuses is part of the result and stops nothing that does not need it.
///
/// # Errors
/// Only such that concern every child and may be gone at the next try. What was done until then stays and is found by
/// the next look.
pub async fn apply(
    writer: &Writer,
    rollouts: &Rollouts,
    desired: &Desired<'_>,
    observed: &Observed,
) -> Result<Applied, ApiError> {
    let mut applied = Applied::default();
    if let (Some(secret), SecretState::Absent) = (desired.generated, &observed.generated) {
        match writer.create_secret(secret).await {
            Ok(()) => {
                info!(
                    webhook = desired.key,
                    "created the Secret with the generated values"
                );
                applied.generated_created = true;
            }
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => applied.generated_refused = Some(error.to_string()),
        }
    }

    let wanted: BTreeSet<ChildKind> = desired.children.iter().map(|child| child.kind).collect();
    // An autoscaler goes before the number of receivers is set, and comes after it.
    let early = [ChildKind::HorizontalPodAutoscaler];
    for kind in early.into_iter().filter(|kind| !wanted.contains(kind)) {
        let result = remove(writer, desired.key, observed, kind).await;
        let outcome = settle(&mut applied, result)?;
        applied.children.insert(kind, outcome);
    }
    for child in desired.children {
        let found = observed.children.get(&child.kind).unwrap_or(&Found::Absent);
        let outcome = if child.kind == ChildKind::Deployment && mounts_failed(&applied) {
            rollouts.forget(desired.key);
            Outcome::Skipped
        } else if child.kind == ChildKind::Deployment {
            let result = deployment::apply(writer, rollouts, desired, child, found).await;
            settle(&mut applied, result)?
        } else {
            let result = plain(writer, desired.key, child, found).await;
            settle(&mut applied, result)?
        };
        applied.children.insert(child.kind, outcome);
    }
    // What is not wanted goes last, so that there is a new way in before the old one is closed.
    for kind in ChildKind::ALL {
        if !wanted.contains(&kind) && !early.contains(&kind) {
            let result = remove(writer, desired.key, observed, kind).await;
            let outcome = settle(&mut applied, result)?;
            applied.children.insert(kind, outcome);
        }
    }
    Ok(applied)
}

/// Removes every route of a webhook that may not have its host any more. Everything else stays as it is.
///
/// # Errors
/// When one could not be removed.
pub async fn withdraw_routes(writer: &Writer, webhook: &str, observed: &Observed) -> Result<(), ApiError> {
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_route()) {
        remove(writer, webhook, observed, kind).await?;
    }
    Ok(())
}

/// Whether something that the pods mount or run as could not be made.
fn mounts_failed(applied: &Applied) -> bool {
    [ChildKind::ServiceAccount, ChildKind::Configuration]
        .iter()
        .any(|kind| !matches!(applied.children.get(kind), Some(Outcome::Ready(_))))
}

/// A refusal is a result, and so is what the API server cannot do for this one child; everything else that fails ends
/// the look, which is tried again.
fn settle(applied: &mut Applied, result: Result<Outcome, ApiError>) -> Result<Outcome, ApiError> {
    match result {
        Err(ApiError::Refused { code, message }) => Ok(Outcome::Refused(format!("{message} ({code})"))),
        Err(ApiError::NotFound) => Ok(Outcome::NoSuchKind),
        Err(error) => match error.of_one_object() {
            Some(told) => {
                applied.trouble.get_or_insert(error);
                Ok(Outcome::Refused(told))
            }
            None => Err(error),
        },
        Ok(outcome) => Ok(outcome),
    }
}

async fn plain(writer: &Writer, webhook: &str, child: &Child, found: &Found) -> Result<Outcome, ApiError> {
    let object = marked(&child.object);
    let resource = child.kind.resource();
    let live = match found {
        Found::Absent => writer.create(&resource, &object).await?,
        Found::Ours(live) => match change(&object, live) {
            None => return Ok(Outcome::Ready(live.clone())),
            Some(path) => {
                note_change(webhook, child.kind, &path);
                let uid = live.metadata.uid.as_deref().unwrap_or_default();
                writer.update(&resource, &object, uid).await?
            }
        },
        other => return Ok(untouched(other)),
    };
    note_refusal_to_keep(webhook, child.kind, &object, &live);
    Ok(Outcome::Ready(Box::new(live)))
}

/// What an object that is not written to is reported as.
fn untouched(found: &Found) -> Outcome {
    match found {
        Found::Absent => Outcome::Gone,
        Found::Ours(live) => Outcome::Ready(live.clone()),
        Found::Foreign => Outcome::Conflict,
        Found::NoSuchKind => Outcome::NoSuchKind,
        Found::Refused(message) => Outcome::Refused(message.clone()),
    }
}

async fn remove(
    writer: &Writer,
    webhook: &str,
    observed: &Observed,
    kind: ChildKind,
) -> Result<Outcome, ApiError> {
    let Some(Found::Ours(live)) = observed.children.get(&kind) else {
        return Ok(Outcome::Gone);
    };
    if live.metadata.deletion_timestamp.is_some() {
        return Ok(Outcome::Gone);
    }
    info!(webhook, ?kind, "removing what is not wanted any more");
    writer
        .delete(&kind.resource(), live)
        .await
        .map(|()| Outcome::Gone)
}

/// The object with the digest of itself, by which a field that is not wanted any more is noticed.
fn marked(object: &DynamicObject) -> DynamicObject {
    let mut object = object.clone();
    let digest = digest(&as_value(&object));
    let annotations = object.metadata.annotations.get_or_insert_default();
    annotations.insert(APPLIED_ANNOTATION.to_owned(), digest);
    object
}

/// What differs between an object as it should be, marked, and as it is.
fn change(desired: &DynamicObject, live: &DynamicObject) -> Option<String> {
    difference(&as_value(desired), &as_value(live))
}

fn as_value(object: &DynamicObject) -> Value {
    // Metadata and JSON always have a JSON form.
    serde_json::to_value(object).unwrap_or_default()
}

fn note_change(webhook: &str, kind: ChildKind, path: &str) {
    info!(webhook, ?kind, path, "changing what is not as it should be");
}

/// Someone may change what we write while we write it. It would be written again at each look.
fn note_refusal_to_keep(webhook: &str, kind: ChildKind, desired: &DynamicObject, live: &DynamicObject) {
    if let Some(path) = change(desired, live) {
        warn!(
            webhook,
            ?kind,
            path,
            "the API server or an admission webhook changed what was written"
        );
    }
}
