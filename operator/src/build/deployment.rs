//! The Deployment of the receivers.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::configuration::Configuration;
use super::{child_with, labels, metadata, pod};
use crate::child::{Child, ChildKind};
use crate::names;
use crate::validate::{Scale, Validated};

pub(super) fn build(webhook: &Validated, configuration: &Configuration) -> Child {
    let kind = ChildKind::Deployment;
    let mut metadata = metadata(webhook, kind);
    metadata.labels = Some(labels::versioned(&webhook.name, &webhook.image));
    metadata.annotations = Some(labels::pairs([(
        names::GENERATION_ANNOTATION,
        &webhook.generation.to_string(),
    )]));
    let deployment = Deployment {
        spec: Some(DeploymentSpec {
            replicas: match webhook.scale {
                Scale::Fixed(replicas) => Some(replicas),
                // The autoscaler's.
                Scale::Auto { .. } => None,
            },
            revision_history_limit: Some(3),
            selector: labels::label_selector(&webhook.name),
            // A new receiver is ready before an old one goes.
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_unavailable: Some(IntOrString::Int(0)),
                    max_surge: Some(IntOrString::Int(1)),
                }),
            }),
            template: pod::template(webhook, configuration),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    };
    child_with(kind, metadata, &deployment)
}
