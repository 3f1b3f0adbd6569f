//! `ReceiverReady`: whether the receivers of the current generation run.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::DynamicObject;
use wahook_crds::conditions::{ConditionType, Reason};

use super::{Facts, Finding, find, trouble};
use crate::apply::{Because, Outcome, Progress, replicas};
use crate::child::ChildKind;
use crate::validate::Scale;

/// How long receivers that a change asked for may take: as long as the Deployment controller waits for a pod.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// Everything that is neither the way in nor a Secret.
const KINDS: [ChildKind; 10] = [
    ChildKind::ServiceAccount,
    ChildKind::Configuration,
    ChildKind::Events,
    ChildKind::Deployment,
    ChildKind::Service,
    ChildKind::PodDisruptionBudget,
    ChildKind::HorizontalPodAutoscaler,
    ChildKind::NetworkPolicy,
    ChildKind::ServiceMonitor,
    ChildKind::PrometheusRule,
];

pub(super) fn finding(facts: &Facts<'_>) -> Finding {
    if let Some(trouble) = trouble(facts.applied, &facts.validated.name, &KINDS) {
        return trouble;
    }
    match facts.applied.children.get(&ChildKind::Deployment) {
        Some(Outcome::Ready(_)) if facts.validated.spec.suspend => {
            Finding::bad(Reason::Suspended, "The webhook is suspended: no receiver runs.")
        }
        Some(Outcome::Ready(live)) => running(live, facts),
        Some(Outcome::Queued(live, because)) => {
            let running = running(live, facts);
            let mut message = queued(because, &facts.validated.namespace);
            if !running.holds() {
                message = format!("{} {message}", running.message);
            }
            Finding::new(running.truth, Reason::RolloutQueued, message)
        }
        _ => Finding::unknown(Reason::Pending, "The Deployment is not there yet."),
    }
}

fn queued(because: &Because, namespace: &str) -> String {
    let wait = match because {
        Because::Others => "They are replaced when the webhooks before this one have been.".to_owned(),
        // Whose it is in another namespace is not for this resource's readers. The operator's log names it.
        Because::Failed(webhook) => match webhook.split_once('/') {
            Some((of, name)) if of == namespace => format!(
                "They are not replaced, because the new ones of the WhatsAppWebhook {name} did not come up."
            ),
            _ => "They are not replaced, because the new ones of a WhatsAppWebhook of another namespace did not come \
                  up: the operator's log names it."
                .to_owned(),
        },
    };
    format!("The receivers run as another version of the operator made them. {wait}")
}

fn running(deployment: &DynamicObject, facts: &Facts<'_>) -> Finding {
    if let Some(fewer) = scaled_down(deployment, facts.validated.scale) {
        return fewer;
    }
    let wanted = replicas(deployment);
    let ready = i64::from(number(deployment, "readyReplicas"));
    let updated = i64::from(number(deployment, "updatedReplicas"));
    let how_many = format!("{ready} of {wanted} receivers are ready");
    let progress = Progress::of(deployment);
    let status = facts.resource.status.as_ref();
    let before = status.map_or(&[][..], |status| &status.conditions);
    if let (true, Some(why)) = (progress != Progress::Done, cannot_create(deployment)) {
        return Finding::bad(
            Reason::Unavailable,
            format!("{how_many}, and pods cannot be created: {why}"),
        );
    }
    match progress {
        Progress::Done => Finding::good(Reason::RolledOut, format!("{how_many}.")),
        Progress::Failed => Finding::bad(
            Reason::Unavailable,
            format!(
                "{how_many}, {updated} of them of the newest kind, and no more became ready in time. The pods' events \
                 and logs say why."
            ),
        ),
        // An autoscaler asks for more all the time: that those are not ready yet takes nothing away.
        Progress::Short if fewest(facts.validated.scale).is_some_and(|fewest| ready >= fewest) => {
            Finding::good(Reason::RolledOut, format!("{how_many}: more are starting."))
        }
        Progress::Short if were_ready(before, facts.validated.generation, facts.now.0) => Finding::bad(
            Reason::Unavailable,
            format!("{how_many}, although all were. The pods' events and logs say why."),
        ),
        Progress::Rolling | Progress::Short => Finding::bad(
            Reason::RollingOut,
            format!("{how_many}, {updated} of them of the newest kind."),
        ),
    }
}

/// Somebody may have asked for fewer receivers than the resource does, which is put right only when the Deployment's turn to
/// be changed comes. An autoscaler puts it right by itself, but never from none.
fn scaled_down(deployment: &DynamicObject, scale: Scale) -> Option<Finding> {
    let wanted = i64::from(match scale {
        Scale::Fixed(number) => number,
        Scale::Auto { .. } => 1,
    });
    let asked = replicas(deployment);
    (asked < wanted).then(|| {
        Finding::bad(
            Reason::Unavailable,
            format!("The Deployment was scaled to {asked} receivers, fewer than the resource asks for."),
        )
    })
}

/// How few receivers are enough where an autoscaler decides.
fn fewest(scale: Scale) -> Option<i64> {
    match scale {
        Scale::Auto { min, .. } => Some(min.into()),
        Scale::Fixed(_) => None,
    }
}

/// Whether the receivers of this very generation have been ready: then they are missed. Those that a change of the
/// resource just asked for are only awaited, but not for ever.
fn were_ready(conditions: &[Condition], generation: i64, now: Timestamp) -> bool {
    let Some(before) = find(conditions, ConditionType::ReceiverReady) else {
        return false;
    };
    let waited = now.duration_since(waiting_since(conditions, before));
    before.observed_generation == Some(generation)
        && (before.status == "True" || before.reason == Reason::Unavailable.as_str() || waited > PATIENCE)
}

/// Since when receivers are missed. While a webhook is suspended none is, and its condition is False all the same, which its
/// time does not tell apart. But nothing is reconciled then and nothing stalls: one of these two turned when it was resumed.
fn waiting_since(conditions: &[Condition], receiver: &Condition) -> Timestamp {
    [ConditionType::Reconciling, ConditionType::Stalled]
        .into_iter()
        .filter_map(|kind| find(conditions, kind).filter(|condition| condition.status == "True"))
        .map(|condition| condition.last_transition_time.0)
        .fold(receiver.last_transition_time.0, Timestamp::max)
}

/// Why the API server lets no pod be created: a quota, or an admission webhook.
fn cannot_create(deployment: &DynamicObject) -> Option<String> {
    let conditions = deployment.data["status"]["conditions"].as_array()?;
    let failure = conditions
        .iter()
        .find(|condition| condition["type"] == "ReplicaFailure" && condition["status"] == "True")?;
    Some(failure["message"].as_str().unwrap_or_default().to_owned())
}

/// A number of the Deployment's status; none is zero.
pub(super) fn number(deployment: &DynamicObject, field: &str) -> i32 {
    deployment.data["status"][field]
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .unwrap_or_default()
}

/// The selector of the Deployment's pods, as text.
pub(super) fn selector(deployment: &DynamicObject) -> Option<String> {
    let labels = deployment.data["spec"]["selector"]["matchLabels"].as_object()?;
    let pairs: Vec<String> = labels
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    Some(pairs.join(","))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use serde_json::json;

    use super::*;

    const GENERATION: i64 = 3;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn condition(kind: ConditionType, status: &str, reason: Reason, since: i64) -> Condition {
        Condition {
            type_: kind.as_str().to_owned(),
            status: status.to_owned(),
            reason: reason.as_str().to_owned(),
            message: String::new(),
            observed_generation: Some(GENERATION),
            last_transition_time: Time(at(since)),
        }
    }

    #[test]
    fn fewer_receivers_than_the_resource_asks_for_are_not_enough() {
        let auto = Scale::Auto {
            min: 3,
            max: 9,
            target_cpu_percent: 70,
        };
        for (scale, asked, enough) in [
            (Scale::Fixed(2), 0, false),
            (Scale::Fixed(2), 1, false),
            (Scale::Fixed(2), 2, true),
            (Scale::Fixed(2), 3, true),
            // Suspended.
            (Scale::Fixed(0), 0, true),
            // The autoscaler has not raised it yet.
            (auto, 2, true),
            (auto, 0, false),
        ] {
            let deployment: DynamicObject = serde_json::from_value(json!({
                "metadata": { "name": "d", "generation": 2 },
                "spec": { "replicas": asked },
                "status": { "observedGeneration": 2, "replicas": asked, "updatedReplicas": asked, "availableReplicas": asked },
            }))
            .unwrap();
            assert_eq!(Progress::of(&deployment), Progress::Done);
            let fewer = scaled_down(&deployment, scale);
            assert_eq!(fewer.is_none(), enough, "{scale:?} {asked}");
            assert!(fewer.is_none_or(|finding| !finding.holds()));
        }
    }

    #[test]
    fn receivers_are_missed_once_they_were_there_or_are_awaited_for_too_long() {
        let missed = |status: &str, reason: Reason, generation, minute| {
            let before = [condition(ConditionType::ReceiverReady, status, reason, 0)];
            were_ready(&before, generation, at(minute))
        };
        assert!(!were_ready(&[], GENERATION, at(60)));
        assert!(missed("True", Reason::RolledOut, GENERATION, 1));
        assert!(missed("False", Reason::Unavailable, GENERATION, 1));
        assert!(!missed("False", Reason::RollingOut, GENERATION, 10));
        assert!(missed("False", Reason::RollingOut, GENERATION, 11));
        // Others were asked for since.
        assert!(!missed("True", Reason::RolledOut, GENERATION + 1, 11));
    }

    #[test]
    fn nobody_waits_for_receivers_while_the_webhook_is_suspended() {
        let (resumed, reconciling, stalled) = (60, ConditionType::Reconciling, ConditionType::Stalled);
        for (begun, reason) in [
            (reconciling, Reason::Progressing),
            (stalled, Reason::HostConflict),
        ] {
            let other = if begun == stalled { reconciling } else { stalled };
            let before = [
                condition(ConditionType::ReceiverReady, "False", Reason::RollingOut, 0),
                condition(begun, "True", reason, resumed),
                condition(other, "False", Reason::UpToDate, 0),
            ];
            assert!(!were_ready(&before, GENERATION, at(resumed + 10)), "{begun}");
            assert!(were_ready(&before, GENERATION, at(resumed + 11)), "{begun}");
        }
    }
}
