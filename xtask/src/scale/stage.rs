//! What the operator meets: a control plane with every kind it knows, a broker, and somebody's many resources.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use wahook_testbed::kube::{Api, ControlPlane, Project};
use wahook_testbed::nats::NatsServer;

use super::error::{Result, ScaleError};
use super::operator::NAMESPACE;

/// How many resources a namespace has.
pub(super) const TO_A_NAMESPACE: usize = 50;
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const ACCOUNT: &str = "wahook-operator";
/// How many requests of ours go on at a time.
const AT_A_TIME: usize = 8;
/// How long the API server may take until it serves a kind.
const SERVED_LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What a webhook reserves on the broker: the least there may be (`maxBytes: 1Mi`), for events and for large ones.
const RESERVED: u64 = 2 << 20;

/// Everything but the operator. Dropping it ends it.
pub(super) struct Stage {
    pub(super) plane: ControlPlane,
    pub(super) nats: NatsServer,
    /// The operator's login.
    pub(super) kubeconfig: PathBuf,
    _directory: tempfile::TempDir,
}

impl Stage {
    /// Starts the control plane and the broker, and makes the operator an account.
    pub(super) async fn build(resources: usize) -> Result<Self> {
        let room = RESERVED * (resources as u64 + 64);
        let nats = NatsServer::builder().max_file_bytes(room).start().await?;
        let plane = ControlPlane::start().await?;
        let api = plane.api();
        let mut definitions = vec![json!(wahook_crds::crd())];
        for project in Project::ALL {
            let more = tokio::task::spawn_blocking(move || project.definitions()).await;
            definitions.extend(more.map_err(|error| ScaleError::io("fetch definitions")(error.into()))??);
        }
        for definition in &definitions {
            api.post(DEFINITIONS, definition).await?;
        }
        for definition in &definitions {
            served(api, definition).await?;
        }
        api.post(
            "/api/v1/namespaces",
            &json!({ "metadata": { "name": NAMESPACE } }),
        )
        .await?;
        let account = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
        api.post(&account, &json!({ "metadata": { "name": ACCOUNT } }))
            .await?;
        // Whether the chart's rights are exact is shown elsewhere; a service account is here for the API server's fairness.
        let rights = json!({
            "metadata": { "name": ACCOUNT },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE }],
        });
        api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &rights)
            .await?;
        let login = plane.service_account_kubeconfig(NAMESPACE, ACCOUNT).await?;
        let directory = tempfile::tempdir().map_err(ScaleError::io("make a directory"))?;
        let kubeconfig = directory.path().join("kubeconfig");
        std::fs::write(&kubeconfig, login).map_err(ScaleError::io("write the operator's login"))?;
        Ok(Self {
            plane,
            nats,
            kubeconfig,
            _directory: directory,
        })
    }

    /// The operator's name in the audit log.
    pub(super) fn user() -> String {
        format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}")
    }

    /// Makes the namespaces, each with the Secret that its resources refer to.
    pub(super) async fn namespaces(&self, resources: usize) -> Result {
        let api = self.plane.api();
        for number in 0..resources.div_ceil(TO_A_NAMESPACE) {
            let namespace = namespace(number * TO_A_NAMESPACE);
            api.post(
                "/api/v1/namespaces",
                &json!({ "metadata": { "name": namespace } }),
            )
            .await?;
            let secret = json!({
                "metadata": { "name": "meta-app" },
                "stringData": { "app-secret": format!("{:032x}", rand::random::<u128>()) },
            });
            api.post(&format!("/api/v1/namespaces/{namespace}/secrets"), &secret)
                .await?;
        }
        Ok(())
    }

    /// Applies every resource, as somebody with a directory of manifests does.
    pub(super) async fn apply(&self, resources: usize) -> Result {
        let api = self.plane.api();
        stream::iter(0..resources)
            .map(Ok)
            .try_for_each_concurrent(AT_A_TIME, async |number| {
                let (namespace, name) = (namespace(number), name(number));
                let path =
                    format!("/apis/wahook.dev/v1alpha1/namespaces/{namespace}/whatsappwebhooks/{name}");
                api.apply(&path, &webhook(number)).await.map(drop)
            })
            .await?;
        Ok(())
    }
}

/// The namespace of a resource.
pub(super) fn namespace(number: usize) -> String {
    format!("tenant-{:03}", number / TO_A_NAMESPACE)
}

/// The name of a resource.
pub(super) fn name(number: usize) -> String {
    format!("hook-{number:05}")
}

/// What an ordinary webhook has: two receivers, a host with a certificate, a managed stream.
fn webhook(number: usize) -> Value {
    let name = name(number);
    json!({
        "apiVersion": "wahook.dev/v1alpha1",
        "kind": "WhatsAppWebhook",
        "metadata": { "name": name, "namespace": namespace(number) },
        "spec": {
            "endpoint": {
                "host": format!("{name}.example.com"),
                "tls": { "issuerRef": { "name": "letsencrypt" } },
            },
            "meta": { "appSecrets": [{ "name": "meta-app", "key": "app-secret" }] },
            "nats": { "stream": { "maxBytes": "1Mi" } },
        },
    })
}

/// Waits until a kind can be listed.
async fn served(api: &Api, definition: &Value) -> Result {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = spec["versions"].as_array().and_then(|all| {
        all.iter()
            .find(|version| version["served"] == true)
            .map(|version| text(&version["name"]))
    });
    let path = format!(
        "/apis/{}/{}/{}",
        text(&spec["group"]),
        version.unwrap_or_default(),
        text(&spec["names"]["plural"])
    );
    let deadline = Instant::now() + SERVED_LIMIT;
    loop {
        match api.get(&path).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => return Err(error.into()),
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
