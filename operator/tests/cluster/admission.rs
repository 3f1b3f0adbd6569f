//! An admission webhook of somebody else is down: what it guards cannot be written, everything else can.

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;

use crate::support::{Lab, webhook};

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn what_one_child_suffers_is_told_and_stops_no_other() {
    let lab = Lab::new("admission").await;
    lab.app_secret().await;
    let guards: Api<ValidatingWebhookConfiguration> = Api::all(lab.client.clone());
    let guard = json!({
        "metadata": { "name": "down" },
        "webhooks": [{
            "name": "down.example.com",
            // Nobody listens there.
            "clientConfig": { "url": "https://127.0.0.1:1/" },
            "rules": [{
                "apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"], "resources": ["ingresses"],
                "operations": ["CREATE", "UPDATE"],
            }],
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": lab.namespace } },
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail",
            "timeoutSeconds": 1,
        }],
    });
    guards
        .create(&PostParams::default(), &serde_json::from_value(guard).unwrap())
        .await
        .unwrap();
    let operator = lab.operator().await;
    lab.create(&webhook("main")).await;
    let told = lab
        .condition(
            "main",
            ConditionType::RouteReady,
            "False",
            Reason::ApiRefused.as_str(),
        )
        .await;
    let text = serde_json::to_string(&told.status).unwrap();
    assert!(text.contains("failed calling webhook"), "{text}");
    assert!(lab.child("main", ChildKind::Deployment).await.is_some());
    assert!(
        lab.child("main", ChildKind::PrometheusRule).await.is_some(),
        "it comes after the Ingress"
    );
    assert!(lab.child("main", ChildKind::Ingress).await.is_none());
    guards.delete("down", &DeleteParams::default()).await.unwrap();
    lab.accept("main").await;
    lab.condition(
        "main",
        ConditionType::RouteReady,
        "True",
        Reason::RouteAccepted.as_str(),
    )
    .await;
    operator.stop().await;
}
