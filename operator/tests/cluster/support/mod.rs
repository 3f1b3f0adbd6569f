//! A namespace of a shared control plane, with whatever a test needs in it.

mod faults;
mod kubelet;
mod operator;
mod plane;
mod snapshot;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use wahook_crds::WhatsAppWebhook;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;
use wahook_operator::names;

pub use faults::{Cut, Faults};
pub use kubelet::Kubelet;
pub use operator::{Options, Running, settings};
pub use plane::{Shared, client, definition, install, own};
pub use snapshot::{Snapshot, normal};

/// How long anything may take on a busy machine. The longest is Kubernetes' garbage collector, which looks for new
/// kinds every 30 seconds and begins again when it could not read all of them within another 30.
pub const LIMIT: Duration = Duration::from_secs(180);

/// A test's own namespace.
pub struct Lab {
    pub plane: Shared,
    pub client: Client,
    pub namespace: String,
}

impl Lab {
    /// A namespace with this name on the shared control plane.
    pub async fn new(namespace: &str) -> Self {
        Self::on(plane::shared().await, namespace).await
    }

    pub async fn on(plane: Shared, namespace: &str) -> Self {
        let client = plane::client(&plane.kubeconfig_text().unwrap()).await;
        plane::create_namespace(&client, namespace).await;
        Self {
            plane,
            client,
            namespace: namespace.to_owned(),
        }
    }

    /// Another namespace of the same control plane, with the app secret.
    pub async fn beside(&self, namespace: &str) -> Self {
        let (plane, client) = (Shared::clone(&self.plane), self.client.clone());
        plane::create_namespace(&client, namespace).await;
        let lab = Self {
            plane,
            client,
            namespace: namespace.to_owned(),
        };
        lab.app_secret().await;
        lab
    }

    /// An operator that looks after this namespace alone, under a name of its own in the audit log.
    pub async fn operator(&self) -> Running {
        self.operator_with(Options::default()).await
    }

    pub async fn operator_with(&self, options: Options) -> Running {
        Running::start(self, options).await
    }

    pub fn webhooks(&self) -> Api<WhatsAppWebhook> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn children(&self, kind: ChildKind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind.resource())
    }

    /// The Secret with the app secret that [`webhook`] refers to.
    pub async fn app_secret(&self) {
        self.secret("meta-app", json!({ "app-secret": "very-private-app-secret" }))
            .await;
    }

    pub async fn secret(&self, name: &str, values: Value) {
        let secret: Secret =
            serde_json::from_value(json!({ "metadata": { "name": name }, "stringData": values })).unwrap();
        self.secrets()
            .create(&PostParams::default(), &secret)
            .await
            .unwrap();
    }

    /// Gives a group every right in the lab's namespace, and none elsewhere.
    pub async fn grant_all_in_its_namespace(&self, group: &str) {
        let binding: RoleBinding = serde_json::from_value(json!({
            "metadata": { "name": group },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group }],
        }))
        .unwrap();
        Api::namespaced(self.client.clone(), &self.namespace)
            .create(&PostParams::default(), &binding)
            .await
            .unwrap();
    }

    pub async fn create(&self, webhook: &WhatsAppWebhook) -> WhatsAppWebhook {
        self.webhooks()
            .create(&PostParams::default(), webhook)
            .await
            .unwrap()
    }

    /// Replaces the spec, as a person with an editor would.
    pub async fn set_spec(&self, name: &str, spec: &Value) -> WhatsAppWebhook {
        for _ in 0..10 {
            let mut webhook = self.webhooks().get(name).await.unwrap();
            webhook.spec = serde_json::from_value(spec.clone()).unwrap();
            match self
                .webhooks()
                .replace(name, &PostParams::default(), &webhook)
                .await
            {
                Ok(webhook) => return webhook,
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the resource changes faster than it can be edited");
    }

    pub async fn patch(&self, name: &str, patch: &Value) -> WhatsAppWebhook {
        let parameters = PatchParams::default();
        self.webhooks()
            .patch(name, &parameters, &Patch::Merge(patch))
            .await
            .unwrap()
    }

    pub async fn delete(&self, name: &str) {
        self.webhooks()
            .delete(name, &DeleteParams::default())
            .await
            .unwrap();
    }

    /// A child of a webhook, if it is there.
    pub async fn child(&self, webhook: &str, kind: ChildKind) -> Option<DynamicObject> {
        self.children(kind).get_opt(&kind.name(webhook)).await.unwrap()
    }

    /// All children of a webhook.
    pub async fn all_children(&self, webhook: &str) -> Vec<(ChildKind, DynamicObject)> {
        let mut found = Vec::new();
        for kind in ChildKind::ALL {
            if let Some(object) = self.child(webhook, kind).await {
                found.push((kind, object));
            }
        }
        found
    }

    /// Waits until a condition of a webhook has this status and reason.
    pub async fn condition(
        &self,
        webhook: &str,
        kind: ConditionType,
        status: &str,
        reason: &str,
    ) -> WhatsAppWebhook {
        let mut last = String::new();
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            if let Some(found) = self.webhooks().get_opt(webhook).await.unwrap() {
                let conditions = found
                    .status
                    .as_ref()
                    .map(|status| status.conditions.clone())
                    .unwrap_or_default();
                if let Some(condition) = conditions.iter().find(|one| one.type_ == kind.as_str()) {
                    let current = condition.observed_generation == found.metadata.generation;
                    if current && condition.status == status && condition.reason == reason {
                        return found;
                    }
                    last = format!("{}/{}: {}", condition.status, condition.reason, condition.message);
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{webhook}: {kind} did not become {status}/{reason}; it is {last}");
    }

    /// Waits until the operator has seen the newest generation and has nothing to write any more.
    pub async fn settled(&self, operator: &Running, webhook: &str) -> WhatsAppWebhook {
        self.all_settled(operator, &[webhook]).await;
        self.webhooks().get(webhook).await.unwrap()
    }

    /// The same for several webhooks at once.
    pub async fn all_settled(&self, operator: &Running, webhooks: &[&str]) {
        for name in webhooks {
            eventually("the newest generation to be observed", async || {
                let webhook = self.webhooks().get(name).await.unwrap();
                let status = webhook.status.as_ref();
                let observed = status.and_then(|status| status.observed_generation);
                (observed == webhook.metadata.generation).then_some(())
            })
            .await;
        }
        operator.quiet().await;
    }

    /// Plays the ingress controller: gives the Ingress an address.
    pub async fn accept_ingress(&self, webhook: &str) {
        let status = json!({ "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } } });
        let api = self.children(ChildKind::Ingress);
        let name = ChildKind::Ingress.name(webhook);
        eventually("the Ingress", async || api.get_opt(&name).await.unwrap()).await;
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status))
            .await
            .unwrap();
    }

    /// The reasons of all Kubernetes Events of the namespace.
    pub async fn events(&self) -> Vec<String> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let events = events.list(&ListParams::default()).await.unwrap();
        events.into_iter().filter_map(|event| event.reason).collect()
    }

    /// Plays a node that is lost with every pod on it.
    pub async fn lose_pods(&self) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let at_once = DeleteParams::default().grace_period(0);
        for pod in pods.list(&ListParams::default()).await.unwrap() {
            pods.delete(&pod.name_any(), &at_once).await.unwrap();
        }
    }

    /// Plays the Deployment controller whose patience is at its end.
    pub async fn give_up(&self, webhook: &str) {
        let status = json!({ "status": { "conditions": [
            { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "as the test says" },
        ] } });
        let deployments = self.children(ChildKind::Deployment);
        let name = ChildKind::Deployment.name(webhook);
        // The real controller may still be at work and write its own word over ours, so ours is said until the operator repeats it.
        eventually("the end of its patience", async || {
            let (parameters, patch) = (PatchParams::default(), Patch::Merge(&status));
            deployments
                .patch_status(&name, &parameters, &patch)
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
            let kept = deployments.get(&name).await.unwrap().data["status"]["conditions"].to_string();
            let conditions = self.webhooks().get(webhook).await.unwrap().status?.conditions;
            let receiver = conditions
                .iter()
                .find(|one| one.type_ == ConditionType::ReceiverReady.as_str())?;
            let repeated = receiver.reason == Reason::Unavailable.as_str();
            (repeated && kept.contains("ProgressDeadlineExceeded")).then_some(())
        })
        .await;
    }

    /// Plays the kubelet until the value is dropped: pods become ready.
    pub fn kubelet(&self) -> Kubelet {
        Kubelet::start(self.client.clone(), self.namespace.clone())
    }

    /// Plays cert-manager: the certificate is issued.
    pub async fn issue_certificate(&self, webhook: &str) {
        let status = json!({ "status": {
            "conditions": [{ "type": "Ready", "status": "True" }],
            "notAfter": "2027-01-01T00:00:00Z",
        } });
        let api = self.children(ChildKind::Certificate);
        let name = ChildKind::Certificate.name(webhook);
        eventually("the Certificate", async || api.get_opt(&name).await.unwrap()).await;
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&status))
            .await
            .unwrap();
    }

    /// Plays everyone who has to agree before a webhook is ready, but for the kubelet.
    pub async fn accept(&self, webhook: &str) {
        self.accept_ingress(webhook).await;
        self.issue_certificate(webhook).await;
    }

    /// What is left in the namespace with a label that says it is of this webhook.
    pub async fn left_of(&self, webhook: &str) -> Vec<String> {
        self.labelled(&format!("{}={webhook}", names::WEBHOOK_LABEL))
            .await
    }

    /// What is left in the namespace with a label that says it is of any webhook.
    pub async fn left_of_all(&self) -> Vec<String> {
        self.labelled(names::WEBHOOK_LABEL).await
    }

    async fn labelled(&self, selector: &str) -> Vec<String> {
        let mut left = Vec::new();
        let ours = ListParams::default().labels(selector);
        let mut looked_at = BTreeSet::new();
        for kind in ChildKind::ALL {
            // Two children are of one kind.
            if !looked_at.insert(kind.resource().plural) {
                continue;
            }
            for object in self.children(kind).list(&ours).await.unwrap() {
                left.push(format!("{} {}", kind.resource().kind, object.name_any()));
            }
        }
        for secret in self.secrets().list(&ours).await.unwrap() {
            left.push(format!("Secret {}", secret.name_any()));
        }
        left
    }
}

/// A resource as small as it may be, with TLS so that it can become ready.
pub fn webhook(name: &str) -> WhatsAppWebhook {
    WhatsAppWebhook::new(name, serde_json::from_value(spec(name)).unwrap())
}

/// Its spec.
pub fn spec(name: &str) -> Value {
    json!({
        "endpoint": { "host": format!("{name}.example.com"), "tls": { "issuerRef": { "name": "letsencrypt" } } },
        "meta": { "appSecrets": [{ "name": "meta-app", "key": "app-secret" }] },
    })
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, attempt: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = attempt().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
