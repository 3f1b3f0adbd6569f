//! Streams that somebody else looks after: read, judged, never written.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::{NAMESPACE_KEY, WEBHOOK_KEY};

use super::common::*;

#[tokio::test]
async fn a_fit_stream_is_found_and_left() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, owner) = (broker(&nats.url()), external("fit"), owner("fit"));
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamNotFound, "{report:?}");
    assert!(
        report.message.contains("nats.stream.management: Managed"),
        "{report:?}"
    );
    let config = Config {
        subjects: vec!["whatsapp.test.fit.>".into(), "other.fit.>".into()],
        max_bytes: 64 * MIB,
        ..plan.spec.stream_config(false)
    };
    context.create_stream(&config).await.unwrap();
    let before = super::common::config(&context, &plan.spec.name).await;
    let report = calm(&broker, &plan, &owner).await;
    assert!(report.ok, "{report:?}");
    assert_eq!(report.usage.unwrap().limit, Some(64 << 20));
    assert_eq!(super::common::config(&context, &plan.spec.name).await, before);
    assert!(
        context.get_stream(plan.spec.bucket_stream()).await.is_err(),
        "not ours to make"
    );
}

#[tokio::test]
async fn every_unsafe_setting_is_named_and_left() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, owner) = (broker(&nats.url()), external("unsafe"), owner("unsafe"));
    let config = Config {
        duplicate_window: Duration::from_secs(60),
        max_age: HOUR,
        discard: DiscardPolicy::Old,
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::Memory,
        max_messages_per_subject: 5,
        ..plan.spec.stream_config(false)
    };
    context.create_stream(&config).await.unwrap();
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamUnsafe, "{report:?}");
    for word in [
        "duplicate_window is 1 min",
        "max_age is 1 h",
        "discard is old",
        "retention is workqueue",
        "storage is memory",
        "max_msgs_per_subject is 5",
    ] {
        assert!(report.message.contains(word), "{word}: {report:?}");
    }
    assert_eq!(
        super::common::config(&context, &plan.spec.name).await.max_age,
        HOUR
    );
}

/// Who may create a resource learns nothing of the streams that others have on the operator's broker.
#[tokio::test]
async fn a_stream_that_is_for_others_is_not_described() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, owner) = (broker(&nats.url()), external("curious"), owner("curious"));
    let config = Config {
        subjects: vec!["payroll.>".into()],
        duplicate_window: Duration::from_secs(60),
        max_age: HOUR,
        retention: RetentionPolicy::WorkQueue,
        ..plan.spec.stream_config(false)
    };
    context.create_stream(&config).await.unwrap();
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!((report.reason, report.usage), (Reason::StreamUnsafe, None));
    assert!(
        report
            .message
            .contains("does not take the subjects whatsapp.test.curious.>"),
        "{report:?}"
    );
    for private in ["payroll", "workqueue", "max_age"] {
        assert!(!report.message.contains(private), "{report:?}");
    }
}

#[tokio::test]
async fn a_stream_of_another_webhook_is_not_to_be_used() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, me) = (broker(&nats.url()), external("borrowed"), owner("borrowed"));
    let mut config = plan.spec.stream_config(false);
    config.metadata.insert(NAMESPACE_KEY.into(), "bank".into());
    config.metadata.insert(WEBHOOK_KEY.into(), "vault".into());
    context.create_stream(&config).await.unwrap();
    let report = calm(&broker, &plan, &me).await;
    assert_eq!(report.reason, Reason::OwnedByOther, "{report:?}");
    assert!(!report.message.contains("bank"), "{report:?}");
    // One that says it is this webhook's is fine.
    config.metadata.insert(NAMESPACE_KEY.into(), "test".into());
    config.metadata.insert(WEBHOOK_KEY.into(), "borrowed".into());
    context.update_stream(&config).await.unwrap();
    assert!(calm(&broker, &plan, &me).await.ok);
}

#[tokio::test]
async fn a_full_one_is_told() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, owner) = (broker(&nats.url()), external("brimful"), owner("brimful"));
    let config = Config {
        max_messages: 3,
        ..plan.spec.stream_config(false)
    };
    context.create_stream(&config).await.unwrap();
    assert!(calm(&broker, &plan, &owner).await.ok);
    publish(&context, "brimful", 3, 100).await;
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamFull, "{report:?}");
}
