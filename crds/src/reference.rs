//! References to objects of the resource's own namespace. None of them can name another namespace.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::rules;

/// A Secret of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name", "a Secret in the same namespace"))]
    pub name: String,
}

/// One value of a Secret of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name", "a Secret in the same namespace"))]
    pub name: String,
    /// The key within the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::data_key("key"))]
    pub key: String,
}

/// A certificate bundle in a Secret of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaSecretRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name", "a Secret in the same namespace"))]
    pub name: String,
    /// The key of the PEM file. `ca.crt` by default.
    #[serde(default = "ca_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::data_key("key"))]
    pub key: String,
}

/// A certificate bundle in a `ConfigMap` of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaConfigMapRef {
    /// The ConfigMap's name.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::object_name("name", "a ConfigMap in the same namespace"))]
    pub name: String,
    /// The key of the PEM file. `ca.crt` by default.
    #[serde(default = "ca_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = rules::data_key("key"))]
    pub key: String,
}

fn ca_key() -> String {
    "ca.crt".to_owned()
}
