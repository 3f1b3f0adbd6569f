//! How many receivers run, decided by their load.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec,
    MetricTarget, ResourceMetricSource,
};

use super::child;
use crate::child::{Child, ChildKind};
use crate::validate::{Scale, Validated};

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    let Scale::Auto {
        min,
        max,
        target_cpu_percent,
    } = webhook.scale
    else {
        return None;
    };
    let target = ChildKind::Deployment;
    let autoscaler = HorizontalPodAutoscaler {
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some(target.resource().api_version),
                kind: target.resource().kind,
                name: target.name(&webhook.name),
            },
            min_replicas: Some(min),
            max_replicas: max,
            metrics: Some(vec![MetricSpec {
                type_: "Resource".to_owned(),
                resource: Some(ResourceMetricSource {
                    name: "cpu".to_owned(),
                    target: MetricTarget {
                        type_: "Utilization".to_owned(),
                        average_utilization: Some(target_cpu_percent),
                        ..MetricTarget::default()
                    },
                }),
                ..MetricSpec::default()
            }]),
            ..HorizontalPodAutoscalerSpec::default()
        }),
        ..HorizontalPodAutoscaler::default()
    };
    Some(child(webhook, ChildKind::HorizontalPodAutoscaler, &autoscaler))
}
