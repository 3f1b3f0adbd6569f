//! `ReceiverReady`: whether the receivers of the current generation run.

use kube::api::DynamicObject;
use wahook_crds::conditions::Reason;

use super::{Facts, Finding, trouble};
use crate::apply::{Outcome, RolloutState, replicas};
use crate::child::ChildKind;

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
        Some(Outcome::Ready(live)) => running(live),
        Some(Outcome::Queued(live)) => Finding::new(
            running(live).truth,
            Reason::RolloutQueued,
            "The receivers run as another version of the operator made them. They are replaced when the webhooks \
             before this one have been, and only if those came up.",
        ),
        _ => Finding::unknown(Reason::Pending, "The Deployment is not there yet."),
    }
}

fn running(deployment: &DynamicObject) -> Finding {
    let wanted = replicas(deployment);
    let ready = i64::from(number(deployment, "readyReplicas"));
    let updated = i64::from(number(deployment, "updatedReplicas"));
    match RolloutState::of(deployment) {
        RolloutState::Done => Finding::good(
            Reason::RolledOut,
            format!("{ready} of {wanted} receivers are ready."),
        ),
        RolloutState::Failed => Finding::bad(
            Reason::Unavailable,
            format!(
                "{ready} of {wanted} receivers are ready, {updated} of them of the newest kind, and no more became \
                 ready in time. The pods' events and logs say why."
            ),
        ),
        RolloutState::Rolling => Finding::bad(
            Reason::RollingOut,
            format!("{ready} of {wanted} receivers are ready, {updated} of them of the newest kind."),
        ),
    }
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
