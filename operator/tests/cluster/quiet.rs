//! When nothing changed nothing is written.

use std::time::Duration;

use serde_json::json;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;

use crate::support::{Lab, Options, eventually, settings, spec, webhook};

/// Everything the operator wrote, Events included.
fn writes(lab: &Lab, user: &str) -> Vec<String> {
    let events = lab.plane.audit_events().unwrap();
    events
        .iter()
        .filter(|event| event.user() == user && !["get", "list", "watch"].contains(&event.verb.as_str()))
        .map(|event| format!("{} {}", event.verb, event.request_uri))
        .collect()
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn ten_looks_without_a_change_write_nothing() {
    let lab = Lab::new("quiet").await;
    lab.app_secret().await;
    let _kubelet = lab.kubelet();
    let mut settings = settings();
    settings.resync = Duration::from_secs(1);
    let operator = lab
        .operator_with(Options {
            settings,
            ..Options::default()
        })
        .await;
    // Amounts and lists in other spellings than the API server's own.
    let mut full = spec("full");
    full["receiver"] = json!({
        "autoscaling": {},
        "resources": { "requests": { "cpu": "0.1", "memory": "65536Ki" }, "limits": { "cpu": 1.5 } },
        "scheduling": { "tolerations": [{ "operator": "Exists" }] },
        "imagePullSecrets": [{ "name": "b" }, { "name": "a" }],
    });
    lab.create(&wahook_crds::WhatsAppWebhook::new(
        "full",
        serde_json::from_value(full).unwrap(),
    ))
    .await;
    lab.create(&webhook("main")).await;
    for name in ["main", "full"] {
        lab.accept(name).await;
        lab.settled(&operator, name).await;
    }
    let versions = async || {
        let mut versions = Vec::new();
        for name in ["main", "full"] {
            for (kind, object) in lab.all_children(name).await {
                versions.push((kind, object.metadata.resource_version));
            }
        }
        versions
    };
    for name in ["main", "full"] {
        lab.condition(
            name,
            ConditionType::ReceiverReady,
            "True",
            Reason::RolledOut.as_str(),
        )
        .await;
    }
    // Kubernetes' own controllers write statuses too, and take their time on a busy machine.
    eventually("everybody else to rest", async || {
        let seen = versions().await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        (versions().await == seen).then_some(())
    })
    .await;
    operator.quiet().await;
    let (before, children) = (writes(&lab, &operator.user), versions().await);
    let looks = operator.reconciles();
    // Some looks by the clock, some forced by a person.
    for touch in 0..5 {
        let patch = json!({ "metadata": { "annotations": { "example.com/touched": touch.to_string() } } });
        for name in ["main", "full"] {
            lab.patch(name, &patch).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    eventually("ten looks at each", async || {
        (operator.reconciles() >= looks + 20).then_some(())
    })
    .await;
    assert_eq!(writes(&lab, &operator.user)[before.len()..], Vec::<String>::new());
    assert_eq!(versions().await, children);

    // Nor after a restart, when nothing is remembered.
    operator.stop().await;
    let operator = lab.operator().await;
    eventually("a look at each", async || {
        (operator.reconciles() >= 2).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(writes(&lab, &operator.user), Vec::<String>::new());
    assert_eq!(versions().await, children);
}

/// The longest names there are.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn names_at_the_limit() {
    let namespace = format!("quiet-{}", "n".repeat(34));
    let name = format!("w{}", "x".repeat(39));
    assert_eq!((namespace.len(), name.len()), (40, 40));
    let lab = Lab::new(&namespace).await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    let _kubelet = lab.kubelet();
    let mut all = spec(&name);
    all["receiver"] = json!({ "autoscaling": {} });
    lab.create(&wahook_crds::WhatsAppWebhook::new(
        &name,
        serde_json::from_value(all).unwrap(),
    ))
    .await;
    lab.accept(&name).await;
    use wahook_crds::conditions::{ConditionType, Reason};
    lab.condition(&name, ConditionType::Ready, "True", Reason::AllReady.as_str())
        .await;
    lab.settled(&operator, &name).await;
    let kinds = lab.all_children(&name).await.len();
    assert_eq!(kinds, ChildKind::ALL.len() - 1, "all but the HTTPRoute");
}
