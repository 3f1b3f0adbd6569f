//! Kinds that a cluster may lack: missing, appearing, disappearing.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams};
use serde_json::json;
use wahook_crds::WhatsAppWebhook;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;

use crate::support::{Lab, definition, eventually, install, own, spec, webhook};

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn an_optional_kind_that_appears_is_used() {
    let lab = Lab::on(own().await, "optional").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    let mut gateway = spec("gateway");
    gateway["endpoint"] =
        json!({ "host": "gateway.example.com", "gateway": { "parentRefs": [{ "name": "public" }] } });
    lab.create(&WhatsAppWebhook::new(
        "gateway",
        serde_json::from_value(gateway).unwrap(),
    ))
    .await;
    lab.create(&webhook("main")).await;
    let (route, missing) = (ConditionType::RouteReady, Reason::KindNotInstalled.as_str());
    for (name, kind) in [("gateway", "HTTPRoute"), ("main", "Certificate")] {
        let found = lab.condition(name, route, "False", missing).await;
        assert!(serde_json::to_string(&found.status).unwrap().contains(kind));
        lab.settled(&operator, name).await;
        assert!(lab.child(name, ChildKind::Deployment).await.is_some());
    }
    assert!(
        lab.child("main", ChildKind::Ingress).await.is_some(),
        "what is possible is done"
    );

    let optional: Vec<ChildKind> = ChildKind::ALL
        .into_iter()
        .filter(|kind| kind.is_optional())
        .collect();
    for kind in &optional {
        install(&lab.client, &definition(*kind)).await;
    }
    for kind in &optional {
        let name = if *kind == ChildKind::HttpRoute {
            "gateway"
        } else {
            "main"
        };
        eventually(&format!("{kind:?}"), async || lab.child(name, *kind).await).await;
    }
    lab.condition("main", route, "False", Reason::CertificatePending.as_str())
        .await;
    lab.condition("gateway", route, "False", Reason::RoutePending.as_str())
        .await;

    // And watched: one that is deleted comes back at once.
    let monitor = ChildKind::ServiceMonitor;
    let before = lab.child("main", monitor).await.unwrap();
    lab.children(monitor)
        .delete(&monitor.name("main"), &DeleteParams::default())
        .await
        .unwrap();
    eventually("another ServiceMonitor", async || {
        let found = lab.child("main", monitor).await;
        found.filter(|found| found.metadata.uid != before.metadata.uid)
    })
    .await;

    // A kind that goes is no failure either.
    let definitions: Api<CustomResourceDefinition> = Api::all(lab.client.clone());
    let name = definition(ChildKind::Certificate).metadata.name.unwrap();
    definitions.delete(&name, &DeleteParams::default()).await.unwrap();
    lab.condition("main", route, "False", missing).await;
    operator.stop().await;
}
