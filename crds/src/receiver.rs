//! `spec.receiver`: the pods that answer Meta.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reference::SecretRef;
use crate::resources::Resources;
use crate::rules::{self, matches, rule};
use crate::scheduling::Scheduling;

/// A registry with or without a port, a repository, and a tag or a digest.
const IMAGE: &str = "^[a-z0-9]+([._-]+[a-z0-9]+)*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*\
                     (:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$";

/// The receivers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Receiver::default")]
pub struct Receiver {
    /// How many receivers run, 1 to 100. Not used with `autoscaling`. 2 by default.
    #[schemars(range(min = 1, max = 100))]
    pub replicas: i32,
    /// Let the load decide how many receivers run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// The image. Only those that the operator's flags allow are accepted. The operator's own version when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = matches(
        "receiver.image",
        IMAGE,
        "must be an image such as registry.example.com/wahook/receiver:1.0.0",
    ))]
    pub image: Option<String>,
    /// When the image is pulled: `Always`, `IfNotPresent` or `Never`. `IfNotPresent` by default.
    pub image_pull_policy: ImagePullPolicy,
    /// Secrets of the same namespace with the registry's credentials, at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub image_pull_secrets: Vec<SecretRef>,
    /// What one receiver asks the node for and may use at most.
    pub resources: Resources,
    /// Which nodes the receivers run on.
    pub scheduling: Scheduling,
    /// Labels and annotations added to the pods.
    pub pod_metadata: PodMetadata,
    /// The least severe line that is logged: `Error`, `Warn`, `Info`, `Debug` or `Trace`. `Info` by default.
    /// Changes take effect without a restart. No level logs a phone number, a name or a text.
    pub log_level: LogLevel,
    /// Environment variables with literal values, at most 32. Only those that the operator's flags allow are
    /// accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub env: Vec<EnvVar>,
}

impl Default for Receiver {
    fn default() -> Self {
        Self {
            replicas: 2,
            autoscaling: None,
            image: None,
            image_pull_policy: ImagePullPolicy::default(),
            image_pull_secrets: Vec::new(),
            resources: Resources::default(),
            scheduling: Scheduling::default(),
            pod_metadata: PodMetadata::default(),
            log_level: LogLevel::default(),
            env: Vec::new(),
        }
    }
}

/// The HorizontalPodAutoscaler that is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Autoscaling::default")]
#[x_kube(validation = rule(
    "self.maxReplicas >= self.minReplicas",
    "receiver.autoscaling.maxReplicas must not be smaller than receiver.autoscaling.minReplicas",
))]
pub struct Autoscaling {
    /// The fewest receivers, 1 to 100. 2 by default.
    #[schemars(range(min = 1, max = 100))]
    pub min_replicas: i32,
    /// The most receivers, 1 to 100. 10 by default.
    #[schemars(range(min = 1, max = 100))]
    pub max_replicas: i32,
    /// The share of the requested CPU that is aimed at, in percent, 1 to 100. 70 by default.
    #[schemars(range(min = 1, max = 100))]
    pub target_cpu_percent: i32,
}

impl Default for Autoscaling {
    fn default() -> Self {
        Self {
            min_replicas: 2,
            max_replicas: 10,
            target_cpu_percent: 70,
        }
    }
}

/// Labels and annotations of the pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "PodMetadata::default")]
pub struct PodMetadata {
    /// Labels, at most 32. Only those that the operator's flags allow are accepted, as other objects of the
    /// namespace may select pods by any label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), transform = crate::schema::short_values)]
    #[x_kube(
        validation = rules::foreign_keys("receiver.podMetadata.labels"),
        validation = rules::qualified_keys("receiver.podMetadata.labels"),
        validation = rules::label_values("receiver.podMetadata.labels"),
    )]
    pub labels: BTreeMap<String, String>,
    /// Annotations, at most 32. Only those that the operator's flags allow are accepted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), transform = crate::schema::long_values)]
    #[x_kube(
        validation = rules::foreign_keys("receiver.podMetadata.annotations"),
        validation = rules::qualified_keys("receiver.podMetadata.annotations"),
    )]
    pub annotations: BTreeMap<String, String>,
}

/// An environment variable with a literal value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvVar {
    /// The variable's name.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = matches(
        "receiver.env.name",
        "^[A-Za-z_][A-Za-z0-9_]*$",
        "must be the name of an environment variable: letters, digits and '_', no digit first",
    ))]
    pub name: String,
    /// Its value. Not for secrets: whoever may read the resource reads it. Empty by default.
    #[serde(default)]
    #[schemars(length(max = 4096))]
    pub value: String,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ImagePullPolicy {
    /// At each start of a pod.
    Always,
    /// When the node does not have it.
    #[default]
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}

impl ImagePullPolicy {
    /// The word of the pod's specification.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// The least severe line that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// Failures and what may become one.
    Warn,
    /// And what happens to the process as a whole.
    #[default]
    Info,
    /// And what happens to each request.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word of the receiver's configuration file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
