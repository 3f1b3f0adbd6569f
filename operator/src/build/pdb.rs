//! How many receivers may be away at a time when nodes are drained: one, where there is more than one.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{child, labels};
use crate::child::{Child, ChildKind};
use crate::validate::Validated;

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    // A suspended webhook keeps it: it harms nothing and is there when the receivers return.
    let receiver = &webhook.spec.receiver;
    let most = receiver
        .autoscaling
        .as_ref()
        .map_or(receiver.replicas, |auto| auto.max_replicas);
    let budget = PodDisruptionBudget {
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(labels::label_selector(&webhook.name)),
            // While the broker is away no receiver is ready; a node must not be held up by that.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    };
    (most > 1).then(|| child(webhook, ChildKind::PodDisruptionBudget, &budget))
}
