//! `spec.networkPolicy`: who may reach the receivers. They themselves may reach only DNS and the broker.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::rules;

/// The NetworkPolicy that is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "NetworkPolicy::default")]
pub struct NetworkPolicy {
    /// Create it. `true` by default.
    pub enabled: bool,
    /// Labels of the namespaces whose pods may reach the webhook's port, that is the ingress controller's.
    /// When empty everyone may: each request has to prove itself by its signature.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16), transform = crate::schema::short_values)]
    #[x_kube(
        validation = rules::qualified_keys("networkPolicy.webhookFromNamespaces"),
        validation = rules::label_values("networkPolicy.webhookFromNamespaces"),
    )]
    pub webhook_from_namespaces: BTreeMap<String, String>,
    /// Labels of the namespaces whose pods may read metrics, that is Prometheus's. When empty every pod of
    /// the cluster may. The operator always may.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16), transform = crate::schema::short_values)]
    #[x_kube(
        validation = rules::qualified_keys("networkPolicy.metricsFromNamespaces"),
        validation = rules::label_values("networkPolicy.metricsFromNamespaces"),
    )]
    pub metrics_from_namespaces: BTreeMap<String, String>,
}

impl Default for NetworkPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            webhook_from_namespaces: BTreeMap::new(),
            metrics_from_namespaces: BTreeMap::new(),
        }
    }
}
