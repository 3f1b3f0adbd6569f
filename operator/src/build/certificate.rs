//! The host's certificate, issued by cert-manager.

use serde::Serialize;

use super::child;
use crate::child::{Child, ChildKind};
use crate::validate::{TlsSource, Validated};

/// The part of a `Certificate` (`cert-manager.io/v1`) that is written.
#[derive(Serialize)]
struct Certificate<'a> {
    spec: Spec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    secret_name: &'a str,
    dns_names: [&'a str; 1],
    issuer_ref: Issuer<'a>,
    private_key: PrivateKey,
    usages: [&'static str; 2],
}

#[derive(Serialize)]
struct Issuer<'a> {
    name: &'a str,
    kind: &'a str,
    group: &'a str,
}

/// A new key with each certificate: a key that leaked is of no use for long.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrivateKey {
    rotation_policy: &'static str,
}

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    let TlsSource::Issuer { issuer, secret } = &webhook.route.tls else {
        return None;
    };
    let certificate = Certificate {
        spec: Spec {
            secret_name: secret,
            dns_names: [&webhook.route.host],
            issuer_ref: Issuer {
                name: &issuer.name,
                kind: &issuer.kind,
                group: &issuer.group,
            },
            private_key: PrivateKey {
                rotation_policy: "Always",
            },
            usages: ["digital signature", "server auth"],
        },
    };
    Some(child(webhook, ChildKind::Certificate, &certificate))
}
