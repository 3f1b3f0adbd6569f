//! How far a Deployment's change has come. Pure.

use kube::api::DynamicObject;
use serde_json::Value;

/// How far a Deployment's change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All pods are of the newest template and available.
    Done,
    /// Pods are being replaced.
    Rolling,
    /// The time for it is over.
    Failed,
    /// It was finished once, and fewer pods are available than should be: some were lost, or more were asked for.
    Short,
}

impl Progress {
    /// Reads a Deployment's status.
    pub fn of(deployment: &DynamicObject) -> Self {
        let status = &deployment.data["status"];
        let number = |field: &str| status[field].as_i64().unwrap_or_default();
        let wanted = deployment.data["spec"]["replicas"].as_i64().unwrap_or(1);
        let seen = number("observedGeneration") >= deployment.metadata.generation.unwrap_or_default();
        let complete = number("updatedReplicas") >= wanted
            && number("replicas") <= number("updatedReplicas")
            && number("availableReplicas") >= wanted;
        let all_new = number("replicas") <= number("updatedReplicas");
        match progressing(status) {
            _ if !seen => Self::Rolling,
            _ if complete => Self::Done,
            Some(("False", "ProgressDeadlineExceeded")) => Self::Failed,
            Some((_, "NewReplicaSetAvailable")) if all_new => Self::Short,
            _ => Self::Rolling,
        }
    }
}

/// The Deployment controller's word on its progress: status and reason.
fn progressing(status: &Value) -> Option<(&str, &str)> {
    let conditions = status["conditions"].as_array()?;
    let condition = conditions
        .iter()
        .find(|condition| condition["type"] == "Progressing")?;
    Some((condition["status"].as_str()?, condition["reason"].as_str()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn how_far_a_deployment_has_come() {
        let failed =
            json!([{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }]);
        let finished =
            json!([{ "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable" }]);
        for (status, state) in [
            (json!({}), Progress::Rolling),
            (
                json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 }),
                Progress::Done,
            ),
            (
                json!({ "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 }),
                Progress::Rolling,
            ),
            (
                json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3 }),
                Progress::Rolling,
            ),
            (
                json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1 }),
                Progress::Rolling,
            ),
            (
                json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "conditions": failed }),
                Progress::Failed,
            ),
            // It had finished once, and lost a receiver since, or was asked for more.
            (
                json!({ "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1,
                    "conditions": finished }),
                Progress::Short,
            ),
            // The condition is still that of the template before.
            (
                json!({ "observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2,
                    "conditions": finished }),
                Progress::Rolling,
            ),
            (
                json!({ "observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "conditions": failed }),
                Progress::Rolling,
            ),
        ] {
            let deployment: DynamicObject = serde_json::from_value(json!({
                "metadata": { "name": "d", "generation": 2 }, "spec": { "replicas": 2 }, "status": status,
            }))
            .unwrap();
            assert_eq!(Progress::of(&deployment), state, "{deployment:?}");
        }
    }
}
