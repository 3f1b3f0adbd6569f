//! A resource becomes everything it should be, soon, in order, and then nothing happens any more.

use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::api::{Api, ListParams};
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;

use crate::support::{Lab, eventually, webhook};

/// Every condition is there at once, everything is made in order, and the webhook becomes ready.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_webhook_becomes_ready() {
    let lab = Lab::new("create-ready").await;
    let operator = lab.operator().await;
    let _kubelet = lab.kubelet();
    lab.app_secret().await;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let began = Instant::now();
    lab.create(&webhook("main")).await;
    let first = eventually("the first status", async || {
        let webhook = lab.webhooks().get("main").await.unwrap();
        webhook.status.filter(|status| !status.conditions.is_empty())
    })
    .await;
    // How soon is shown and not asserted: a hundred other operators run on this machine now.
    println!("all conditions after {:?}", began.elapsed());
    for kind in ConditionType::ALL {
        let condition = first
            .conditions
            .iter()
            .find(|one| one.type_ == kind.as_str())
            .unwrap();
        assert!(
            !condition.reason.is_empty() && !condition.message.is_empty(),
            "{kind}"
        );
        assert!(condition.observed_generation.is_some(), "{kind}");
    }

    lab.accept("main").await;
    let ready = lab
        .condition("main", ConditionType::Ready, "True", Reason::AllReady.as_str())
        .await;
    println!("ready after {:?}", began.elapsed());
    let status = ready.status.unwrap();
    assert_eq!(
        status.callback_url.as_deref(),
        Some("https://main.example.com/webhook")
    );
    assert_eq!(status.verify_token_secret.unwrap().name, "main-webhook");
    assert_eq!((status.replicas, status.ready_replicas), (Some(2), Some(2)));
    assert_eq!(
        status.certificate.unwrap().not_after.unwrap().0.to_string(),
        "2027-01-01T00:00:00Z"
    );
    assert_eq!(status.stream.unwrap().name, "whatsapp_create-ready_main");
    assert!(status.selector.unwrap().contains("wahook.dev/webhook=main"));

    // What a pod mounts is there before the pod, and all of it is ours.
    let children = lab.all_children("main").await;
    let kinds: Vec<ChildKind> = children.iter().map(|(kind, _)| *kind).collect();
    for kind in [
        ChildKind::ServiceAccount,
        ChildKind::Configuration,
        ChildKind::Deployment,
        ChildKind::Ingress,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    let events = lab.plane.audit_events().unwrap();
    let created: Vec<String> = events
        .iter()
        .filter(|event| event.user() == operator.user && event.code() == Some(201))
        .filter_map(|event| event.object_ref.as_ref().map(|object| object.resource.clone()))
        .filter(|resource| resource != "events")
        .collect();
    let expected: Vec<String> = std::iter::once("secrets".to_owned())
        .chain(kinds.iter().map(|kind| kind.resource().plural))
        .collect();
    assert_eq!(created, expected);
    for (kind, child) in &children {
        let owner = &child.owner_references()[0];
        assert_eq!(
            (owner.name.as_str(), owner.controller),
            ("main", Some(true)),
            "{kind:?}"
        );
        assert_eq!(child.labels()["app.kubernetes.io/managed-by"], "wahook-operator");
        assert!(child.finalizers().is_empty());
    }

    // And nobody was told more than once.
    operator.quiet().await;
    let told: Api<k8s_openapi::api::events::v1::Event> = Api::namespaced(lab.client.clone(), &lab.namespace);
    let told = told.list(&ListParams::default()).await.unwrap();
    let mut reasons: Vec<String> = told
        .iter()
        .filter(|event| event.reporting_controller.as_deref() == Some("wahook-operator"))
        .map(|event| {
            assert!(event.series.is_none(), "{event:?}");
            event.reason.clone().unwrap()
        })
        .collect();
    reasons.sort();
    assert_eq!(
        reasons,
        ["RolledOut", "RouteAccepted", "SecretsFound", "StreamFound"]
    );
}
