//! The way from the host to the receivers: an Ingress.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::labels::{self, Pairs};
use super::{child_with, metadata};
use crate::child::{Child, ChildKind};
use crate::names::WEBHOOK_PORT;
use crate::validate::{TlsSource, Validated, Via};

/// ingress-nginx takes 1 MiB by default, and Meta sends up to 3 MB.
const BODY_SIZE: &str = "nginx.ingress.kubernetes.io/proxy-body-size";
/// Meta waits for 20 seconds.
const READ_TIMEOUT: (&str, &str) = ("nginx.ingress.kubernetes.io/proxy-read-timeout", "30");

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    let route = &webhook.route;
    let Via::Ingress { class, annotations } = &route.via else {
        return None;
    };
    let kind = ChildKind::Ingress;
    let mut metadata = metadata(webhook, kind);
    // What the operator's flags allow may replace ours.
    metadata.annotations = Some(labels::over(&for_nginx(webhook), annotations.clone()));
    let secret = match &route.tls {
        TlsSource::Secret(secret) | TlsSource::Issuer { secret, .. } => Some(Some(secret.clone())),
        // The controller then serves its default certificate for the host.
        TlsSource::ControllerDefault => Some(None),
        TlsSource::Listener | TlsSource::Missing => None,
    };
    let ingress = Ingress {
        spec: Some(IngressSpec {
            ingress_class_name: class.clone(),
            rules: Some(vec![IngressRule {
                host: Some(route.host.clone()),
                http: Some(HTTPIngressRuleValue {
                    paths: vec![HTTPIngressPath {
                        path: Some(route.path.clone()),
                        path_type: "Exact".to_owned(),
                        backend: backend(webhook),
                    }],
                }),
            }]),
            tls: secret.map(|secret_name| {
                vec![IngressTLS {
                    hosts: Some(vec![route.host.clone()]),
                    secret_name,
                }]
            }),
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    };
    Some(child_with(kind, metadata, &ingress))
}

/// Room for the largest body the receiver takes, and a little more, so that it is the receiver who answers.
fn for_nginx(webhook: &Validated) -> Pairs {
    let mebibytes = (webhook.limits.body_bytes >> 20) + 1;
    labels::pairs([(BODY_SIZE, &format!("{mebibytes}m")), READ_TIMEOUT])
}

fn backend(webhook: &Validated) -> IngressBackend {
    IngressBackend {
        service: Some(IngressServiceBackend {
            name: ChildKind::Service.name(&webhook.name),
            port: Some(ServiceBackendPort {
                name: Some(WEBHOOK_PORT.1.to_owned()),
                number: None,
            }),
        }),
        ..IngressBackend::default()
    }
}
