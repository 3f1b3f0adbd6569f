//! How far the cluster is: which resources were observed, which are ready, which children are there.

use std::collections::BTreeSet;

use serde_json::Value;
use wahook_operator::child::ChildKind;
use wahook_operator::names;
use wahook_testbed::kube::Api;

use super::error::Result;
use super::stage;

/// The kinds of children that such a resource does not have: it asked neither for scaling nor for a Gateway.
const ABSENT: [ChildKind; 2] = [ChildKind::HorizontalPodAutoscaler, ChildKind::HttpRoute];
const WEBHOOKS: &str = "/apis/wahook.dev/v1alpha1/whatsappwebhooks";

/// How many resources there are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The operator has seen their newest generation.
    pub(super) observed: usize,
    /// `Ready`, with every receiver.
    pub(super) ready: usize,
    /// What the first one that is not ready says.
    pub(super) complaint: String,
}

impl State {
    pub(super) async fn of(api: &Api) -> Result<Self> {
        let list = api.get(WEBHOOKS).await?;
        let webhooks = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let unready = webhooks.iter().find(|webhook| !is_ready(webhook));
        let count = |is: fn(&Value) -> bool| webhooks.iter().filter(|webhook| is(webhook)).count();
        Ok(Self {
            observed: count(is_observed),
            ready: count(is_ready),
            complaint: unready.map(complaint).unwrap_or_default(),
        })
    }
}

fn is_observed(webhook: &Value) -> bool {
    let observed = &webhook["status"]["observedGeneration"];
    observed.is_i64() && *observed == webhook["metadata"]["generation"]
}

fn is_ready(webhook: &Value) -> bool {
    let status = &webhook["status"];
    let conditions = status["conditions"].as_array().map(Vec::as_slice);
    let ready = conditions.unwrap_or_default().iter().any(|condition| {
        condition["type"] == "Ready"
            && condition["status"] == "True"
            && condition["observedGeneration"] == webhook["metadata"]["generation"]
    });
    ready && status["replicas"].is_i64() && status["replicas"] == status["readyReplicas"]
}

fn complaint(webhook: &Value) -> String {
    let conditions = webhook["status"]["conditions"].as_array().map(Vec::as_slice);
    let ready = conditions
        .unwrap_or_default()
        .iter()
        .find(|one| one["type"] == "Ready");
    let says = ready.and_then(|ready| ready["message"].as_str());
    says.unwrap_or("it has no condition yet").to_owned()
}

/// The name of a resource's child.
type Named = fn(usize) -> String;

/// What each resource has: the path of a kind, and the name a resource's child has.
fn children() -> Vec<(String, Named)> {
    let mut all: Vec<(String, Named)> = vec![("/api/v1/secrets".to_owned(), |number| {
        names::child(&stage::name(number))
    })];
    for kind in ChildKind::ALL.into_iter().filter(|kind| !ABSENT.contains(kind)) {
        let resource = kind.resource();
        let root = if resource.group.is_empty() { "api" } else { "apis" };
        let path = format!("/{root}/{}/{}", resource.api_version, resource.plural);
        let name: Named = match kind {
            ChildKind::Events => |number| names::events(&stage::name(number)),
            _ => |number| names::child(&stage::name(number)),
        };
        all.push((path, name));
    }
    all
}

/// How many children a resource has.
pub(super) fn children_of_one() -> usize {
    children().len()
}

/// How many of the children are not there.
pub(super) async fn missing_children(api: &Api, resources: usize) -> Result<usize> {
    let mut missing = 0;
    for (path, name) in children() {
        let list = api
            .get(&format!("{path}?labelSelector={}", names::WEBHOOK_LABEL))
            .await?;
        let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let there: BTreeSet<_> = items
            .iter()
            .map(|object| {
                let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
                (text("namespace").to_owned(), text("name").to_owned())
            })
            .collect();
        missing += (0..resources)
            .filter(|number| !there.contains(&(stage::namespace(*number), name(*number))))
            .count();
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_is_ready_when_its_newest_generation_is() {
        let webhook = |generation: i64, ready_replicas: i64| {
            json!({
                "metadata": { "generation": 2 },
                "status": {
                    "observedGeneration": generation,
                    "replicas": 2,
                    "readyReplicas": ready_replicas,
                    "conditions": [{ "type": "Ready", "status": "True", "observedGeneration": generation }],
                },
            })
        };
        assert!(is_observed(&webhook(2, 1)) && is_ready(&webhook(2, 2)));
        assert!(!is_observed(&webhook(1, 2)) && !is_ready(&webhook(1, 2)) && !is_ready(&webhook(2, 1)));
        assert!(!is_observed(&json!({ "metadata": {} })), "null is no generation");
    }

    #[test]
    fn each_child_is_looked_for_where_the_api_server_has_it() {
        let paths: BTreeSet<_> = children().into_iter().map(|(path, _)| path).collect();
        assert!(paths.contains("/api/v1/configmaps") && paths.contains("/apis/apps/v1/deployments"));
        assert_eq!(children_of_one(), 12);
    }
}
