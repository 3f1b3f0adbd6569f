//! The control plane that all tests share, with the definitions installed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use wahook_operator::child::ChildKind;
use wahook_testbed::kube::ControlPlane;

pub type Shared = Arc<ControlPlane>;

/// The last test to end takes the control plane along.
static SHARED: Mutex<Weak<ControlPlane>> = Mutex::const_new(Weak::new());

/// The control plane of all tests that run at this time.
pub async fn shared() -> Shared {
    let mut shared = SHARED.lock().await;
    if let Some(plane) = shared.upgrade() {
        return plane;
    }
    let plane = Arc::new(ControlPlane::start().await.unwrap());
    let client = client(&plane.kubeconfig_text().unwrap()).await;
    install(&client, &wahook_crds::crd()).await;
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
        install(&client, &definition(kind)).await;
    }
    *shared = Arc::downgrade(&plane);
    plane
}

/// A control plane of its own, with nothing but the resource's definition.
pub async fn own() -> Shared {
    let plane = Arc::new(ControlPlane::start().await.unwrap());
    let client = client(&plane.kubeconfig_text().unwrap()).await;
    install(&client, &wahook_crds::crd()).await;
    plane
}

pub async fn client(kubeconfig: &str) -> Client {
    Client::try_from(config(kubeconfig).await).unwrap()
}

pub async fn config(kubeconfig: &str) -> Config {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap()
}

/// Creates a namespace and waits until pods can be made in it.
pub async fn create_namespace(client: &Client, name: &str) {
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), name);
    super::eventually("the default account", async || {
        accounts.get_opt("default").await.unwrap()
    })
    .await;
}

/// Installs a definition and waits until it is served.
pub async fn install(client: &Client, definition: &CustomResourceDefinition) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = definition.metadata.name.clone().unwrap();
    api.create(&PostParams::default(), definition).await.unwrap();
    let established = await_condition(api, &name, is_crd_established());
    tokio::time::timeout(Duration::from_secs(30), established)
        .await
        .unwrap()
        .unwrap();
}

/// A definition of an optional kind that takes anything: what matters here is that it is there.
pub fn definition(kind: ChildKind) -> CustomResourceDefinition {
    let resource = kind.resource();
    let open: Value = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("{}.{}", resource.plural, resource.group),
            // Groups that end in k8s.io are protected.
            "annotations": { "api-approved.kubernetes.io": "unapproved, for a test" },
        },
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": { "plural": resource.plural, "kind": resource.kind },
            "versions": [{
                "name": resource.version,
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": { "spec": open, "status": open },
                } },
            }],
        },
    }))
    .unwrap()
}
