//! Whatever is deleted, edited or missing comes back by itself.

use std::time::Duration;

use k8s_openapi::ByteString;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;
use wahook_operator::names;

use crate::support::{Lab, Options, eventually, normal, settings, spec, webhook};

/// A webhook with a child of every kind: both kinds of route in turn cannot be, so the HTTPRoute has one of its own.
async fn everything(lab: &Lab) -> Vec<(&'static str, ChildKind)> {
    lab.app_secret().await;
    let mut auto = spec("auto");
    auto["receiver"] = json!({ "autoscaling": {} });
    let mut gateway = spec("gateway");
    gateway["endpoint"] =
        json!({ "host": "gateway.example.com", "gateway": { "parentRefs": [{ "name": "public" }] } });
    for (name, spec) in [("auto", auto), ("gateway", gateway)] {
        lab.create(&wahook_crds::WhatsAppWebhook::new(
            name,
            serde_json::from_value(spec).unwrap(),
        ))
        .await;
    }
    ChildKind::ALL
        .into_iter()
        .map(|kind| {
            if kind == ChildKind::HttpRoute {
                ("gateway", kind)
            } else {
                ("auto", kind)
            }
        })
        .collect()
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_deleted_child_comes_back() {
    let lab = Lab::new("heal-deleted").await;
    let operator = lab.operator().await;
    let children = everything(&lab).await;
    lab.settled(&operator, "auto").await;
    lab.settled(&operator, "gateway").await;
    for (webhook, kind) in children {
        let before = lab
            .child(webhook, kind)
            .await
            .unwrap_or_else(|| panic!("no {kind:?}"));
        lab.children(kind)
            .delete(&kind.name(webhook), &DeleteParams::background())
            .await
            .unwrap();
        let after = eventually(&format!("{kind:?}"), async || {
            let found = lab.child(webhook, kind).await;
            found.filter(|after| after.metadata.uid != before.metadata.uid)
        })
        .await;
        operator.quiet().await;
        let after = lab.child(webhook, kind).await.unwrap_or(after);
        assert_eq!(normal(&after), normal(&before), "{kind:?}");
    }
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn what_someone_else_edits_returns_and_what_they_add_stays() {
    let lab = Lab::new("heal-edited").await;
    let operator = lab.operator().await;
    let children = everything(&lab).await;
    lab.settled(&operator, "auto").await;
    lab.settled(&operator, "gateway").await;
    for (webhook, kind) in children {
        let edit = match kind {
            ChildKind::ServiceAccount => json!({ "automountServiceAccountToken": true }),
            ChildKind::Configuration => json!({ "data": { names::CONFIG_KEY: "wrong" } }),
            ChildKind::Events => json!({ "data": { "NATS_URL": "nats://elsewhere:4222" } }),
            ChildKind::Deployment => {
                json!({ "spec": { "template": { "spec": { "serviceAccountName": "default" } } } })
            }
            ChildKind::Service => json!({ "spec": { "selector": { "version": "2" } } }),
            ChildKind::PodDisruptionBudget => json!({ "spec": { "maxUnavailable": "100%" } }),
            ChildKind::HorizontalPodAutoscaler => json!({ "spec": { "maxReplicas": 50 } }),
            ChildKind::NetworkPolicy => json!({ "spec": { "egress": [{}] } }),
            ChildKind::Certificate => json!({ "spec": { "dnsNames": ["stranger.example.com"] } }),
            ChildKind::Ingress => json!({ "spec": { "rules": [{ "host": "stranger.example.com" }] } }),
            ChildKind::HttpRoute => json!({ "spec": { "hostnames": ["stranger.example.com"] } }),
            ChildKind::ServiceMonitor => json!({ "spec": { "endpoints": [] } }),
            ChildKind::PrometheusRule => json!({ "spec": { "groups": [] } }),
        };
        let before = lab
            .child(webhook, kind)
            .await
            .unwrap_or_else(|| panic!("no {kind:?}"));
        let mut patch = edit;
        patch["metadata"] = json!({
            "annotations": { "example.com/theirs": "stays" },
            "labels": { "app.kubernetes.io/part-of": "somebody" },
        });
        let api = lab.children(kind);
        let edited = api
            .patch(
                &kind.name(webhook),
                &PatchParams::default(),
                &Patch::Merge(&patch),
            )
            .await
            .unwrap();
        assert_ne!(
            normal(&edited),
            normal(&before),
            "{kind:?}: the edit changes nothing"
        );
        let mut expected = normal(&before);
        expected["metadata"]["annotations"]["example.com/theirs"] = json!("stays");
        if before.labels().get("app.kubernetes.io/part-of").is_none() {
            expected["metadata"]["labels"]["app.kubernetes.io/part-of"] = json!("somebody");
        }
        let mut last = json!(null);
        for _ in 0..200 {
            last = normal(&lab.child(webhook, kind).await.unwrap());
            if last == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(last, expected, "{kind:?}");
        assert_eq!(
            lab.child(webhook, kind).await.unwrap().metadata.uid,
            before.metadata.uid
        );
    }
    // A label by which we find our own is put back even though its loss hides the object from the watch.
    let name = ChildKind::Service.name("auto");
    let patch = json!({ "metadata": { "labels": { names::MANAGED_BY_LABEL: null } } });
    let api = lab.children(ChildKind::Service);
    api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .unwrap();
    eventually("the label", async || {
        let service = api.get(&name).await.unwrap();
        service
            .labels()
            .contains_key(names::MANAGED_BY_LABEL)
            .then_some(())
    })
    .await;
}

/// In any order, with nothing but the Secret being created.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_missing_secret_heals_when_it_is_there() {
    let lab = Lab::new("heal-secret").await;
    let operator = lab.operator().await;
    let secrets = ConditionType::SecretsReady;
    lab.create(&webhook("main")).await;
    let missing = lab
        .condition("main", secrets, "False", Reason::SecretNotFound.as_str())
        .await;
    let message = missing
        .status
        .unwrap()
        .conditions
        .into_iter()
        .find(|one| one.type_ == "SecretsReady")
        .unwrap();
    assert!(
        message.message.contains("meta.appSecrets[0]") && message.message.contains("meta-app"),
        "{message:?}"
    );
    operator.quiet().await;
    assert!(
        lab.child("main", ChildKind::Deployment).await.is_some(),
        "pods may start and wait"
    );

    lab.secret("meta-app", json!({ "other": "x" })).await;
    lab.condition("main", secrets, "False", Reason::SecretKeyNotFound.as_str())
        .await;
    let set = async |values| {
        let patch = json!({ "stringData": values });
        lab.secrets()
            .patch("meta-app", &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap();
    };
    set(json!({ "app-secret": " \n" })).await;
    lab.condition("main", secrets, "False", Reason::SecretInvalid.as_str())
        .await;
    let deployment = lab.child("main", ChildKind::Deployment).await.unwrap();
    set(json!({ "app-secret": "very-private-app-secret" })).await;
    lab.condition("main", secrets, "True", Reason::SecretsFound.as_str())
        .await;
    let after = lab.child("main", ChildKind::Deployment).await.unwrap();
    assert_eq!(
        after.metadata.generation, deployment.metadata.generation,
        "a Secret rolls nothing"
    );

    // The other way round there is never anything to complain about.
    lab.create(&webhook("late")).await;
    let good = lab
        .condition("late", secrets, "True", Reason::SecretsFound.as_str())
        .await;
    assert_eq!(good.metadata.generation, Some(1));

    lab.secrets()
        .delete("meta-app", &DeleteParams::default())
        .await
        .unwrap();
    let touch = json!({ "metadata": { "annotations": { "example.com/touched": "1" } } });
    lab.patch("main", &touch).await;
    lab.condition("main", secrets, "False", Reason::SecretNotFound.as_str())
        .await;
}

/// The verify token is made once; what is generated is written by nobody twice.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_verify_token_never_changes() {
    let lab = Lab::new("heal-token").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    lab.create(&webhook("main")).await;
    lab.settled(&operator, "main").await;
    let name = names::child("main");
    let before = lab.secrets().get(&name).await.unwrap();
    let token = &before.data.as_ref().unwrap()[names::VERIFY_TOKEN_KEY];
    assert_eq!(token.0.len(), 43, "32 bytes in base64url");
    operator.stop().await;

    let operator = lab.operator().await;
    let mut named = spec("main");
    named["meta"]["verifyToken"] = json!({ "name": "meta-app", "key": "app-secret" });
    for spec in [named, spec("main")] {
        lab.set_spec("main", &spec).await;
        lab.settled(&operator, "main").await;
    }
    let after = lab.secrets().get(&name).await.unwrap();
    assert_eq!(after.metadata.resource_version, before.metadata.resource_version);

    // A key that someone removed is not made up again.
    let patch = json!({ "data": { names::VERIFY_TOKEN_KEY: null } });
    lab.secrets()
        .patch(&name, &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .unwrap();
    lab.patch(
        "main",
        &json!({ "metadata": { "annotations": { "example.com/touched": "1" } } }),
    )
    .await;
    lab.condition(
        "main",
        ConditionType::SecretsReady,
        "False",
        Reason::SecretKeyNotFound.as_str(),
    )
    .await;
    operator.quiet().await;
    let lost = lab.secrets().get(&name).await.unwrap();
    assert!(!lost.data.as_ref().unwrap().contains_key(names::VERIFY_TOKEN_KEY));

    // One that is gone altogether is: there is nothing left that could change.
    lab.secrets()
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
    let again = eventually("another Secret", async || {
        lab.secrets().get_opt(&name).await.unwrap()
    })
    .await;
    assert_ne!(&again.data.unwrap()[names::VERIFY_TOKEN_KEY], token);
    eventually("an Event about it", async || {
        let events = lab.events().await;
        events
            .contains(&"VerifyTokenRegenerated".to_owned())
            .then_some(())
    })
    .await;
    lab.condition(
        "main",
        ConditionType::SecretsReady,
        "True",
        Reason::SecretsFound.as_str(),
    )
    .await;
    let status = serde_json::to_string(&lab.webhooks().get("main").await.unwrap()).unwrap();
    let ByteString(token) = token;
    assert!(!status.contains(std::str::from_utf8(token).unwrap()));
}

/// What cannot be followed changes nothing, says why, and is followed as soon as it can be.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_refused_change_leaves_the_last_good_state() {
    let lab = Lab::new("heal-refused").await;
    lab.app_secret().await;
    let operator = lab
        .operator_with(Options {
            settings: settings(),
            ..Options::default()
        })
        .await;
    lab.create(&webhook("main")).await;
    lab.settled(&operator, "main").await;
    let before = lab.all_children("main").await;
    let mut bad = spec("main");
    bad["receiver"] = json!({ "image": "evil.example.com/miner:1", "replicas": 7 });
    lab.set_spec("main", &bad).await;
    let stalled = lab
        .condition(
            "main",
            ConditionType::Stalled,
            "True",
            Reason::InvalidSpec.as_str(),
        )
        .await;
    let conditions = stalled.status.unwrap().conditions;
    let of = |kind: &str| conditions.iter().find(|one| one.type_ == kind).unwrap();
    assert_eq!(of("ReceiverReady").reason, Reason::ImageNotAllowed.as_str());
    assert_eq!(
        (of("Ready").status.as_str(), of("Reconciling").status.as_str()),
        ("False", "False")
    );
    operator.quiet().await;
    let versions = |all: &[(ChildKind, kube::api::DynamicObject)]| -> Vec<_> {
        all.iter()
            .map(|(kind, object)| (*kind, object.metadata.generation, normal(object)))
            .collect()
    };
    assert_eq!(versions(&lab.all_children("main").await), versions(&before));
    lab.set_spec("main", &spec("main")).await;
    lab.condition("main", ConditionType::Stalled, "False", Reason::UpToDate.as_str())
        .await;
}
