//! An upgrade of the operator rolls receivers in batches and stops when one fails; a broker in trouble stops nothing.

use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;

use crate::support::{Lab, Options, eventually, settings, webhook};

const NEW: &str = "registry.example.com/wahook-receiver:2";
const NAMES: [&str; 3] = ["one", "two", "three"];

/// The webhooks whose receivers have the new image.
async fn rolled(lab: &Lab) -> Vec<&'static str> {
    let mut rolled = Vec::new();
    for name in NAMES {
        let deployment = lab.child(name, ChildKind::Deployment).await.unwrap();
        if deployment.data["spec"]["template"]["spec"]["containers"][0]["image"] == NEW {
            rolled.push(name);
        }
    }
    rolled
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn an_upgrade_rolls_in_batches_and_stops_at_a_failure() {
    let lab = Lab::new("rollouts").await;
    lab.app_secret().await;
    let kubelet = lab.kubelet();
    let operator = lab.operator().await;
    let receiver = ConditionType::ReceiverReady;
    for name in NAMES {
        lab.create(&webhook(name)).await;
    }
    for name in NAMES {
        lab.condition(name, receiver, "True", Reason::RolledOut.as_str())
            .await;
    }
    operator.quiet().await;
    operator.stop().await;

    kubelet.break_image(NEW);
    let mut settings = settings();
    NEW.clone_into(&mut settings.receiver.image);
    settings.rollout_batch = 1;
    let operator = lab
        .operator_with(Options {
            settings,
            ..Options::default()
        })
        .await;
    eventually("one to roll", async || {
        (rolled(&lab).await.len() == 1).then_some(())
    })
    .await;
    let first = rolled(&lab).await;
    for name in NAMES.into_iter().filter(|name| !first.contains(name)) {
        let queued = Reason::RolloutQueued.as_str();
        lab.condition(name, receiver, "True", queued).await;
    }
    operator.quiet().await;
    assert_eq!(rolled(&lab).await, first, "no other begins");

    kubelet.repair();
    eventually("all to roll", async || {
        (rolled(&lab).await.len() == NAMES.len()).then_some(())
    })
    .await;
    for name in NAMES {
        lab.condition(name, receiver, "True", Reason::RolledOut.as_str())
            .await;
    }
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_broker_in_trouble_is_told_and_stops_no_receiver() {
    let lab = Lab::new("broker-trouble").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    operator.streams.fail(Some(Reason::BrokerUnreachable));
    lab.create(&webhook("main")).await;
    let stream = ConditionType::StreamReady;
    let trouble = Reason::BrokerUnreachable.as_str();
    lab.condition("main", stream, "False", trouble).await;
    assert!(lab.child("main", ChildKind::Deployment).await.is_some());
    operator.streams.fail(None);
    lab.condition("main", stream, "True", Reason::StreamFound.as_str())
        .await;
}
