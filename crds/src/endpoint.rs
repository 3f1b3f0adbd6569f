//! `spec.endpoint`: the URL Meta calls and the route that leads from it to the receivers.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{self, matches, rule};

/// Labels of a DNS name, the last of which begins with a letter: not an IP address.
const HOST: &str = "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$";
/// A slash, or slashes each followed by unreserved characters (RFC 3986, section 2.3): no proxy spells such
/// a path differently.
const PATH: &str = "^(/|(/[A-Za-z0-9._~-]+)+)$";

/// Where Meta reaches the webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rule(
        "!(has(self.ingress) && has(self.gateway))",
        "endpoint.ingress and endpoint.gateway exclude each other: keep one",
    ),
    validation = rule(
        "!(has(self.gateway) && has(self.tls) && has(self.tls.secretName))",
        "endpoint.tls.secretName has no effect with endpoint.gateway: the Gateway's listener names the \
         certificate",
    ),
)]
pub struct Endpoint {
    /// The public host name: a DNS name in lower case such as `hooks.example.com`. No scheme, port, wildcard
    /// or IP address. It becomes part of the callback URL that is registered with Meta.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = matches(
        "endpoint.host",
        HOST,
        "must be a DNS name in lower case such as hooks.example.com, without scheme, port, path or wildcard",
    ))]
    pub host: String,
    /// The path of the webhook, matched exactly. Letters, digits and `-._~` between single slashes; not
    /// `/health`, which answers health checks. `/webhook` by default.
    #[serde(default = "path")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(
        validation = matches(
            "endpoint.path",
            PATH,
            "must be a plain path such as /webhook: letters, digits and -._~ between single slashes",
        ),
        validation = rule(
            "!self.matches('/[.]{1,2}(/|$)')",
            "endpoint.path must not have '.' or '..' between slashes",
        ),
        validation = rule(
            "self != '/health'",
            "endpoint.path must not be /health, which answers health checks",
        ),
    )]
    pub path: String,
    /// Route with an Ingress. This is what happens when neither `ingress` nor `gateway` is set; set it to
    /// choose the class or to add annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// Route with an HTTPRoute of the Gateway API instead of an Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
    /// The certificate for the host. Without it the operator's default issuer makes one; without such an issuer the
    /// ingress controller's default certificate is served where the operator's flags say that it fits, and otherwise
    /// the webhook is not ready (TLSNotConfigured). With a Gateway the listener has the certificate. Meta accepts no
    /// self-signed certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// The Ingress that is created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    /// The IngressClass. The cluster's default class when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("endpoint.ingress.className", "an IngressClass"))]
    pub class_name: Option<String>,
    /// Annotations of the Ingress, at most 32. Only those that the operator's flags allow are accepted, as
    /// many controllers let an annotation change their own configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), transform = crate::schema::long_values)]
    #[x_kube(
        validation = rules::foreign_keys("endpoint.ingress.annotations"),
        validation = rules::qualified_keys("endpoint.ingress.annotations"),
        validation = rule(
            "!('kubernetes.io/ingress.class' in self)",
            "endpoint.ingress.annotations must not set kubernetes.io/ingress.class: use \
             endpoint.ingress.className",
        ),
    )]
    pub annotations: BTreeMap<String, String>,
}

/// The HTTPRoute that is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// The Gateways the route attaches to, 1 to 8.
    #[schemars(length(min = 1, max = 8))]
    pub parent_refs: Vec<ParentRef>,
}

/// What a route attaches to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// The API group. `gateway.networking.k8s.io` by default.
    #[serde(default = "gateway_group")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("endpoint.gateway.parentRefs.group", "an API group"))]
    pub group: String,
    /// The kind: Gateway or ListenerSet. `Gateway` by default.
    #[serde(default)]
    pub kind: ParentKind,
    /// The namespace of the Gateway. The resource's own when absent. The Gateway decides with its
    /// `allowedRoutes` whose routes it accepts, so this is the one reference that may leave the namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = matches(
        "endpoint.gateway.parentRefs.namespace",
        "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        "must be the name of a namespace: lower-case letters, digits and '-'",
    ))]
    pub namespace: Option<String>,
    /// The name of the Gateway.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("endpoint.gateway.parentRefs.name", "a Gateway"))]
    pub name: String,
    /// The name of one listener. All that match the host when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("endpoint.gateway.parentRefs.sectionName", "a listener"))]
    pub section_name: Option<String>,
    /// The port of a listener, 1 to 65535. Every port when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
}

/// The kinds a route may attach to. Not `Service`: that would route the mesh of another team.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ParentKind {
    /// A Gateway.
    #[default]
    Gateway,
    /// Listeners that a Gateway delegates.
    ListenerSet,
}

/// The certificate of the host: one that exists, or one that cert-manager issues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rule(
    "has(self.secretName) != has(self.issuerRef)",
    "endpoint.tls needs exactly one of secretName and issuerRef",
))]
pub struct Tls {
    /// A Secret of type kubernetes.io/tls in the same namespace, kept up to date by someone else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("endpoint.tls.secretName", "a Secret in the same namespace"))]
    pub secret_name: Option<String>,
    /// The cert-manager issuer of a Certificate that is created for the host. The certificate is stored in
    /// the Secret `NAME-webhook-tls`, NAME being the resource's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_ref: Option<IssuerRef>,
}

/// A cert-manager issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuerRef {
    /// The issuer's name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("endpoint.tls.issuerRef.name", "an issuer"))]
    pub name: String,
    /// The issuer's kind: Issuer, ClusterIssuer, or that of an external issuer. `Issuer` by default.
    #[serde(default = "issuer_kind")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = matches(
        "endpoint.tls.issuerRef.kind",
        "^[A-Z][A-Za-z0-9]*$",
        "must be a kind such as Issuer or ClusterIssuer",
    ))]
    pub kind: String,
    /// The issuer's API group. `cert-manager.io` by default.
    #[serde(default = "issuer_group")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("endpoint.tls.issuerRef.group", "an API group"))]
    pub group: String,
}

fn path() -> String {
    "/webhook".to_owned()
}

fn gateway_group() -> String {
    "gateway.networking.k8s.io".to_owned()
}

fn issuer_kind() -> String {
    "Issuer".to_owned()
}

fn issuer_group() -> String {
    "cert-manager.io".to_owned()
}
