//! An object that is not ours is never touched, whatever it is called.

use kube::ResourceExt;
use kube::api::{DeleteParams, DynamicObject, PostParams};
use serde_json::{Value, json};
use wahook_crds::WhatsAppWebhook;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;
use wahook_operator::names;

use crate::support::{Lab, eventually, spec, webhook};

/// The smallest object of a kind that somebody else may have made.
fn stranger(kind: ChildKind, name: &str) -> DynamicObject {
    let pod = json!({
        "metadata": { "labels": { "app": "theirs" } },
        "spec": { "containers": [{ "name": "theirs", "image": "example.invalid/theirs:1" }] },
    });
    let content = match kind {
        ChildKind::Deployment => {
            json!({ "spec": { "replicas": 0, "selector": { "matchLabels": { "app": "theirs" } }, "template": pod } })
        }
        ChildKind::Service => json!({ "spec": { "ports": [{ "port": 80 }] } }),
        ChildKind::PodDisruptionBudget => {
            json!({ "spec": { "selector": { "matchLabels": { "app": "theirs" } } } })
        }
        ChildKind::HorizontalPodAutoscaler => json!({ "spec": {
            "maxReplicas": 2,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "theirs" },
        } }),
        ChildKind::NetworkPolicy => {
            json!({ "spec": { "podSelector": { "matchLabels": { "app": "theirs" } } } })
        }
        ChildKind::Ingress => json!({ "spec": { "defaultBackend": {
            "service": { "name": "theirs", "port": { "number": 80 } },
        } } }),
        ChildKind::Configuration | ChildKind::Events => json!({ "data": { "theirs": "1" } }),
        _ => json!({}),
    };
    let resource = kind.resource();
    let mut object: Value = content;
    object["apiVersion"] = json!(resource.api_version);
    object["kind"] = json!(resource.kind);
    // Our labels make nothing ours.
    let labels = json!({ names::MANAGED_BY_LABEL: names::MANAGED_BY, names::WEBHOOK_LABEL: name });
    object["metadata"] = json!({ "name": kind.name(name), "labels": labels });
    serde_json::from_value(object).unwrap()
}

fn spec_with(kind: ChildKind, name: &str) -> Value {
    let mut spec = spec(name);
    match kind {
        ChildKind::HttpRoute => {
            spec["endpoint"] = json!({ "host": format!("{name}.example.com"), "gateway": { "parentRefs": [{ "name": "public" }] } });
        }
        ChildKind::HorizontalPodAutoscaler => spec["receiver"] = json!({ "autoscaling": {} }),
        _ => {}
    }
    spec
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_strangers_object_under_each_name_is_left_alone() {
    let lab = Lab::new("strangers").await;
    lab.app_secret().await;
    let mut theirs = Vec::new();
    for (index, kind) in ChildKind::ALL.into_iter().enumerate() {
        let name = format!("stranger-{index}");
        let object = lab
            .children(kind)
            .create(&PostParams::default(), &stranger(kind, &name))
            .await
            .unwrap();
        theirs.push((name, kind, object));
    }
    let operator = lab.operator().await;
    for (name, kind, _) in &theirs {
        let spec = serde_json::from_value(spec_with(*kind, name)).unwrap();
        lab.create(&WhatsAppWebhook::new(name, spec)).await;
    }
    for (name, kind, _) in &theirs {
        let route = kind.is_route();
        let condition = if route {
            ConditionType::RouteReady
        } else {
            ConditionType::ReceiverReady
        };
        let conflict = lab
            .condition(name, condition, "False", Reason::NameConflict.as_str())
            .await;
        let told = serde_json::to_string(&conflict.status).unwrap();
        assert!(told.contains(&kind.name(name)), "{kind:?}");
        // A feature turned off removes only what is ours.
        if matches!(kind, ChildKind::HorizontalPodAutoscaler | ChildKind::HttpRoute) {
            lab.set_spec(name, &spec_with(ChildKind::Service, name)).await;
        }
    }
    let names: Vec<&str> = theirs.iter().map(|(name, ..)| name.as_str()).collect();
    lab.all_settled(&operator, &names).await;
    for (name, kind, object) in &theirs {
        let after = lab.child(name, *kind).await.unwrap();
        let same = |object: &DynamicObject| {
            let mut value = serde_json::to_value(object).unwrap();
            // Kubernetes' own controllers write statuses.
            value.as_object_mut().unwrap().remove("status");
            for field in ["resourceVersion", "managedFields", "annotations"] {
                value["metadata"].as_object_mut().unwrap().remove(field);
            }
            value
        };
        assert_eq!(same(&after), same(object), "{kind:?}");
        let manager = after.managed_fields().iter().any(|entry| {
            entry
                .manager
                .as_deref()
                .is_some_and(|manager| manager.starts_with("wahook-operator"))
        });
        assert!(!manager, "{kind:?} was written");
    }
    // Deleting the resource takes no stranger along.
    for (name, ..) in &theirs {
        lab.delete(name).await;
    }
    for (name, kind, object) in &theirs {
        eventually("only the stranger to be left", async || {
            let left = lab.left_of(name).await;
            (left.len() == 1).then_some(())
        })
        .await;
        assert_eq!(
            lab.child(name, *kind).await.unwrap().metadata.uid,
            object.metadata.uid
        );
    }
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_name_that_becomes_free_is_taken() {
    let lab = Lab::new("strangers-leave").await;
    lab.app_secret().await;
    let theirs = json!({ "verify-token": "theirs", "probe-key": "theirs" });
    lab.secret("main-webhook", theirs).await;
    let before = lab.secrets().get("main-webhook").await.unwrap();
    let operator = lab.operator().await;
    lab.create(&webhook("main")).await;
    lab.condition(
        "main",
        ConditionType::SecretsReady,
        "False",
        Reason::NameConflict.as_str(),
    )
    .await;
    operator.quiet().await;
    let after = lab.secrets().get("main-webhook").await.unwrap();
    assert_eq!(after.metadata.resource_version, before.metadata.resource_version);
    lab.secrets()
        .delete("main-webhook", &DeleteParams::default())
        .await
        .unwrap();
    lab.condition(
        "main",
        ConditionType::SecretsReady,
        "True",
        Reason::SecretsFound.as_str(),
    )
    .await;
}

/// cert-manager writes into whatever Secret a Certificate names.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_strangers_secret_gets_no_certificate() {
    let lab = Lab::new("strangers-tls").await;
    lab.app_secret().await;
    lab.secret("main-webhook-tls", json!({ "tls.key": "theirs" }))
        .await;
    let operator = lab.operator().await;
    lab.create(&webhook("main")).await;
    let conflict = Reason::NameConflict.as_str();
    let told = lab
        .condition("main", ConditionType::RouteReady, "False", conflict)
        .await;
    assert!(
        serde_json::to_string(&told)
            .unwrap()
            .contains("The Secret main-webhook-tls")
    );
    operator.quiet().await;
    assert!(lab.child("main", ChildKind::Certificate).await.is_none());
    lab.secrets()
        .delete("main-webhook-tls", &DeleteParams::default())
        .await
        .unwrap();
    eventually("the Certificate", async || {
        lab.child("main", ChildKind::Certificate).await
    })
    .await;
    // What cert-manager then makes is its own.
    let secret = serde_json::from_value(json!({
        "metadata": {
            "name": "main-webhook-tls",
            "annotations": { "cert-manager.io/certificate-name": "main-webhook" },
        },
    }));
    lab.secrets()
        .create(&PostParams::default(), &secret.unwrap())
        .await
        .unwrap();
    lab.accept("main").await;
    lab.condition(
        "main",
        ConditionType::RouteReady,
        "True",
        Reason::RouteAccepted.as_str(),
    )
    .await;
}

/// A resource that was deleted and made again finds the children of its predecessor. They are not its own, and they go.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn children_of_a_predecessor_are_strangers_until_they_are_gone() {
    let lab = Lab::new("strangers-heir").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    lab.create(&webhook("main")).await;
    lab.settled(&operator, "main").await;
    let former = lab.child("main", ChildKind::Deployment).await.unwrap();
    lab.delete("main").await;
    lab.create(&webhook("main")).await;
    let heir = eventually("the heir's own Deployment", async || {
        let found = lab.child("main", ChildKind::Deployment).await;
        found.filter(|found| found.metadata.uid != former.metadata.uid)
    })
    .await;
    let webhook = lab.webhooks().get("main").await.unwrap();
    assert_eq!(heir.owner_references()[0].uid, webhook.metadata.uid.unwrap());
    lab.condition(
        "main",
        ConditionType::SecretsReady,
        "True",
        Reason::SecretsFound.as_str(),
    )
    .await;
}
