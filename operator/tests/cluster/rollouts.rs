//! An upgrade of the operator rolls receivers in batches and stops when one fails; a broker in trouble stops nothing.

use serde_json::json;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;
use wahook_operator::settings::{Pattern, Settings};

use crate::support::{Lab, Options, Running, eventually, settings, spec, webhook};

const NEW: &str = "registry.example.com/wahook-receiver:2";
const NEWER: &str = "registry.example.com/wahook-receiver:3";
const NAMES: [&str; 3] = ["one", "two", "three"];
const RECEIVER: ConditionType = ConditionType::ReceiverReady;
const READY: &str = Reason::RolledOut.as_str();

/// The webhooks whose receivers have this image.
async fn rolled(lab: &Lab, image: &str) -> Vec<&'static str> {
    let mut rolled = Vec::new();
    for name in NAMES {
        let deployment = lab.child(name, ChildKind::Deployment).await.unwrap();
        if deployment.data["spec"]["template"]["spec"]["containers"][0]["image"] == image {
            rolled.push(name);
        }
    }
    rolled
}

/// The webhooks that roll, have failed, and wait, as the metrics say.
fn states(operator: &Running) -> [u64; 3] {
    let text = operator.metrics.render().unwrap();
    ["rolling", "failed", "queued"].map(|state| {
        let name = format!("whatsapp_webhook_operator_rollouts{{state=\"{state}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap().parse().unwrap()
    })
}

/// Every webhook, with ready receivers of the operator's first version.
async fn ready(lab: &Lab) -> Running {
    lab.app_secret().await;
    let operator = lab
        .operator_with(version(settings(), "registry.example.com/wahook-receiver:1"))
        .await;
    for name in NAMES {
        lab.create(&webhook(name)).await;
    }
    for name in NAMES {
        lab.condition(name, RECEIVER, "True", READY).await;
    }
    operator.quiet().await;
    operator
}

/// A version of the operator, which is told by its image of receivers.
fn version(mut settings: Settings, image: &str) -> Options {
    image.clone_into(&mut settings.receiver.image);
    settings.rollout_batch = 1;
    settings.allow.images = vec![Pattern::new("example.com/*")];
    Options {
        settings,
        ..Options::default()
    }
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn an_upgrade_rolls_in_batches_and_stops_at_a_failure() {
    let lab = Lab::new("rollouts").await;
    let kubelet = lab.kubelet();
    ready(&lab).await.stop().await;

    kubelet.break_image(NEW);
    let operator = lab.operator_with(version(settings(), NEW)).await;
    eventually("one to roll", async || {
        (rolled(&lab, NEW).await.len() == 1).then_some(())
    })
    .await;
    let first = rolled(&lab, NEW).await;
    let waiting = NAMES.into_iter().filter(|name| !first.contains(name));
    for name in waiting.clone() {
        let queued = Reason::RolloutQueued.as_str();
        lab.condition(name, RECEIVER, "True", queued).await;
    }
    operator.quiet().await;
    assert_eq!(rolled(&lab, NEW).await, first, "no other begins");
    assert_eq!(states(&operator), [1, 0, 2]);

    // Those that wait say why, and the next process knows it too.
    lab.give_up(first[0]).await;
    let why = format!("the new ones of the WhatsAppWebhook {} did not come up", first[0]);
    let told = async |operator: &Running| {
        eventually("the failure to be counted", async || {
            (states(operator) == [0, 1, 2]).then_some(())
        })
        .await;
        for name in waiting.clone() {
            eventually("the reason", async || {
                let webhook = lab.webhooks().get(name).await.unwrap();
                let conditions = webhook.status.unwrap().conditions;
                let receiver = conditions.into_iter().find(|one| one.type_ == "ReceiverReady")?;
                receiver.message.contains(&why).then_some(())
            })
            .await;
        }
    };
    told(&operator).await;
    operator.stop().await;
    let operator = lab.operator_with(version(settings(), NEW)).await;
    told(&operator).await;
    assert_eq!(rolled(&lab, NEW).await, first);

    kubelet.repair();
    eventually("all to roll", async || {
        (rolled(&lab, NEW).await.len() == NAMES.len()).then_some(())
    })
    .await;
    for name in NAMES {
        lab.condition(name, RECEIVER, "True", READY).await;
    }
    operator.quiet().await;
    assert_eq!(states(&operator), [0, 0, 0]);
    // What was marked stays so, without being written again.
    let writes = operator.metrics.writes();
    for name in NAMES {
        lab.patch(
            name,
            &json!({ "metadata": { "annotations": { "touched": "1" } } }),
        )
        .await;
    }
    operator.quiet().await;
    assert_eq!(operator.metrics.writes(), writes);
}

/// What a user broke is not the upgrade's fault and holds up nobody; nor does a webhook that cannot be followed any more.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn only_what_the_operator_rolled_holds_up_an_upgrade() {
    let lab = Lab::new("rollouts-others").await;
    let kubelet = lab.kubelet();
    let operator = ready(&lab).await;
    let mut own = spec("one");
    own["receiver"] = json!({ "image": "example.com/broken:1" });
    kubelet.break_image("example.com/broken:1");
    lab.set_spec("one", &own).await;
    lab.condition("one", RECEIVER, "False", Reason::RollingOut.as_str())
        .await;
    lab.give_up("one").await;
    lab.condition("one", RECEIVER, "False", Reason::Unavailable.as_str())
        .await;
    operator.stop().await;

    let operator = lab.operator_with(version(settings(), NEW)).await;
    eventually("the others to roll", async || {
        (rolled(&lab, NEW).await == ["two", "three"]).then_some(())
    })
    .await;
    for name in ["two", "three"] {
        lab.condition(name, RECEIVER, "True", READY).await;
    }
    operator.quiet().await;
    assert_eq!(states(&operator), [0, 0, 0]);
    operator.stop().await;

    kubelet.break_image(NEWER);
    let operator = lab.operator_with(version(settings(), NEWER)).await;
    eventually("one to roll", async || {
        (rolled(&lab, NEWER).await.len() == 1).then_some(())
    })
    .await;
    operator.quiet().await;
    let first = rolled(&lab, NEWER).await[0];
    let mut bad = spec(first);
    bad["receiver"] = json!({ "image": "evil.example.com/miner:1" });
    lab.set_spec(first, &bad).await;
    eventually("the other to roll", async || {
        (rolled(&lab, NEWER).await.len() == 2).then_some(())
    })
    .await;
}

/// Receivers that were ready and are not any more are an outage, not a roll-out.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn an_outage_is_called_so() {
    let lab = Lab::new("rollouts-outage").await;
    lab.app_secret().await;
    let kubelet = lab.kubelet();
    let operator = lab.operator().await;
    lab.create(&webhook("main")).await;
    lab.condition("main", RECEIVER, "True", READY).await;
    operator.quiet().await;
    kubelet.break_image(&settings().receiver.image);
    lab.lose_pods().await;
    let webhook = lab
        .condition("main", RECEIVER, "False", Reason::Unavailable.as_str())
        .await;
    let told = serde_json::to_string(&webhook.status).unwrap();
    assert!(
        told.contains("of 2 receivers are ready, although all were"),
        "{told}"
    );
    kubelet.repair();
    lab.condition("main", RECEIVER, "True", READY).await;
    // More that were asked for are only awaited.
    kubelet.break_image(&settings().receiver.image);
    let mut more = spec("main");
    more["receiver"] = json!({ "replicas": 3 });
    lab.set_spec("main", &more).await;
    lab.condition("main", RECEIVER, "False", Reason::RollingOut.as_str())
        .await;
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
