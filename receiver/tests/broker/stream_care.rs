//! A stream whose settings would break a promise: refused, named, left as it is, and taken as soon as it is mended.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType};
use futures_util::future::join_all;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use super::common::*;

type Change = fn(&mut Config);

async fn refused_until_mended(nats: &NatsServer, name: &str, setting: &str, change: Change) {
    let setup = Setup::new(name, &nats.url()).not_ready();
    let (client, stream_name) = (nats.client().await.unwrap(), setup.stream_name());
    let context = jetstream::new(client.clone());
    let good = stream::config(&stream_name, &[&setup.subjects()]);
    let mut wrong = good.clone();
    change(&mut wrong);
    stream::create_with(&client, wrong).await.unwrap();
    let before = context
        .get_stream(&stream_name)
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();

    let receiver = setup.start().await;
    let meta = meta(&receiver);
    assert_eq!(
        post(&meta, numbered("early", 1)).await,
        503,
        "{setting}: before the first look"
    );
    eventually(setting, Duration::from_secs(10), async || {
        let (status, text) = receiver.admin("/readyz").await.unwrap();
        status == 503 && text.contains(setting)
    })
    .await;
    let (_, status) = receiver.admin("/status").await.unwrap();
    assert!(
        status.contains(setting) && status.contains("mismatch"),
        "{status}"
    );
    assert_eq!(post(&meta, numbered("wrong", 2)).await, 503, "{setting}");
    let after = context
        .get_stream(&stream_name)
        .await
        .unwrap()
        .cached_info()
        .clone();
    assert_eq!(after.config, before, "{setting}: never changed by us");
    assert_eq!(after.state.messages, 0, "{setting}");
    assert_eq!(receiver.admin("/livez").await.unwrap().0, 200);

    // Not every setting can be changed in place.
    if context.update_stream(&good).await.is_err() {
        context.delete_stream(&stream_name).await.unwrap();
        stream::create_with(&client, good).await.unwrap();
    }
    eventually("healed", Duration::from_secs(8), || is_ready(&receiver)).await;
    assert_eq!(post(&meta, numbered("wrong", 2)).await, 200, "{setting}");
    assert_eq!(distinct(&client, &stream_name).await, 2, "{setting}");
    assert_eq!(receiver.exit_status(), None, "it never restarted");
}

#[tokio::test]
async fn every_wrong_setting_is_named_and_refused_and_heals_when_it_is_mended() {
    let nats = nats().await;
    let cases: [(&str, Change); 9] = [
        ("duplicate_window", |c| {
            c.duplicate_window = Duration::from_secs(120);
        }),
        ("retention", |c| c.retention = RetentionPolicy::WorkQueue),
        ("discard", |c| c.discard = DiscardPolicy::Old),
        ("max_age", |c| {
            c.max_age = Duration::from_secs(3600);
            c.duplicate_window = Duration::from_secs(3600);
        }),
        ("max_msgs_per_subject", |c| c.max_messages_per_subject = 1),
        ("max_msg_size", |c| c.max_message_size = 10_000),
        ("persist_mode", |c| c.persist_mode = Some(PersistenceMode::Async)),
        ("no_ack", |c| c.no_ack = true),
        ("storage", |c| c.storage = StorageType::Memory),
    ];
    let nats = &nats;
    join_all(cases.into_iter().enumerate().map(async |(n, (setting, change))| {
        refused_until_mended(nats, &format!("wrong_{n}"), setting, change).await;
    }))
    .await;
}

#[tokio::test]
async fn a_stream_that_takes_only_some_of_the_subjects_is_refused() {
    let nats = nats().await;
    let setup = Setup::new("narrow", &nats.url()).without_ensure().not_ready();
    let client = nats.client().await.unwrap();
    stream::create(
        &client,
        &setup.stream_name(),
        &["whatsapp.test.narrow.*.messages.>"],
    )
    .await
    .unwrap();
    let receiver = setup.start().await;
    eventually("named", Duration::from_secs(8), async || {
        receiver.admin("/readyz").await.unwrap().1.contains("subjects is")
    })
    .await;
    assert_eq!(post(&meta(&receiver), numbered("narrow", 1)).await, 503);
}
