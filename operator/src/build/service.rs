//! The address of the receivers inside the cluster. Routes lead to its port `webhook` only.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{child, labels};
use crate::child::{Child, ChildKind};
use crate::names::{ADMIN_PORT, WEBHOOK_PORT};
use crate::validate::Validated;

pub(super) fn build(webhook: &Validated) -> Child {
    let port = |(number, name): (i32, &str)| ServicePort {
        name: Some(name.to_owned()),
        port: number,
        target_port: Some(IntOrString::String(name.to_owned())),
        protocol: Some("TCP".to_owned()),
        app_protocol: Some("http".to_owned()),
        ..ServicePort::default()
    };
    let service = Service {
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(labels::selector(&webhook.name)),
            ports: Some(vec![port(WEBHOOK_PORT), port(ADMIN_PORT)]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    };
    child(webhook, ChildKind::Service, &service)
}
