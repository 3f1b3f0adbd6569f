//! The Deployment, which needs more care than other children: its number of pods may be an autoscaler's, and a
//! change of its pods that nobody asked for waits for its turn.

use kube::api::DynamicObject;
use serde_json::{Value, json};
use tracing::info;

use super::progress::Progress;
use super::rollout::{Began, Permit, Rollouts};
use super::{
    ApiError, Desired, Found, Outcome, Writer, change, digest, marked, note_change, note_refusal_to_keep,
    owns_replicas, replicas, untouched,
};
use crate::child::Child;
use crate::names::{GENERATION_ANNOTATION, TEMPLATE_ANNOTATION, UPGRADE_ANNOTATION};
use crate::validate::Scale;

pub(super) async fn apply(
    writer: &Writer,
    rollouts: &Rollouts,
    desired: &Desired<'_>,
    child: &Child,
    found: &Found,
) -> Result<Outcome, ApiError> {
    let template = with_template_digest(&child.object);
    let resource = child.kind.resource();
    let live = match found {
        Found::Absent => {
            let first = with_first_replicas(&marked(&template), desired.scale);
            writer.create(&resource, &first).await?
        }
        Found::Ours(live) => (**live).clone(),
        other => {
            rollouts.forget(desired.key);
            return Ok(untouched(other));
        }
    };

    let mark = if comes_from_upgrade(&template, &live, desired.generation) {
        let began = Began::of(&live);
        match rollouts.ask(desired.key, began) {
            Permit::Go => info!(
                webhook = desired.key,
                "rolling the receivers of another operator version"
            ),
            Permit::Wait(because) => return Ok(Outcome::Queued(Box::new(live), because)),
        }
        Some(mark(&template, began))
    } else {
        let mark = annotation(&live, UPGRADE_ANNOTATION).filter(|mark| began(mark, &template).is_some());
        if mark.is_some() {
            rollouts.saw(desired.key, Progress::of(&live));
        } else {
            rollouts.forget(desired.key);
        }
        mark.map(ToOwned::to_owned)
    };
    let object = marked(&with_mark(template, mark));
    let difference = change(&object, &live);

    let uid = live.metadata.uid.clone().unwrap_or_default();
    let (live, handed_over) = hand_over(writer, &resource, desired.scale, live).await?;
    if difference.is_none() && !handed_over {
        return Ok(Outcome::Ready(Box::new(live)));
    }
    if let Some(path) = difference {
        note_change(desired.key, child.kind, &path);
    }
    let live = writer.update(&resource, &object, &uid).await?;
    note_refusal_to_keep(desired.key, child.kind, &object, &live);
    Ok(Outcome::Ready(Box::new(live)))
}

/// Gives `replicas` to a manager of its own before it is left out of what we apply: Kubernetes would set a field
/// that nobody holds to its default, one. Also wakes an autoscaler, which never scales up from none.
///
/// Answers whether our own hold has to be given up now, by applying without the field.
async fn hand_over(
    writer: &Writer,
    resource: &kube::api::ApiResource,
    scale: Scale,
    live: DynamicObject,
) -> Result<(DynamicObject, bool), ApiError> {
    let Scale::Auto { min, .. } = scale else {
        return Ok((live, false));
    };
    let held = owns_replicas(&live);
    let now = replicas(&live);
    if !held && now > 0 {
        return Ok((live, false));
    }
    let live = writer.replicas(resource, &live, now.max(i64::from(min))).await?;
    Ok((live, held))
}

/// An autoscaled Deployment begins with the fewest receivers allowed, and not with Kubernetes' default of one.
fn with_first_replicas(object: &DynamicObject, scale: Scale) -> DynamicObject {
    let mut object = object.clone();
    if let Scale::Auto { min, .. } = scale {
        object.data["spec"]["replicas"] = json!(min);
    }
    object
}

fn with_template_digest(object: &DynamicObject) -> DynamicObject {
    let mut object = object.clone();
    let digest = digest(object.data.pointer("/spec/template").unwrap_or(&Value::Null));
    let annotations = object.metadata.annotations.get_or_insert_default();
    annotations.insert(TEMPLATE_ANNOTATION.to_owned(), digest);
    object
}

/// Whether the pods would be replaced although the resource is the one they were made from.
fn comes_from_upgrade(object: &DynamicObject, live: &DynamicObject, generation: i64) -> bool {
    annotation(live, GENERATION_ANNOTATION) == Some(generation.to_string().as_str())
        && annotation(live, TEMPLATE_ANNOTATION) != annotation(object, TEMPLATE_ANNOTATION)
}

/// How a roll-out began that the operator itself began and that the Deployment's pods are still of.
pub fn upgrade(deployment: &DynamicObject) -> Option<Began> {
    began(annotation(deployment, UPGRADE_ANNOTATION)?, deployment)
}

/// The mark of a roll-out to this template.
fn mark(template: &DynamicObject, began: Began) -> String {
    let digest = annotation(template, TEMPLATE_ANNOTATION).unwrap_or_default();
    match began {
        Began::Serving => digest.to_owned(),
        Began::Idle => format!("{digest}.idle"),
    }
}

/// Reads a mark; nothing when it is of another template.
fn began(text: &str, template: &DynamicObject) -> Option<Began> {
    [Began::Serving, Began::Idle]
        .into_iter()
        .find(|began| mark(template, *began) == text)
}

fn with_mark(mut object: DynamicObject, mark: Option<String>) -> DynamicObject {
    if let Some(mark) = mark {
        let annotations = object.metadata.annotations.get_or_insert_default();
        annotations.insert(UPGRADE_ANNOTATION.to_owned(), mark);
    }
    object
}

fn annotation<'a>(object: &'a DynamicObject, name: &str) -> Option<&'a str> {
    object
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(name))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(generation: &str, image: &str) -> DynamicObject {
        let object: DynamicObject = serde_json::from_value(json!({
            "metadata": { "name": "d", "annotations": { GENERATION_ANNOTATION: generation } },
            "spec": { "template": { "spec": { "containers": [{ "name": "receiver", "image": image }] } } },
        }))
        .unwrap();
        with_template_digest(&object)
    }

    #[test]
    fn only_a_template_that_nobody_changed_comes_from_an_upgrade() {
        let live = deployment("3", "receiver:1");
        assert!(comes_from_upgrade(&deployment("3", "receiver:2"), &live, 3));
        assert!(!comes_from_upgrade(&deployment("3", "receiver:1"), &live, 3));
        assert!(!comes_from_upgrade(&deployment("4", "receiver:2"), &live, 4));
    }

    #[test]
    fn a_mark_is_of_one_template() {
        for way in [Began::Serving, Began::Idle] {
            let template = deployment("3", "receiver:2");
            let text = mark(&template, way);
            let rolled = with_mark(template, Some(text.clone()));
            assert_eq!(upgrade(&rolled), Some(way));
            // A user's change, or another upgrade.
            let mut changed = deployment("4", "receiver:3");
            assert_eq!(upgrade(&changed), None);
            changed = with_mark(changed, Some(text));
            assert_eq!(upgrade(&changed), None);
        }
    }

    #[test]
    fn an_autoscaled_deployment_never_begins_with_one() {
        let auto = Scale::Auto {
            min: 3,
            max: 9,
            target_cpu_percent: 70,
        };
        let object = deployment("1", "receiver:1");
        assert_eq!(replicas(&with_first_replicas(&object, auto)), 3);
        assert_eq!(with_first_replicas(&object, Scale::Fixed(2)), object);
    }

    #[test]
    fn the_digest_is_of_the_template_alone() {
        let one = deployment("3", "receiver:1");
        let mut other = one.clone();
        other.data["spec"]["replicas"] = json!(7);
        let other = with_template_digest(&other);
        assert_eq!(one.metadata.annotations, other.metadata.annotations);
        assert_ne!(
            one.metadata.annotations,
            deployment("3", "receiver:2").metadata.annotations
        );
    }
}
