//! `RouteReady`: whether Meta's requests find their way to the receivers.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::DynamicObject;
use serde_json::Value;
use wahook_crds::conditions::Reason;
use wahook_crds::{CertificateStatus, ParentRef};

use super::{Facts, Finding, reads_secrets, trouble};
use crate::apply::Outcome;
use crate::child::ChildKind;
use crate::hosts::Claim;
use crate::observe::SecretState;
use crate::validate::{Route, TlsSource, Via};

pub(super) fn finding(facts: &Facts<'_>) -> Finding {
    let route = &facts.validated.route;
    if let Some(finding) = lost(facts.claim, route) {
        return finding;
    }
    let kind = match route.via {
        Via::Ingress { .. } => ChildKind::Ingress,
        Via::Gateway(_) => ChildKind::HttpRoute,
    };
    let needed: &[ChildKind] = match route.tls {
        TlsSource::Issuer { .. } => &[ChildKind::Certificate, kind],
        _ => &[kind],
    };
    if let (TlsSource::Issuer { secret, .. }, SecretState::Foreign) =
        (&route.tls, &facts.observed.certificate)
    {
        return Finding::bad(
            Reason::NameConflict,
            format!(
                "The Secret {secret} is not one that cert-manager keeps this resource's certificate in, and is left as \
                 it is. Rename or remove it, or give the resource another name."
            ),
        );
    }
    if let Some(trouble) = trouble(facts.applied, &facts.validated.name, needed) {
        return trouble;
    }
    if let Some(missing) = needed
        .iter()
        .find(|kind| facts.applied.children.get(kind) == Some(&Outcome::NoSuchKind))
    {
        let resource = missing.resource();
        return Finding::bad(
            Reason::KindNotInstalled,
            format!(
                "The cluster has no {} ({}). Install what defines it, or change endpoint so that it is not needed.",
                resource.kind, resource.api_version
            ),
        );
    }
    if let Some(finding) = tls(facts) {
        return finding;
    }
    let Some(live) = facts.applied.children.get(&kind).and_then(Outcome::live) else {
        return Finding::unknown(Reason::Pending, "The route is not there yet.");
    };
    match &route.via {
        Via::Ingress { .. } => ingress(live, facts.settings.route.needs_address),
        Via::Gateway(parents) => http_route(live, parents, &facts.validated.namespace),
    }
}

fn lost(claim: &Claim, route: &Route) -> Option<Finding> {
    let message = match claim {
        Claim::Held => return None,
        Claim::LostTo(holder) => format!(
            "{} already leads to the WhatsAppWebhook {holder}. Use another host or path, or remove that resource.",
            route.url()
        ),
        Claim::LostToStranger => format!(
            "{} already leads to a WhatsAppWebhook of another namespace. Use another host. Namespaces share one by \
             path only where the operator's --allow-hosts gives it to each of them.",
            route.host
        ),
    };
    Some(Finding::bad(Reason::HostConflict, message))
}

/// What is wrong with the certificate.
fn tls(facts: &Facts<'_>) -> Option<Finding> {
    match &facts.validated.route.tls {
        TlsSource::Missing => Some(Finding::bad(
            Reason::TLSNotConfigured,
            "Nothing says where the certificate comes from, and Meta calls HTTPS only. Set endpoint.tls.issuerRef \
             or endpoint.tls.secretName; or run the operator with --issuer, or with \
             --ingress-default-certificate where the ingress controller's own certificate is right for the host.",
        )),
        TlsSource::Secret(name) if reads_secrets(facts) => {
            let state = facts.observed.secrets.get(name)?;
            match state {
                SecretState::Absent => Some(Finding::bad(
                    Reason::CertificatePending,
                    format!("endpoint.tls.secretName: there is no Secret {name}."),
                )),
                SecretState::Keys { .. }
                    if state.key("tls.crt") != Some(true) || state.key("tls.key") != Some(true) =>
                {
                    Some(Finding::bad(
                        Reason::CertificatePending,
                        format!("endpoint.tls.secretName: the Secret {name} lacks tls.crt or tls.key."),
                    ))
                }
                _ => None,
            }
        }
        TlsSource::Issuer { .. } => {
            let live = facts.applied.children.get(&ChildKind::Certificate)?.live()?;
            let ready = condition(&live.data["status"], "Ready");
            (ready.as_ref().map(|(status, _)| status.as_str()) != Some("True")).then(|| {
                let message = ready.map(|(_, message)| message).unwrap_or_default();
                Finding::bad(
                    Reason::CertificatePending,
                    format!("The certificate is not issued yet. {message}")
                        .trim_end()
                        .to_owned(),
                )
            })
        }
        _ => None,
    }
}

/// The status and message of a condition.
fn condition(status: &Value, kind: &str) -> Option<(String, String)> {
    let found = status["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    Some((text("status"), text("message")))
}

fn ingress(live: &DynamicObject, needs_address: bool) -> Finding {
    let addresses = live.data["status"]["loadBalancer"]["ingress"].as_array();
    let has_address = addresses.is_some_and(|addresses| !addresses.is_empty());
    if has_address {
        Finding::good(Reason::RouteAccepted, "The Ingress has an address.")
    } else if needs_address {
        Finding::bad(
            Reason::RoutePending,
            "The Ingress has no address yet: no ingress controller has taken it. Check its class, or run the \
             operator with --ingress-needs-address=false where controllers report none.",
        )
    } else {
        Finding::good(Reason::RouteAccepted, "The Ingress exists.")
    }
}

fn http_route(live: &DynamicObject, parents: &[ParentRef], namespace: &str) -> Finding {
    let generation = live.metadata.generation.unwrap_or_default();
    let answers: Vec<&Value> = live.data["status"]["parents"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    for parent in parents {
        let name = &parent.name;
        let answer = answers
            .iter()
            .find(|answer| is_parent(&answer["parentRef"], parent, namespace));
        let Some(answer) = answer else {
            return Finding::bad(
                Reason::RoutePending,
                format!(
                    "The Gateway {name} has not answered yet. Does it exist, and does a controller run it?"
                ),
            );
        };
        for kind in ["Accepted", "ResolvedRefs"] {
            let current = answer["conditions"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|condition| {
                    condition["type"] == kind
                        && condition["observedGeneration"].as_i64().unwrap_or(generation) >= generation
                });
            match condition(answer, kind) {
                Some((status, _)) if current && status == "True" => {}
                Some((status, message)) if current && status == "False" => {
                    return Finding::bad(
                        Reason::RouteRefused,
                        format!("The Gateway {name} refused the route: {message}"),
                    );
                }
                _ => {
                    return Finding::bad(
                        Reason::RoutePending,
                        format!("The Gateway {name} has not accepted the route yet."),
                    );
                }
            }
        }
    }
    Finding::good(
        Reason::RouteAccepted,
        "The Gateway has accepted the route. Its listener's certificate is not looked at here.",
    )
}

/// Whether a status is about this parent.
fn is_parent(found: &Value, parent: &ParentRef, namespace: &str) -> bool {
    let text = |field: &str| found[field].as_str();
    let wanted_namespace = parent.namespace.as_deref().unwrap_or(namespace);
    text("name") == Some(parent.name.as_str())
        && text("namespace").unwrap_or(namespace) == wanted_namespace
        && text("sectionName") == parent.section_name.as_deref()
        && found["port"].as_i64() == parent.port.map(i64::from)
}

/// The certificate as cert-manager reports it.
pub(super) fn certificate(facts: &Facts<'_>) -> Option<CertificateStatus> {
    let live = facts.applied.children.get(&ChildKind::Certificate)?.live()?;
    let not_after: Timestamp = live.data["status"]["notAfter"].as_str()?.parse().ok()?;
    Some(CertificateStatus {
        not_after: Some(Time(not_after)),
    })
}
