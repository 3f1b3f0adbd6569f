//! The stream is recreated, purged, full, missing, or its window ends, under a running receiver.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use wahook_testbed::stream;

use super::common::*;

#[tokio::test]
async fn what_a_recreated_stream_does_not_hold_is_stored_again() {
    let nats = nats().await;
    let setup = Setup::new("recreated", &nats.url()).without_ensure();
    let (client, name) = (nats.client().await.unwrap(), setup.stream_name());
    let context = jetstream::new(client.clone());
    let config = stream::config(&name, &[&setup.subjects()]);
    stream::create_with(&client, config.clone()).await.unwrap();
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    assert_eq!(post(&meta, numbered("again", 20)).await, 200);

    // At once: nothing but the broker's own answers can tell the receiver.
    context.delete_stream(&name).await.unwrap();
    assert_eq!(
        post(&meta, numbered("again", 20)).await,
        503,
        "it remembers, the stream does not"
    );
    stream::create_with(&client, config.clone()).await.unwrap();
    assert_eq!(post(&meta, numbered("again", 20)).await, 200);
    assert_eq!(distinct(&client, &name).await, 20);

    // Remembered and new ids in one request.
    context.delete_stream(&name).await.unwrap();
    stream::create_with(&client, config).await.unwrap();
    let mixed = messages(
        ["new".to_owned()]
            .into_iter()
            .chain((0..20).map(|n| format!("again-{n}"))),
    );
    assert_eq!(post(&meta, mixed).await, 200);
    assert_eq!(distinct(&client, &name).await, 21);
}

#[tokio::test]
async fn a_repeat_is_stored_again_after_the_window_and_not_within_it() {
    let nats = nats().await;
    let setup = Setup::new("window", &nats.url()).stream("window: 2s");
    let receiver = setup.start().await;
    let (client, meta) = (nats.client().await.unwrap(), meta(&receiver));
    let name = setup.stream_name();
    for _ in 0..3 {
        assert_eq!(post(&meta, numbered("window", 5)).await, 200);
    }
    assert_eq!(stream::count(&client, &name).await.unwrap(), 5);
    // The window itself is what is waited for.
    tokio::time::sleep(Duration::from_secs(3)).await;
    // Together with a new one, so that nothing but the receiver's own clock can tell it that its memory is too old.
    let mixed = messages(
        ["new".to_owned()]
            .into_iter()
            .chain((0..5).map(|n| format!("window-{n}"))),
    );
    assert_eq!(post(&meta, mixed).await, 200);
    assert_eq!(stream::count(&client, &name).await.unwrap(), 11);
}

#[tokio::test]
async fn a_full_stream_is_503_with_retry_after_until_there_is_room() {
    let nats = nats().await;
    let setup = Setup::new("full", &nats.url()).without_ensure();
    let (client, name) = (nats.client().await.unwrap(), setup.stream_name());
    let mut config = stream::config(&name, &[&setup.subjects()]);
    config.max_bytes = 20_000;
    stream::create_with(&client, config).await.unwrap();
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    let refused = numbered("full", 100);
    let answer = meta.post(refused.clone()).await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    let stored = distinct(&client, &name).await;
    assert!(
        0 < stored && stored < 100,
        "what was there stays: full, not rolled over"
    );
    assert_eq!(post(&meta, numbered("full-2", 30)).await, 503, "and stays full");

    jetstream::new(client.clone())
        .get_stream(&name)
        .await
        .unwrap()
        .purge()
        .await
        .unwrap();
    assert_eq!(post(&meta, numbered("after", 10)).await, 200);
    assert_eq!(distinct(&client, &name).await, 10);
}

#[tokio::test]
async fn a_missing_stream_is_503_and_not_ready_and_heals_within_six_seconds() {
    let nats = nats().await;
    let setup = Setup::new("missing", &nats.url()).without_ensure().not_ready();
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    eventually("the reason is told", Duration::from_secs(5), async || {
        let (status, text) = receiver.admin("/readyz").await.unwrap();
        status == 503 && text.contains("whatsapp_test_missing does not exist")
    })
    .await;
    let answer = meta.post(numbered("missing", 1)).await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(
        answer.elapsed < Duration::from_millis(500),
        "{:?}",
        answer.elapsed
    );
    assert_eq!(receiver.admin("/livez").await.unwrap().0, 200);
    let (_, status) = receiver.admin("/status").await.unwrap();
    assert!(status.contains("\"missing\""), "{status}");

    let client = nats.client().await.unwrap();
    stream::create(&client, &setup.stream_name(), &[&setup.subjects()])
        .await
        .unwrap();
    let created = Instant::now();
    assert_eq!(
        post(&meta, numbered("missing", 1)).await,
        200,
        "before anybody looked"
    );
    eventually("ready", Duration::from_secs(6), || is_ready(&receiver)).await;
    assert!(created.elapsed() < Duration::from_secs(6));
}
