//! `spec.endpoint`: the host, what leads to it, and where its certificate comes from.

use std::collections::BTreeMap;

use wahook_crds::Endpoint;
use wahook_crds::conditions::{ConditionType, Reason};

use super::check::Check;
use super::model::{Route, TlsSource, Via};
use super::names::Names;
use crate::names;
use crate::settings::{Allow, Settings, issuer_name};

/// Reads the endpoint.
pub(super) fn read(resource: &Names, endpoint: &Endpoint, settings: &Settings, check: &mut Check) -> Route {
    if !is_host(&endpoint.host) {
        check.invalid(
            "endpoint.host must be a DNS name in lower case such as hooks.example.com, without scheme, port, \
             path or wildcard",
        );
    } else if !settings.allow.host(&resource.namespace, &endpoint.host) {
        check.refuse(
            ConditionType::RouteReady,
            Reason::HostNotAllowed,
            format!(
                "endpoint.host {} is not allowed in the namespace {}: use a host of this namespace, or ask who \
                 runs the operator for --allow-hosts {}={}",
                endpoint.host, resource.namespace, resource.namespace, endpoint.host
            ),
        );
    }
    if !is_path(&endpoint.path) {
        check.invalid(
            "endpoint.path must be a plain path such as /webhook: letters, digits and -._~ between single \
             slashes, and not /health",
        );
    }
    let issuer = endpoint.tls.as_ref().and_then(|tls| tls.issuer_ref.as_ref());
    if issuer.is_some_and(|issuer| !issuer.kind.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        check.invalid("endpoint.tls.issuerRef.kind must be a kind such as Issuer or ClusterIssuer");
    } else if let Some(issuer) = issuer
        && !settings.allow.issuer(issuer, settings.route.issuer.as_ref())
    {
        let name = issuer_name(issuer);
        check.refuse(
            ConditionType::RouteReady,
            Reason::SettingNotAllowed,
            format!(
                "endpoint.tls.issuerRef must not name {name}: leave it out to use the operator's default, use an Issuer \
                 of this namespace, or ask who runs the operator for --allow-issuers {name}"
            ),
        );
    }
    let via = via(endpoint, settings, check);
    let tls = tls(&resource.name, endpoint, &via, settings, check);
    Route {
        host: endpoint.host.clone(),
        path: endpoint.path.clone(),
        via,
        tls,
    }
}

fn via(endpoint: &Endpoint, settings: &Settings, check: &mut Check) -> Via {
    match (&endpoint.ingress, &endpoint.gateway, &settings.route.gateway) {
        (Some(_), Some(_), _) => {
            check.invalid("endpoint.ingress and endpoint.gateway exclude each other: keep one");
            Via::Gateway(Vec::new())
        }
        (None, Some(gateway), _) => {
            if gateway.parent_refs.is_empty() {
                check.invalid("endpoint.gateway.parentRefs must name at least one Gateway");
            }
            Via::Gateway(gateway.parent_refs.clone())
        }
        (None, None, Some(gateway)) => Via::Gateway(vec![gateway.clone()]),
        (ingress, None, _) => {
            let wanted = ingress.as_ref();
            let annotations = wanted.map(|ingress| &ingress.annotations);
            Via::Ingress {
                class: wanted
                    .and_then(|ingress| ingress.class_name.clone())
                    .or_else(|| settings.route.ingress_class.clone()),
                annotations: annotations
                    .map(|annotations| ingress_annotations(annotations, &settings.allow, check))
                    .unwrap_or_default(),
            }
        }
    }
}

/// A proxy's annotation can change what the proxy does for other hosts, so each has to be allowed.
fn ingress_annotations(
    wanted: &BTreeMap<String, String>,
    allow: &Allow,
    check: &mut Check,
) -> BTreeMap<String, String> {
    for key in wanted.keys() {
        if names::is_ours(key) || key == "kubernetes.io/ingress.class" || !allow.annotation(key) {
            check.refuse(
                ConditionType::RouteReady,
                Reason::SettingNotAllowed,
                format!(
                    "endpoint.ingress.annotations must not set {key}: remove it, or ask who runs the operator \
                     for --allow-annotations"
                ),
            );
        }
    }
    wanted.clone()
}

fn tls(name: &str, endpoint: &Endpoint, via: &Via, settings: &Settings, check: &mut Check) -> TlsSource {
    let issue_by = |issuer: &wahook_crds::IssuerRef| TlsSource::Issuer {
        issuer: issuer.clone(),
        secret: names::tls(name),
    };
    let wanted = endpoint.tls.as_ref();
    let by_gateway = matches!(via, Via::Gateway(_));
    match wanted.map(|tls| (&tls.secret_name, &tls.issuer_ref)) {
        Some((Some(_), None)) if by_gateway => {
            check.invalid(
                "endpoint.tls.secretName has no effect with a Gateway, whose listener names the certificate: \
                 remove it, or set endpoint.ingress to route with an Ingress",
            );
            TlsSource::Missing
        }
        Some((Some(secret), None)) => TlsSource::Secret(secret.clone()),
        Some((None, Some(issuer))) => issue_by(issuer),
        Some(_) => {
            check.invalid("endpoint.tls needs exactly one of secretName and issuerRef");
            TlsSource::Missing
        }
        None if by_gateway => TlsSource::Listener,
        None => match &settings.route.issuer {
            Some(issuer) => issue_by(issuer),
            None if settings.route.default_certificate => TlsSource::ControllerDefault,
            None => TlsSource::Missing,
        },
    }
}

/// Labels of a DNS name, at least two, the last of which begins with a letter.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253
        && host.contains('.')
        && host.split('.').all(label)
        && host
            .rsplit('.')
            .next()
            .is_some_and(|last| last.starts_with(|first: char| first.is_ascii_lowercase()))
}

/// What the receiver takes as a path.
fn is_path(path: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segment = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(unreserved);
    match path.strip_prefix('/') {
        Some("") => true,
        Some(rest) => path.len() <= 255 && rest != "health" && rest.split('/').all(segment),
        None => false,
    }
}
