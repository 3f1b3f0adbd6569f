//! Many events in one body, and events larger than one message of the broker.

use std::time::Duration;

use async_nats::jetstream;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use wahook_testbed::stream::{self, Stored};

use super::common::*;

/// The objects in the bucket of a webhook, by name, with their bytes.
async fn objects(client: &async_nats::Client, bucket: &str) -> Vec<(String, Vec<u8>)> {
    let store = jetstream::new(client.clone())
        .get_object_store(bucket)
        .await
        .unwrap();
    let mut list = store.list().await.unwrap();
    let mut objects = Vec::new();
    while let Some(info) = list.next().await {
        let name = info.unwrap().name;
        let mut bytes = Vec::new();
        let mut object = store.get(&name).await.unwrap();
        object.read_to_end(&mut bytes).await.unwrap();
        objects.push((name, bytes));
    }
    objects
}

/// How many messages were ever written to the bucket: chunks and descriptions, replaced ones too.
async fn written(client: &async_nats::Client, bucket: &str) -> u64 {
    let stream = jetstream::new(client.clone())
        .get_stream(format!("OBJ_{bucket}"))
        .await
        .unwrap();
    stream.cached_info().state.last_sequence
}

async fn only(client: &async_nats::Client, stream: &str) -> Stored {
    let mut stored = stream::messages(client, stream).await.unwrap();
    assert_eq!(stored.len(), 1);
    stored.remove(0)
}

#[tokio::test]
async fn a_thousand_messages_in_one_history_chunk_are_a_thousand_events() {
    let nats = nats().await;
    let setup = Setup::new("history", &nats.url());
    let receiver = setup.start().await;
    let threads: Vec<_> = (0..10)
        .map(|thread| {
            let messages: Vec<_> = (0..100)
                .map(|n| {
                    let mut message = message(&format!("history-{thread}-{n}"));
                    message["history_context"] = json!({"status": "READ"});
                    message
                })
                .collect();
            json!({"id": format!("1555010{thread:04}"), "messages": messages})
        })
        .collect();
    let chunk = json!({"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": threads});
    let body = envelope("history", &json!({"history": [chunk]}));
    let (client, meta) = (nats.client().await.unwrap(), meta(&receiver));
    for _ in 0..2 {
        assert_eq!(post(&meta, body.clone()).await, 200);
        assert_eq!(distinct(&client, &setup.stream_name()).await, 1000);
    }
}

#[tokio::test]
async fn an_event_larger_than_a_message_is_stored_once_by_claim_check() {
    let nats = nats().await;
    let setup = Setup::new("huge", &nats.url());
    let bucket = format!("{}_objects", setup.stream_name());
    let receiver = setup.start().await;
    let mut huge = message("huge");
    let text = "x".repeat(2_900_000);
    huge["text"]["body"] = json!(text);
    let small = [message("huge-before"), huge, message("huge-after")];
    let body = envelope("messages", &json!({ "messages": small }));
    let client = nats.client().await.unwrap();
    assert_eq!(post(&meta(&receiver), body.clone()).await, 200);
    let stored = stream::messages(&client, &setup.stream_name()).await.unwrap();
    let sizes: Vec<bool> = stored.iter().map(|one| one.payload.is_empty()).collect();
    assert_eq!(sizes, [false, true, false], "in the order they came");
    let (name, bytes) = objects(&client, &bucket).await.remove(0);
    let reference = format!("nats-object:{bucket}/{name}");
    assert_eq!(stored[1].header("ce-dataref"), Some(reference.as_str()));
    assert_eq!(stored[1].id(), Some(name.as_str()));
    let event: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(event["message"]["text"]["body"], json!(text));
    assert_eq!(event["phone_number_id"], json!(ACCOUNT));

    // To a receiver that remembers it and to one that does not.
    let before = written(&client, &bucket).await;
    let another = setup.start().await;
    for receiver in [&receiver, &another] {
        assert_eq!(post(&meta(receiver), body.clone()).await, 200);
    }
    assert_eq!(objects(&client, &bucket).await.len(), 1);
    assert_eq!(
        written(&client, &bucket).await,
        before,
        "nothing was written again"
    );
    assert_eq!(distinct(&client, &setup.stream_name()).await, 3);
}

#[tokio::test]
async fn an_object_that_is_not_the_events_is_written_anew() {
    let nats = nats().await;
    let setup = Setup::new("half", &nats.url());
    let bucket = format!("{}_objects", setup.stream_name());
    let receiver = setup.start().await;
    let (client, meta) = (nats.client().await.unwrap(), meta(&receiver));
    let body = vec![b'{'; 2_000_000];
    assert_eq!(post(&meta, body.clone()).await, 200);
    let (name, whole) = objects(&client, &bucket).await.remove(0);

    // Half of it, of a moment ago, and nothing in the stream: the same delivery comes again to a receiver that remembers nothing.
    let jetstream = jetstream::new(client.clone());
    let store = jetstream.get_object_store(&bucket).await.unwrap();
    store.put(name.as_str(), &mut &whole[..1000]).await.unwrap();
    let another = setup.start().await;
    assert_eq!(post(&super::common::meta(&another), body).await, 200);
    assert_eq!(objects(&client, &bucket).await, [(name, whole)]);
}

#[tokio::test]
async fn a_dead_letter_larger_than_a_message_is_stored_once_by_claim_check() {
    let nats = nats().await;
    let setup = Setup::new("letter", &nats.url());
    let bucket = format!("{}_objects", setup.stream_name());
    let receiver = setup.start().await;
    let (client, meta) = (nats.client().await.unwrap(), meta(&receiver));
    let body = vec![b'{'; 2_000_000];
    for _ in 0..2 {
        let answer = meta.post(body.clone()).await.unwrap();
        assert_eq!(answer.status, 200);
        assert!(
            answer.text().contains("\"status\":\"error\""),
            "{}",
            answer.text()
        );
    }
    let letter = only(&client, &setup.stream_name()).await;
    assert!(letter.subject.contains(".dead_letter."), "{}", letter.subject);
    let objects = objects(&client, &bucket).await;
    assert_eq!(objects.len(), 1);
    assert!(objects[0].1 == body, "byte for byte");
}

#[tokio::test]
async fn a_bucket_that_is_missing_beside_an_existing_stream_is_made() {
    let nats = nats().await;
    let setup = Setup::new("no_bucket", &nats.url());
    let client = nats.client().await.unwrap();
    stream::create(&client, &setup.stream_name(), &[&setup.subjects()])
        .await
        .unwrap();
    // It keeps for longer than the receiver is told to.
    let jetstream = jetstream::new(client.clone());
    let made = jetstream.get_stream(setup.stream_name()).await.unwrap();
    let longer = jetstream::stream::Config {
        max_age: Duration::from_secs(30 * 24 * 3600),
        ..made.cached_info().config.clone()
    };
    jetstream.update_stream(longer).await.unwrap();
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    assert_eq!(post(&meta, vec![b'['; 2_000_000]).await, 200);
    let bucket = format!("{}_objects", setup.stream_name());
    assert_eq!(objects(&client, &bucket).await.len(), 1);
    let max_age = async |stream: &str| {
        jetstream
            .get_stream(stream)
            .await
            .unwrap()
            .cached_info()
            .config
            .max_age
    };
    assert_eq!(
        max_age(&format!("OBJ_{bucket}")).await,
        max_age(&setup.stream_name()).await,
        "data lives as long as the events that refer to it"
    );

    // Also when it goes while the receiver runs.
    jetstream.delete_object_store(&bucket).await.unwrap();
    eventually("made again", Duration::from_secs(10), async || {
        post(&meta, vec![b'{'; 2_000_000]).await == 200
    })
    .await;
    assert_eq!(objects(&client, &bucket).await.len(), 1);
}

#[tokio::test]
async fn without_a_bucket_a_large_event_is_refused_and_small_ones_are_stored() {
    let nats = nats().await;
    let setup = Setup::new("bare", &nats.url()).without_ensure();
    let client = nats.client().await.unwrap();
    stream::create(&client, &setup.stream_name(), &[&setup.subjects()])
        .await
        .unwrap();
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    assert_eq!(post(&meta, vec![b'['; 2_000_000]).await, 503);
    assert_eq!(stream::count(&client, &setup.stream_name()).await.unwrap(), 0);
    assert_eq!(post(&meta, numbered("bare", 2)).await, 200);
}
