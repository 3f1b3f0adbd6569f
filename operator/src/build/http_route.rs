//! The way from the host to the receivers: an HTTPRoute of the Gateway API.

use serde::Serialize;
use wahook_crds::ParentRef;

use super::child;
use crate::child::{Child, ChildKind};
use crate::names::WEBHOOK_PORT;
use crate::validate::{Validated, Via};

/// The part of an `HTTPRoute` (`gateway.networking.k8s.io/v1`) that is written.
#[derive(Serialize)]
struct HttpRoute<'a> {
    spec: Spec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    /// The resource spells them as the Gateway API does.
    parent_refs: &'a [ParentRef],
    hostnames: [&'a str; 1],
    rules: [Rule<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    matches: [Match<'a>; 1],
    backend_refs: [Backend; 1],
}

#[derive(Serialize)]
struct Match<'a> {
    path: Path<'a>,
}

#[derive(Serialize)]
struct Path<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct Backend {
    name: String,
    port: i32,
}

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    let route = &webhook.route;
    let Via::Gateway(parents) = &route.via else {
        return None;
    };
    let http_route = HttpRoute {
        spec: Spec {
            parent_refs: parents,
            hostnames: [&route.host],
            rules: [Rule {
                matches: [Match {
                    path: Path {
                        kind: "Exact",
                        value: &route.path,
                    },
                }],
                backend_refs: [Backend {
                    name: ChildKind::Service.name(&webhook.name),
                    port: WEBHOOK_PORT.0,
                }],
            }],
        },
    };
    Some(child(webhook, ChildKind::HttpRoute, &http_route))
}
