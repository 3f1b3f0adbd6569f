//! What is made, what grows, what is left alone: on one server.

use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::{NAMESPACE_KEY, UID_KEY, WEBHOOK_KEY};
use wahook_operator::validate::StreamPlan;

use super::common::*;

type Change = fn(&mut StreamPlan);

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
    let changes: [(&str, Change); 4] = [
        ("max_bytes 4194304 -> 8388608", |plan| {
            plan.spec.max_bytes = 8 * MIB
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
