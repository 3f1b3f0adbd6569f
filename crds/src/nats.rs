//! `spec.nats`: the broker and how to reach it.
//!
//! Subject and inbox prefixes are not here: they separate tenants, so the operator alone sets them.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::reference::{CaConfigMapRef, CaSecretRef, SecretRef};
use crate::rules::{self, rule};
use crate::stream::Stream;

/// A host name, an IPv4 address or an IPv6 address in brackets, and no user. As CEL spells it, in which a
/// backslash is written twice.
const SERVER: &str = r"^(nats|tls)://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$";

/// The broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Nats::default")]
pub struct Nats {
    /// The servers, at most 16, as `nats://host:4222` or `tls://host:4222`. When empty the operator's own
    /// setting is used, and the operator makes the stream. When set, also to the same servers, the receivers make it
    /// with the credentials below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 512)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = rule(
            format!("self.all(url, url.matches('{SERVER}'))"),
            "nats.servers must be URLs such as nats://nats.example.com:4222; a user or password belongs into \
             nats.credentialsSecretRef",
        ),
    )]
    pub servers: Vec<String>,
    /// The credentials, from the resource's own namespace. None are sent when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<CredentialsRef>,
    /// Transport security of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<NatsTls>,
    /// The JetStream domain, when the stream lives behind a leaf node. At most 64 letters, digits, `_`, `-`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = rules::token("nats.domain"))]
    pub domain: Option<String>,
    /// The stream that events are stored in.
    pub stream: Stream,
}

/// A Secret with credentials for the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name(
        "nats.credentialsSecretRef.name",
        "a Secret in the same namespace",
    ))]
    pub name: String,
    /// The key of a credentials file (a user's JWT and seed). When absent the Secret's keys say what they
    /// are: `nats.creds`, `nats.nkey`, `nats.user` with `nats.password`, or `nats.token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::data_key("nats.credentialsSecretRef.key"))]
    pub key: Option<String>,
}

/// Transport security of the connection to the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "NatsTls::default")]
#[x_kube(validation = rule(
    "!(has(self.caSecretRef) && has(self.caConfigMapRef))",
    "nats.tls.caSecretRef and nats.tls.caConfigMapRef exclude each other: keep one",
))]
pub struct NatsTls {
    /// Refuse a connection without TLS. `false` by default; a `tls://` server needs TLS in any case.
    pub required: bool,
    /// Start TLS before the server's first line, for servers with `handshake_first`. Implies `required`.
    /// `false` by default.
    pub first: bool,
    /// The certificates to trust, PEM, in a Secret. The operator's own setting when absent, else the
    /// system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<CaSecretRef>,
    /// The certificates to trust, PEM, in a ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_config_map_ref: Option<CaConfigMapRef>,
    /// A Secret of type kubernetes.io/tls with the client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_secret_ref: Option<SecretRef>,
}
