//! `spec.receiver.resources`: CPU and memory of one receiver.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use kube::core::Rule;
use serde::{Deserialize, Serialize};

use crate::rules::rule;

/// What one receiver asks the node for and may use at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Resources::default")]
#[x_kube(validation = within("cpu"), validation = within("memory"))]
pub struct Resources {
    /// What the node sets aside. `cpu: 100m` and `memory: 64Mi` by default.
    pub requests: Amounts,
    /// What may be used at most. `memory: 256Mi` by default, and no limit of CPU.
    pub limits: Amounts,
}

impl Default for Resources {
    fn default() -> Self {
        let quantity = |text: &str| Some(Quantity(text.to_owned()));
        Self {
            requests: Amounts {
                cpu: quantity("100m"),
                memory: quantity("64Mi"),
            },
            limits: Amounts {
                cpu: None,
                memory: quantity("256Mi"),
            },
        }
    }
}

/// Amounts of CPU and memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Amounts::default")]
pub struct Amounts {
    /// CPU, such as `500m` or `2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = amount("cpu", "500m"))]
    pub cpu: Option<Quantity>,
    /// Memory, such as `128Mi`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = amount("memory", "128Mi"))]
    pub memory: Option<Quantity>,
}

/// More than nothing. The value may be a number or a text.
fn amount(field: &str, example: &str) -> Rule {
    rule(
        "isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0'))",
        format!("{field} must be an amount greater than 0, such as {example}"),
    )
}

/// Kubernetes refuses a pod that asks for more than it may use.
fn within(field: &str) -> Rule {
    let (request, limit) = (
        format!("string(self.requests.{field})"),
        format!("string(self.limits.{field})"),
    );
    rule(
        format!(
            "!has(self.requests.{field}) || !has(self.limits.{field}) \
             || !isQuantity({request}) || !isQuantity({limit}) \
             || quantity({request}).compareTo(quantity({limit})) <= 0"
        ),
        format!(
            "receiver.resources.limits.{field} must not be smaller than receiver.resources.requests.{field}"
        ),
    )
}
