//! `spec.receiver.scheduling`: which nodes the receivers run on.
//!
//! There is no affinity to other pods: it would tell the creator of a resource where pods of other namespaces
//! run. The receivers' own spread needs no label selector, as the operator knows their labels.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{NodeAffinity, Toleration};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{self, rule};

/// Which nodes the receivers run on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Scheduling::default")]
pub struct Scheduling {
    /// Labels a node must have, at most 32.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32), transform = crate::schema::short_values)]
    #[x_kube(
        validation = rules::qualified_keys("receiver.scheduling.nodeSelector"),
        validation = rules::label_values("receiver.scheduling.nodeSelector"),
    )]
    pub node_selector: BTreeMap<String, String>,
    /// Taints the receivers tolerate, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub tolerations: Vec<Toleration>,
    /// Rules about the labels of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_affinity: Option<NodeAffinity>,
    /// How the receivers are spread, at most 8. When empty they are spread over nodes and zones as far as
    /// possible.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["topologyKey".into()]))]
    pub topology_spread: Vec<TopologySpread>,
    /// The PriorityClass. Not one of the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(
        validation = rules::object_name("receiver.scheduling.priorityClassName", "a PriorityClass"),
        validation = rule(
            "!self.startsWith('system-')",
            "receiver.scheduling.priorityClassName must not be one of the system's",
        ),
    )]
    pub priority_class_name: Option<String>,
}

/// How receivers are spread over one kind of place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologySpread {
    /// The node label that names a place, such as `topology.kubernetes.io/zone`.
    #[schemars(length(min = 1, max = 317))]
    #[x_kube(validation = rules::matches(
        "receiver.scheduling.topologySpread.topologyKey",
        "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$",
        "must be the key of a node label such as topology.kubernetes.io/zone",
    ))]
    pub topology_key: String,
    /// By how many receivers two places may differ, 1 to 100. 1 by default.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub max_skew: i32,
    /// What happens to a pod that would break the rule: `ScheduleAnyway` or `DoNotSchedule`.
    /// `ScheduleAnyway` by default.
    #[serde(default)]
    pub when_unsatisfiable: WhenUnsatisfiable,
}

fn one() -> i32 {
    1
}

/// What happens to a pod that would break the rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WhenUnsatisfiable {
    /// It runs in the next best place.
    #[default]
    ScheduleAnyway,
    /// It waits.
    DoNotSchedule,
}

impl WhenUnsatisfiable {
    /// The word of the pod's specification.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScheduleAnyway => "ScheduleAnyway",
            Self::DoNotSchedule => "DoNotSchedule",
        }
    }
}
