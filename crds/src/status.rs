//! `status`: what the operator found. Only the operator writes it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::reference::SecretKeyRef;

/// What the operator found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "WhatsAppWebhookStatus::default")]
pub struct WhatsAppWebhookStatus {
    /// Ready, SecretsReady, StreamReady, ReceiverReady, RouteReady, EndpointReady, Receiving, Reconciling and
    /// Stalled, each with a reason and what to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the resource that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The URL to register with Meta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Where the verify token to register with Meta is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_token_secret: Option<SecretKeyRef>,
    /// The stream that events are stored in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamStatus>,
    /// Receivers that exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Receivers that are ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,
    /// The label selector of the receivers' pods, for autoscalers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The lowest number of secret sets that any receiver has loaded. It grows with each rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_generation: Option<i64>,
    /// The certificate of the host, as far as the operator can see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateStatus>,
}

/// The stream that events are stored in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// The stream's name.
    pub name: String,
    /// The subjects it stores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// What every subject of it begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_prefix: Option<String>,
    /// The NATS servers that it is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
    /// The ConfigMap that says all this to the pods of consumers, as variables for `envFrom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map: Option<String>,
}

/// The certificate of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "CertificateStatus::default")]
pub struct CertificateStatus {
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Time>,
}
