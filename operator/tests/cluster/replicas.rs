//! How many receivers there are: never fewer than there have to be, whoever decides.

use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::apply::replicas;
use wahook_operator::child::ChildKind;

use crate::support::{Lab, eventually, spec, webhook};

/// Every number of replicas that the Deployment ever asked for, in order.
struct History {
    seen: Arc<Mutex<Vec<i64>>>,
    task: JoinHandle<()>,
}

impl History {
    fn start(lab: &Lab) -> Self {
        let seen: Arc<Mutex<Vec<i64>>> = Arc::default();
        let api = lab.children(ChildKind::Deployment);
        let notes = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let changes = watcher(api, watcher::Config::default())
                .default_backoff()
                .applied_objects();
            let note = |deployment: DynamicObject| {
                let now = replicas(&deployment);
                let mut notes = notes.lock().unwrap();
                if notes.last() != Some(&now) {
                    notes.push(now);
                }
            };
            changes
                .try_for_each(async |deployment| Ok(note(deployment)))
                .await
                .unwrap();
        });
        Self { seen, task }
    }

    fn seen(&self) -> Vec<i64> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn fixed(replicas: i32) -> Value {
    let mut spec = spec("main");
    spec["receiver"] = json!({ "replicas": replicas });
    spec
}

fn auto(min: i32) -> Value {
    let mut spec = spec("main");
    spec["receiver"] = json!({ "replicas": 5, "autoscaling": { "minReplicas": min, "maxReplicas": 9 } });
    spec
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn autoscaling_on_and_off_never_passes_through_fewer() {
    let lab = Lab::new("replicas-auto").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    let history = History::start(&lab);
    lab.create(&webhook("main")).await;
    lab.settled(&operator, "main").await;
    lab.set_spec("main", &fixed(5)).await;
    lab.settled(&operator, "main").await;
    for _ in 0..3 {
        lab.set_spec("main", &auto(2)).await;
        lab.settled(&operator, "main").await;
        assert!(
            lab.child("main", ChildKind::HorizontalPodAutoscaler)
                .await
                .is_some()
        );
        lab.set_spec("main", &fixed(5)).await;
        lab.settled(&operator, "main").await;
        assert!(
            lab.child("main", ChildKind::HorizontalPodAutoscaler)
                .await
                .is_none()
        );
    }
    assert_eq!(history.seen(), [2, 5]);

    // What an autoscaler decides is not changed back, and is where it was when it is turned off at that number.
    lab.set_spec("main", &auto(2)).await;
    lab.settled(&operator, "main").await;
    let name = ChildKind::Deployment.name("main");
    let scale = json!({ "spec": { "replicas": 8 } });
    let api = lab.children(ChildKind::Deployment);
    api.patch_scale(&name, &PatchParams::default(), &Patch::Merge(&scale))
        .await
        .unwrap();
    operator.quiet().await;
    lab.patch(
        "main",
        &json!({ "metadata": { "annotations": { "example.com/touched": "1" } } }),
    )
    .await;
    operator.quiet().await;
    assert_eq!(history.seen(), [2, 5, 8]);
    // A minimum above what runs raises it at once.
    lab.set_spec("main", &fixed(2)).await;
    lab.settled(&operator, "main").await;
    lab.set_spec("main", &auto(4)).await;
    lab.settled(&operator, "main").await;
    assert_eq!(history.seen(), [2, 5, 8, 2, 4]);
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn an_autoscaled_webhook_begins_with_the_fewest_and_is_never_asleep() {
    let lab = Lab::new("replicas-fresh").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    let history = History::start(&lab);
    lab.create(&wahook_crds::WhatsAppWebhook::new(
        "main",
        serde_json::from_value(auto(3)).unwrap(),
    ))
    .await;
    lab.settled(&operator, "main").await;
    assert_eq!(history.seen(), [3]);
    // An autoscaler does nothing about a Deployment without pods.
    let name = ChildKind::Deployment.name("main");
    let api = lab.children(ChildKind::Deployment);
    let none = json!({ "spec": { "replicas": 0 } });
    api.patch_scale(&name, &PatchParams::default(), &Patch::Merge(&none))
        .await
        .unwrap();
    eventually("the receivers to be back", async || {
        (history.seen() == [3, 0, 3]).then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_suspended_webhook_has_no_receivers_and_everything_else() {
    let lab = Lab::new("replicas-suspend").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    let _kubelet = lab.kubelet();
    let history = History::start(&lab);
    lab.create(&wahook_crds::WhatsAppWebhook::new(
        "main",
        serde_json::from_value(auto(3)).unwrap(),
    ))
    .await;
    lab.settled(&operator, "main").await;
    lab.accept("main").await;
    lab.condition("main", ConditionType::Ready, "True", Reason::AllReady.as_str())
        .await;
    let ingress = lab.child("main", ChildKind::Ingress).await.unwrap();

    lab.patch("main", &json!({ "spec": { "suspend": true } })).await;
    let suspended = lab
        .condition("main", ConditionType::Ready, "False", Reason::Suspended.as_str())
        .await;
    lab.settled(&operator, "main").await;
    assert_eq!(history.seen(), [3, 0]);
    assert!(
        lab.child("main", ChildKind::HorizontalPodAutoscaler)
            .await
            .is_none()
    );
    let after = lab.child("main", ChildKind::Ingress).await.unwrap();
    assert_eq!(after.metadata.generation, ingress.metadata.generation);
    assert_eq!(
        suspended.status.unwrap().callback_url.as_deref(),
        Some("https://main.example.com/webhook")
    );
    lab.condition(
        "main",
        ConditionType::Reconciling,
        "False",
        Reason::UpToDate.as_str(),
    )
    .await;

    lab.patch("main", &json!({ "spec": { "suspend": false } })).await;
    lab.condition("main", ConditionType::Ready, "True", Reason::AllReady.as_str())
        .await;
    assert_eq!(history.seen(), [3, 0, 3]);
}

/// `kubectl scale` of the resource is its spec; of the Deployment it is an edit that returns.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn scaling_goes_through_the_resource() {
    let lab = Lab::new("replicas-scale").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    let history = History::start(&lab);
    lab.create(&webhook("main")).await;
    lab.settled(&operator, "main").await;
    let four = json!({ "spec": { "replicas": 4 } });
    lab.webhooks()
        .patch_scale("main", &PatchParams::default(), &Patch::Merge(&four))
        .await
        .unwrap();
    eventually("four receivers", async || {
        (history.seen() == [2, 4]).then_some(())
    })
    .await;
    let nine = json!({ "spec": { "replicas": 9 } });
    let name = ChildKind::Deployment.name("main");
    let api = lab.children(ChildKind::Deployment);
    api.patch_scale(&name, &PatchParams::default(), &Patch::Merge(&nine))
        .await
        .unwrap();
    eventually("four receivers again", async || {
        (history.seen() == [2, 4, 9, 4]).then_some(())
    })
    .await;
}
