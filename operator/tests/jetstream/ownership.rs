//! Whose a stream is: our own again, somebody else's, nobody's.

use async_nats::jetstream::stream::Config;
use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::{NAMESPACE_KEY, StreamOwner, UID_KEY, WEBHOOK_KEY};

use super::common::*;

/// The resource, deleted and made again.
fn again(owner: &StreamOwner) -> StreamOwner {
    StreamOwner {
        uid: format!("{}-again", owner.uid),
        ..owner.clone()
    }
}

#[tokio::test]
async fn a_resource_made_again_has_its_stream_again() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, first) = (broker(&nats.url()), plan("again"), owner("again"));
    good(&broker, &plan, &first).await;
    publish(&context, "again", 4, 100).await;
    let second = again(&first);
    let report = good(&broker, &plan, &second).await;
    assert_eq!(
        report.written,
        [
            "changed stream whatsapp_test_again: recorded the owner",
            "changed bucket whatsapp_test_again_objects: recorded the owner"
        ]
    );
    let adopted = info(&context, "whatsapp_test_again").await;
    assert_eq!(adopted.config.metadata[UID_KEY], second.uid);
    assert_eq!(adopted.state.messages, 4);
    calm(&broker, &plan, &second).await;
}

/// Two clusters that share a broker and a prefix: the one that came later has the stream, the other is told, and
/// neither writes again.
#[tokio::test]
async fn two_clusters_do_not_fight_for_a_stream() {
    let nats = nats().await;
    let plan = plan("twice");
    let (here, there) = (broker(&nats.url()), broker(&nats.url()));
    let (ours, theirs) = (owner("twice"), again(&owner("twice")));
    good(&here, &plan, &ours).await;
    good(&there, &plan, &theirs).await;
    for _ in 0..2 {
        let report = calm(&here, &plan, &ours).await;
        assert_eq!(report.reason, Reason::OwnedByOther, "{report:?}");
        assert!(report.message.contains("--subject-prefix"), "{report:?}");
        assert!(calm(&there, &plan, &theirs).await.ok);
    }
}

#[tokio::test]
async fn a_stream_that_a_receiver_made_is_taken_over_whole() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan, owner) = (broker(&nats.url()), plan("ensured"), owner("ensured"));
    context
        .create_stream(plan.spec.stream_config(false))
        .await
        .unwrap();
    context
        .create_object_store(plan.spec.bucket_config(false))
        .await
        .unwrap();
    publish(&context, "ensured", 2, 100).await;
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(report.written.len(), 2, "{report:?}");
    let taken = info(&context, "whatsapp_test_ensured").await;
    assert_eq!(taken.config.metadata[WEBHOOK_KEY], "ensured");
    assert_eq!(taken.state.messages, 2);
    calm(&broker, &plan, &owner).await;
}

#[tokio::test]
async fn a_strangers_stream_of_the_name_is_never_touched() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let signed = |namespace: &str, name: &str| {
        [(NAMESPACE_KEY, namespace), (WEBHOOK_KEY, name)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    };
    let cases: [(&str, Config, &str); 4] = [
        (
            "stranger-subjects",
            Config {
                subjects: vec!["orders.>".into()],
                ..Config::default()
            },
            "does not say whose it is",
        ),
        (
            "stranger-wider",
            Config {
                subjects: vec!["whatsapp.test.stranger-wider.>".into(), "more.>".into()],
                ..Config::default()
            },
            "does not say whose it is",
        ),
        (
            "stranger-neighbour",
            Config {
                subjects: vec!["whatsapp.test.stranger-neighbour.>".into()],
                metadata: signed("test", "neighbour"),
                ..Config::default()
            },
            "belongs to the webhook neighbour",
        ),
        (
            "stranger-tenant",
            Config {
                subjects: vec!["whatsapp.test.stranger-tenant.>".into()],
                metadata: signed("bank", "vault"),
                ..Config::default()
            },
            "belongs to a webhook of another namespace",
        ),
    ];
    for (name, config, words) in cases {
        let (broker, plan) = (broker(&nats.url()), plan(name));
        let config = Config {
            name: plan.spec.name.clone(),
            ..config
        };
        context.create_stream(&config).await.unwrap();
        let before = super::common::config(&context, &plan.spec.name).await;
        let report = calm(&broker, &plan, &owner(name)).await;
        assert_eq!(report.reason, Reason::OwnedByOther, "{report:?}");
        assert!(report.message.contains(words), "{report:?}");
        assert!(!report.message.contains("bank"), "{report:?}");
        assert_eq!(super::common::config(&context, &plan.spec.name).await, before);
        let bucket = context.get_stream(plan.spec.bucket_stream()).await;
        assert!(
            bucket.is_err(),
            "nothing is made beside a stream that is not ours"
        );
    }
}

#[tokio::test]
async fn a_strangers_bucket_is_never_touched_either() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let (broker, plan) = (broker(&nats.url()), plan("bucketless"));
    let config = Config {
        name: plan.spec.bucket_stream(),
        subjects: vec!["bucketless.>".into()],
        ..Config::default()
    };
    context.create_stream(&config).await.unwrap();
    let before = super::common::config(&context, &config.name).await;
    let report = broker.look_after(&plan, &owner("bucketless")).await;
    assert_eq!(report.reason, Reason::OwnedByOther, "{report:?}");
    assert!(
        report.message.contains("bucket whatsapp_test_bucketless_objects"),
        "{report:?}"
    );
    assert_eq!(report.written, ["created stream whatsapp_test_bucketless"]);
    assert_eq!(super::common::config(&context, &config.name).await, before);
}

#[tokio::test]
async fn subjects_that_another_stream_stores_are_said() {
    let nats = nats().await;
    let context = context(&nats.client().await.unwrap());
    let config = Config {
        name: "EVERYTHING_OF_OVERLAP".into(),
        subjects: vec!["whatsapp.test.overlap.>".into()],
        ..Config::default()
    };
    context.create_stream(&config).await.unwrap();
    let report = calm(&broker(&nats.url()), &plan("overlap"), &owner("overlap")).await;
    assert_eq!(report.reason, Reason::OwnedByOther, "{report:?}");
    assert!(report.message.contains("narrow its subjects"), "{report:?}");
}
