//! What is made, what grows, and whose settings survive: on one server.

use async_nats::jetstream::stream::{
    Compression, Config, DiscardPolicy, Placement, Republish, RetentionPolicy, Source,
};
use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::{NAMESPACE_KEY, UID_KEY, WEBHOOK_KEY};
use wahook_operator::validate::StreamPlan;

use super::common::*;

#[tokio::test]
async fn what_is_absent_is_made_once() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, owner) = (broker(&nats.url()), plan("made"), owner("made"));
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(
        report.written,
        [
            "created stream whatsapp_test_made",
            "created bucket whatsapp_test_made_objects"
        ]
    );
    assert_eq!(report.reason, Reason::StreamFound);
    assert_eq!(report.usage.unwrap().limit, Some(4 << 20));
    let made = config(&context, "whatsapp_test_made").await;
    assert_eq!(plan.spec.mismatches(&made), Vec::<String>::new());
    assert_eq!((made.num_replicas, made.max_bytes), (1, 4 * MIB));
    for (key, value) in [
        (NAMESPACE_KEY, "test"),
        (WEBHOOK_KEY, "made"),
        (UID_KEY, "uid-of-made"),
    ] {
        assert_eq!(made.metadata[key], value);
    }
    let bucket = config(&context, "OBJ_whatsapp_test_made_objects").await;
    assert_eq!(bucket.metadata[WEBHOOK_KEY], "made");

    let again = calm(&broker, &plan, &owner).await;
    assert_eq!((again.ok, again.message), (true, report.message));
    // A new operator knows nothing of the first one's work.
    let again = calm(&super::common::broker(&nats.url()), &plan, &owner).await;
    assert!(again.ok);
}

#[tokio::test]
async fn the_bucket_is_the_one_that_receivers_make() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (mine, theirs) = (plan("bucket"), plan("bucket-of-receiver"));
    good(&broker(&nats.url()), &mine, &owner("bucket")).await;
    context
        .create_object_store(theirs.spec.bucket_config(false))
        .await
        .unwrap();
    let mut mine = config(&context, &mine.spec.bucket_stream()).await;
    let mut theirs = config(&context, &theirs.spec.bucket_stream()).await;
    for config in [&mut mine, &mut theirs] {
        config.name.clear();
        config.subjects.clear();
        config.metadata.clear();
    }
    assert_eq!(mine, theirs);
}

#[tokio::test]
async fn what_may_grow_grows_and_the_next_look_writes_nothing() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("grown"), owner("grown"));
    good(&broker, &plan, &owner).await;
    publish(&context, "grown", 10, 100).await;
    let changes: [(&str, fn(&mut StreamPlan)); 4] = [
        ("max_bytes 4194304 -> 8388608", |plan| {
            plan.spec.max_bytes = 8 * MIB;
        }),
        ("max_age 7 d -> 14 d", |plan| plan.spec.max_age = 14 * DAY),
        ("duplicate_window 1 d -> 2 d", |plan| plan.spec.window = 2 * DAY),
        ("deny_delete on", |plan| plan.deny_delete = true),
    ];
    for (words, change) in changes {
        change(&mut plan);
        let report = good(&broker, &plan, &owner).await;
        let expected = format!("changed stream whatsapp_test_grown: {words}");
        assert_eq!(report.written[0], expected);
        calm(&broker, &plan, &owner).await;
    }
    // The age and a window longer than the old age, in one change.
    (plan.spec.max_age, plan.spec.window) = (40 * DAY, 30 * DAY);
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(
        report.written[0],
        "changed stream whatsapp_test_grown: max_age 14 d -> 40 d, duplicate_window 2 d -> 30 d"
    );
    calm(&broker, &plan, &owner).await;
    let grown = info(&context, "whatsapp_test_grown").await;
    assert_eq!(grown.state.messages, 10, "nothing was lost");
    assert!(grown.config.deny_delete);
    assert_eq!(plan.spec.mismatches(&grown.config), Vec::<String>::new());
    let bucket = config(&context, "OBJ_whatsapp_test_grown_objects").await;
    assert_eq!((bucket.max_bytes, bucket.max_age), (8 * MIB, 40 * DAY));
    assert!(!bucket.deny_delete, "objects are replaced and removed");
}

#[tokio::test]
async fn what_an_administrator_set_survives() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("edited"), owner("edited"));
    good(&broker, &plan, &owner).await;
    publish(&context, "edited", 3, 100).await;
    let mut edited = config(&context, "whatsapp_test_edited").await;
    edited.description = Some("ask the blue team".into());
    edited.metadata.insert("team".into(), "blue".into());
    edited.compression = Some(Compression::S2);
    edited.deny_purge = true;
    edited.subjects.push("blue.notes".into());
    edited.max_consumers = 7;
    edited.allow_message_ttl = true;
    edited.republish = Some(Republish {
        source: "whatsapp.test.edited.>".into(),
        destination: "copy.>".into(),
        headers_only: true,
    });
    edited.sources = Some(vec![Source {
        name: "whatsapp_test_elsewhere".into(),
        ..Source::default()
    }]);
    context.update_stream(&edited).await.unwrap();
    let edited = config(&context, "whatsapp_test_edited").await;
    assert!(calm(&broker, &plan, &owner).await.ok);
    plan.spec.max_age = 8 * DAY;
    good(&broker, &plan, &owner).await;
    let expected = Config {
        max_age: 8 * DAY,
        ..edited.clone()
    };
    assert_eq!(config(&context, "whatsapp_test_edited").await, expected);

    // Drift in what the promises need.
    let mut spoiled = expected.clone();
    spoiled.discard = DiscardPolicy::Old;
    spoiled.retention = RetentionPolicy::Interest;
    spoiled.max_messages = 100;
    spoiled.max_messages_per_subject = 100;
    spoiled.max_message_size = 1000;
    spoiled.no_ack = true;
    spoiled.allow_direct = false;
    spoiled.max_bytes = MIB;
    spoiled.duplicate_window = HOUR;
    spoiled.subjects = vec!["blue.notes".into(), "whatsapp.test.edited.1.>".into()];
    context.update_stream(&spoiled).await.unwrap();
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(report.written.len(), 3, "{report:?}");
    let mut healed = config(&context, "whatsapp_test_edited").await;
    healed.subjects.sort();
    let mut expected = expected;
    expected.subjects.sort();
    assert_eq!(healed, expected);
    calm(&broker, &plan, &owner).await;
}

#[tokio::test]
async fn a_placement_is_neither_lost_nor_needed() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("placed"), owner("placed"));
    good(&broker, &plan, &owner).await;
    let mut placed = config(&context, "whatsapp_test_placed").await;
    placed.placement = Some(Placement {
        cluster: None,
        tags: vec!["ssd".into()],
    });
    context.update_stream(&placed).await.unwrap();
    plan.spec.window = 2 * DAY;
    good(&broker, &plan, &owner).await;
    let kept = config(&context, "whatsapp_test_placed").await;
    assert_eq!(kept.placement.unwrap().tags, ["ssd"]);
}
