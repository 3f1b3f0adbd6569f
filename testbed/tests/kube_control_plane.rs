//! A control plane as the operator's tests use it: what it does, who may do what, what is written down, and that
//! nothing is left behind.
//!
//! These tests run the real programs. The first start on a machine builds them, which takes minutes and needs Go;
//! where Go is missing, the tests fail with the words of the error that says so.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, PostParams, PropagationPolicy};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Resource};
use serde_json::json;
use wahook_testbed::kube::{AuditLevel, ControlPlane};

/// How long a controller may take to act on a busy machine.
const ACT_LIMIT: Duration = Duration::from_secs(30);

async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

async fn admin(cluster: &ControlPlane) -> Client {
    client(&cluster.kubeconfig_text().unwrap()).await
}

/// Asks until the answer is there. Controllers give no event that a test could await without a watch of its own.
async fn eventually<T>(what: &str, attempt: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + ACT_LIMIT;
    loop {
        if let Some(answer) = attempt().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within {ACT_LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn is_alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

fn deployment() -> Deployment {
    serde_json::from_value(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "web" },
        "spec": {
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "example.invalid/web:1" }] },
            },
        },
    }))
    .unwrap()
}

/// A `Deployment` gets its `ReplicaSet`, deleting an owner deletes the owned, and all of it is in the audit log.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn controllers_act_owners_take_their_children_along_and_the_audit_log_tells() {
    let cluster = ControlPlane::start().await.unwrap();
    println!("ready after {:?}", cluster.ready_after());
    assert!(cluster.ready_after() < Duration::from_secs(60));
    let client = admin(&cluster).await;
    let version = client.apiserver_version().await.unwrap();
    assert_eq!(version.git_version, format!("v{}", wahook_testbed::kube::VERSION));

    let namespace = "shop";
    Api::<Namespace>::all(client.clone())
        .create(
            &PostParams::default(),
            &serde_json::from_value(json!({ "metadata": { "name": namespace } })).unwrap(),
        )
        .await
        .unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let deployed = deployments
        .create(&PostParams::default(), &deployment())
        .await
        .unwrap();
    let replica_sets: Api<ReplicaSet> = Api::namespaced(client.clone(), namespace);
    let listed = async || {
        let list = replica_sets.list(&ListParams::default()).await.unwrap();
        list.items.into_iter().next()
    };
    let replica_set = eventually("the ReplicaSet", listed).await;
    assert_eq!(replica_set.metadata.owner_references.unwrap()[0].name, "web");

    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let mut child = config_map("owned");
    child.metadata.owner_references = deployed
        .controller_owner_ref(&())
        .map(|reference| vec![reference]);
    config_maps.create(&PostParams::default(), &child).await.unwrap();
    config_maps
        .create(&PostParams::default(), &config_map("free"))
        .await
        .unwrap();

    let background = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        ..DeleteParams::default()
    };
    deployments.delete("web", &background).await.unwrap();
    eventually("the end of the owned ConfigMap", async || {
        config_maps
            .get_opt("owned")
            .await
            .unwrap()
            .is_none()
            .then_some(())
    })
    .await;
    eventually("the end of the ReplicaSet", async || {
        listed().await.is_none().then_some(())
    })
    .await;
    assert!(config_maps.get_opt("free").await.unwrap().is_some());

    let created = eventually("the request in the audit log", async || {
        let events = cluster.audit_events().unwrap();
        events
            .into_iter()
            .find(|event| event.is("create", "deployments") && event.user() == "admin")
    })
    .await;
    assert_eq!(created.code(), Some(201));
    let object = created.object_ref.unwrap();
    assert_eq!(
        (object.namespace.as_str(), object.api_group.as_str()),
        (namespace, "apps")
    );
    assert_eq!(created.request_object, None, "no bodies unless asked for");
}

/// Two at a time; users without rights are refused and with rights let in; a restart keeps everything; the end
/// leaves no process and no file.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn two_clusters_have_their_own_users_restart_on_their_data_and_leave_nothing() {
    let (first, second) = tokio::join!(
        ControlPlane::builder().audit(AuditLevel::RequestResponse).start(),
        ControlPlane::start()
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.url(), second.url());
    let client = admin(&first).await;
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    config_maps
        .create(&PostParams::default(), &config_map("kept"))
        .await
        .unwrap();
    let elsewhere: Api<ConfigMap> = Api::namespaced(admin(&second).await, "default");
    assert_eq!(elsewhere.get_opt("kept").await.unwrap(), None);

    permissions(&first).await;

    let before = first.pids();
    first.restart_apiserver().await.unwrap();
    let after = first.pids();
    assert_eq!(before["etcd"], after["etcd"]);
    assert_ne!(before["kube-apiserver"], after["kube-apiserver"]);
    assert!(!is_alive(before["kube-apiserver"]));
    config_maps.get("kept").await.unwrap();

    first.restart().await.unwrap();
    config_maps.get("kept").await.unwrap();
    let pids: Vec<u32> = first
        .pids()
        .into_values()
        .chain(second.pids().into_values())
        .collect();
    assert_eq!(pids.len(), 6);
    first.stop().await.unwrap();
    assert!(first.pids().is_empty());
    assert!(config_maps.get("kept").await.is_err(), "nobody answers");
    let directory = first.kubeconfig().parent().unwrap().to_owned();
    drop((first, second));
    assert!(!pids.into_iter().any(is_alive));
    assert!(!directory.exists());
}

/// A role for a group opens exactly what it names, to a user and to a service account alike.
async fn permissions(cluster: &ControlPlane) {
    let api = cluster.api();
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let role = json!({
        "metadata": { "name": "reader" },
        "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"] }],
    });
    api.post(&format!("{rbac}/roles"), &role).await.unwrap();
    let binding = json!({
        "metadata": { "name": "reader" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader" },
        "subjects": [
            { "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "readers" },
            { "kind": "ServiceAccount", "name": "robot", "namespace": "default" },
        ],
    });
    api.post(&format!("{rbac}/rolebindings"), &binding).await.unwrap();
    let account = json!({ "metadata": { "name": "robot" } });
    api.post("/api/v1/namespaces/default/serviceaccounts", &account)
        .await
        .unwrap();

    let carla = cluster.user_kubeconfig("carla", &["guests", "readers"]).unwrap();
    let stranger = cluster.user_kubeconfig("stranger", &["guests"]).unwrap();
    let robot = cluster
        .service_account_kubeconfig("default", "robot")
        .await
        .unwrap();
    for (kubeconfig, may_read) in [(&carla, true), (&robot, true), (&stranger, false)] {
        let client = client(kubeconfig).await;
        let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
        // A role just made is known to the authorizer a moment later.
        let read = eventually("an answer", async || match config_maps.get("kept").await {
            Ok(_) => Some(true),
            Err(kube::Error::Api(status)) if may_read && status.code == 403 => None,
            Err(kube::Error::Api(status)) if status.code == 403 => Some(false),
            Err(error) => panic!("{error}"),
        })
        .await;
        assert_eq!(read, may_read);
        let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
        let refused = accounts.list(&ListParams::default()).await.unwrap_err();
        assert!(matches!(refused, kube::Error::Api(status) if status.code == 403));
    }

    let users = [
        ("carla", 200),
        ("system:serviceaccount:default:robot", 200),
        ("stranger", 403),
    ];
    for (user, code) in users {
        let event = eventually("the request in the audit log", async || {
            let events = cluster.audit_events().unwrap();
            events.into_iter().find(|event| {
                event.user() == user && event.is("get", "configmaps") && event.code() == Some(code)
            })
        })
        .await;
        assert!(event.response_object.is_some(), "bodies were asked for");
    }
}

/// The processes end with the value, also when a test panics with it in hand.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_panic_leaves_no_process() {
    let cluster = ControlPlane::start().await.unwrap();
    let pids: Vec<u32> = cluster.pids().into_values().collect();
    assert!(pids.iter().copied().all(is_alive));
    let panicked = std::thread::spawn(move || {
        let _in_hand = cluster;
        panic!("on purpose");
    })
    .join();
    assert!(panicked.is_err());
    assert!(!pids.into_iter().any(is_alive));
}
