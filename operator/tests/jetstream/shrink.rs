//! What would delete events, or cannot be changed at all: said, and left.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, PersistenceMode, RetentionPolicy, StorageType};
use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::StreamReport;
use wahook_operator::validate::StreamPlan;

use super::common::*;

#[tokio::test]
async fn a_shorter_age_waits_for_what_it_would_delete() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("aged"), owner("aged"));
    good(&broker, &plan, &owner).await;
    publish(&context, "aged", 5, 100).await;
    // All events are younger than two days: nothing would be deleted.
    plan.spec.max_age = 2 * DAY;
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(
        report.written,
        [
            "changed stream whatsapp_test_aged: max_age 7 d -> 2 d",
            "changed bucket whatsapp_test_aged_objects: max_age 7 d -> 2 d"
        ]
    );
    // They are older than this.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    (plan.spec.max_age, plan.spec.window) = (Duration::from_secs(1), Duration::from_secs(1));
    let report = broker.look_after(&plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamImmutable, "{report:?}");
    assert!(
        report
            .message
            .contains("nats stream edit whatsapp_test_aged --max-age=1s"),
        "{report:?}"
    );
    assert_eq!(
        report.written,
        ["changed stream whatsapp_test_aged: duplicate_window 1 d -> 1 s"],
        "the window holds no events, and the bucket must not forget what events refer to"
    );
    let kept = info(&context, "whatsapp_test_aged").await;
    assert_eq!((kept.config.max_age, kept.state.messages), (2 * DAY, 5));
    let bucket = config(&context, "OBJ_whatsapp_test_aged_objects").await;
    assert_eq!(bucket.max_age, 2 * DAY);
    let again = calm(&broker, &plan, &owner).await;
    assert_eq!(again.message, report.message);

    // What the operator did not do: the administrator does, and JetStream deletes.
    let mut changed = kept.config;
    changed.max_age = Duration::from_secs(1);
    context.update_stream(&changed).await.unwrap();
    eventually("the broker deletes", Duration::from_secs(10), async || {
        info(&context, "whatsapp_test_aged").await.state.messages == 0
    })
    .await;
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(
        report.written,
        ["changed bucket whatsapp_test_aged_objects: max_age 2 d -> 1 s, duplicate_window 2 min -> 1 s"]
    );
}

#[tokio::test]
async fn fewer_bytes_wait_until_what_is_stored_fits() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    for storage in [StorageType::File, StorageType::Memory] {
        let name = format!("shrunk{storage:?}").to_lowercase();
        let (broker, mut plan, owner) = (broker(&nats.url()), plan(&name), owner(&name));
        plan.spec.storage = storage;
        good(&broker, &plan, &owner).await;
        publish(&context, &name, 30, 100_000).await;
        plan.spec.max_bytes = 2 * MIB;
        let report = broker.look_after(&plan, &owner).await;
        assert_eq!(report.reason, Reason::StreamImmutable, "{report:?}");
        assert_eq!(report.usage.unwrap().limit, Some(4 << 20), "the limit stays");
        publish(&context, &name, 1, 100).await;
        calm_or_bucket(&report);
        calm(&broker, &plan, &owner).await;

        let mut smaller = config(&context, &plan.spec.name).await;
        smaller.max_bytes = 2 * MIB;
        context.update_stream(&smaller).await.unwrap();
        let full = info(&context, &plan.spec.name).await;
        assert_eq!(full.state.messages, 31, "a smaller limit deletes nothing");
        let report = broker.look_after(&plan, &owner).await;
        assert_eq!(report.reason, Reason::StreamFull, "{report:?}");

        let stream = context.get_stream(&plan.spec.name).await.unwrap();
        stream.purge().sequence(20).await.unwrap();
        plan.spec.max_bytes = 3 * MIB / 2;
        let report = good(&broker, &plan, &owner).await;
        assert!(
            report.written[0].ends_with("max_bytes 2097152 -> 1572864"),
            "{report:?}"
        );
        assert_eq!(info(&context, &plan.spec.name).await.state.messages, 12);
    }
}

/// The empty bucket shrinks at once.
fn calm_or_bucket(report: &StreamReport) {
    assert_eq!(report.written.len(), 1, "{report:?}");
    assert!(report.written[0].starts_with("changed bucket "), "{report:?}");
}

#[tokio::test]
async fn the_window_follows_the_resource_down() {
    let nats = nats().await;
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("window"), owner("window"));
    plan.spec.window = 3 * DAY;
    good(&broker, &plan, &owner).await;
    plan.spec.window = HOUR;
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(
        report.written,
        ["changed stream whatsapp_test_window: duplicate_window 3 d -> 1 h"]
    );
    calm(&broker, &plan, &owner).await;
}

#[tokio::test]
async fn what_can_never_change_is_said_and_left() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("forever"), owner("forever"));
    plan.deny_delete = true;
    good(&broker, &plan, &owner).await;
    publish(&context, "forever", 3, 100).await;
    let cases: [(&str, fn(&mut StreamPlan)); 2] = [
        ("nats.stream.denyDelete: true", |plan| plan.deny_delete = false),
        ("nats.stream.storage to File", |plan| {
            plan.spec.storage = StorageType::Memory;
        }),
    ];
    for (next_step, change) in cases {
        let mut plan = plan.clone();
        change(&mut plan);
        let report = calm(&broker, &plan, &owner).await;
        assert_eq!(report.reason, Reason::StreamImmutable);
        assert!(report.message.contains(next_step), "{report:?}");
    }
    good(&broker, &plan, &owner).await;
    assert_eq!(info(&context, "whatsapp_test_forever").await.state.messages, 3);
}

#[tokio::test]
async fn an_unusable_stream_of_ours_is_said_and_left() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let cases: [(&str, &str, fn(&mut Config)); 3] = [
        ("queue", "is a work queue", |config| {
            config.retention = RetentionPolicy::WorkQueue;
        }),
        ("async", "persist_mode async", |config| {
            config.persist_mode = Some(PersistenceMode::Async);
        }),
        ("sealed", "is sealed", |config| config.sealed = true),
    ];
    for (name, words, spoil) in cases {
        let plan = plan(name);
        let mut config = plan.spec.stream_config(false);
        if config.name.ends_with("sealed") {
            // JetStream seals only what is there.
            context.create_stream(&config).await.unwrap();
            spoil(&mut config);
            context.update_stream(&config).await.unwrap();
        } else {
            spoil(&mut config);
            context.create_stream(&config).await.unwrap();
        }
        let broker = broker(&nats.url());
        let report = broker.look_after(&plan, &owner(name)).await;
        assert_eq!(report.reason, Reason::StreamImmutable, "{report:?}");
        assert!(report.message.contains(words), "{report:?}");
        let again = calm(&broker, &plan, &owner(name)).await;
        assert_eq!(again.message, report.message);
    }
}
