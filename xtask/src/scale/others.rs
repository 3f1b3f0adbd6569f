//! Those who have to agree before a webhook is ready and are not here: a kubelet, an ingress controller, cert-manager.
//!
//! They say yes to everything. The controllers above them (Deployments, disruption budgets, garbage) are Kubernetes' own.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use wahook_testbed::kube::Api;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many answers are given at a time.
const AT_A_TIME: usize = 4;

/// They work until this is dropped.
pub(super) struct Others {
    task: JoinHandle<()>,
}

/// One of them: whose state it looks after.
struct Role {
    /// The API version and kind of the objects.
    version: &'static str,
    kind: &'static str,
    /// Where all of them are listed, and the plural in a path.
    prefix: &'static str,
    plural: &'static str,
    /// What is listed of them.
    query: &'static str,
    waits: fn(&Value) -> bool,
    answer: fn() -> Value,
}

const ROLES: [Role; 3] = [
    Role {
        version: "v1",
        kind: "Pod",
        prefix: "/api/v1",
        plural: "pods",
        query: "?fieldSelector=status.phase%3DPending",
        waits: |pod| pod["metadata"]["deletionTimestamp"].is_null(),
        answer: || {
            json!({
                "phase": "Running",
                "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" }],
            })
        },
    },
    Role {
        version: "networking.k8s.io/v1",
        kind: "Ingress",
        prefix: "/apis/networking.k8s.io/v1",
        plural: "ingresses",
        query: "",
        waits: |ingress| ingress["status"]["loadBalancer"]["ingress"].is_null(),
        answer: || json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } }),
    },
    Role {
        version: "cert-manager.io/v1",
        kind: "Certificate",
        prefix: "/apis/cert-manager.io/v1",
        plural: "certificates",
        query: "",
        waits: |certificate| certificate["status"]["conditions"].is_null(),
        answer: || {
            json!({
                "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" }],
                "notAfter": "2036-01-01T00:00:00Z",
            })
        },
    },
];

impl Others {
    pub(super) fn start(api: Api) -> Self {
        let task = tokio::spawn(async move {
            loop {
                for role in &ROLES {
                    role.agree(&api).await;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        Self { task }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Role {
    /// Says yes wherever an answer is waited for. What fails is tried again at the next look.
    async fn agree(&self, api: &Api) {
        let listed = api
            .get(&format!("{}/{}{}", self.prefix, self.plural, self.query))
            .await
            .unwrap_or_default();
        let all = listed["items"].as_array().cloned().unwrap_or_default();
        let waiting = all.iter().filter(|object| (self.waits)(object));
        stream::iter(waiting)
            .for_each_concurrent(AT_A_TIME, async |object| {
                let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
                let (namespace, name) = (text("namespace"), text("name"));
                let path = format!(
                    "{}/namespaces/{namespace}/{}/{name}/status",
                    self.prefix, self.plural
                );
                let object = json!({
                    "apiVersion": self.version,
                    "kind": self.kind,
                    "metadata": { "name": name, "namespace": namespace },
                    "status": (self.answer)(),
                });
                let _ = api.apply(&path, &object).await;
            })
            .await;
    }
}
