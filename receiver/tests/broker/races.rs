//! The same events at the same time, from several sides: stored once, and never answered before they are.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::iter;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use super::common::*;

#[tokio::test]
async fn two_receivers_given_the_same_thousand_ids_at_once_store_each_once() {
    let nats = nats().await;
    let setup = Setup::new("two", &nats.url());
    let (one, two) = (setup.start().await, setup.start().await);
    let (one, two) = (&meta(&one), &meta(&two));
    iter(0..100)
        .for_each_concurrent(16, async |n| {
            let body = numbered(&format!("two-{n}"), 10);
            tokio::join!(deliver(one, body.clone()), deliver(two, body));
        })
        .await;
    let client = nats.client().await.unwrap();
    assert_eq!(distinct(&client, &setup.stream_name()).await, 1000);
}

#[tokio::test]
async fn a_receiver_killed_between_publish_and_answer_does_not_lead_to_a_second_copy() {
    let nats = NatsServer::start().await.unwrap();
    let setup = Setup::new("killed", &nats.url());
    let first = setup.start().await;
    let (client, body) = (nats.client().await.unwrap(), numbered("killed", 3));
    assert_eq!(post(&meta(&first), numbered("before", 1)).await, 200);

    nats.pause().unwrap();
    let unanswered = tokio::spawn({
        let (meta, body) = (meta(&first), body.clone());
        async move { meta.post(body).await }
    });
    // The three events are longer than any question of the receiver's monitor.
    eventually("published", Duration::from_secs(10), async || {
        unread_bytes(nats.port()) > 1000
    })
    .await;
    first.kill9();
    assert!(unanswered.await.unwrap().is_err(), "it was not answered");
    nats.resume().unwrap();
    eventually(
        "stored by the killed receiver",
        Duration::from_secs(10),
        async || stream::count(&client, &setup.stream_name()).await.unwrap() == 4,
    )
    .await;

    let second = setup.start().await;
    assert_eq!(post(&meta(&second), body).await, 200);
    assert_eq!(distinct(&client, &setup.stream_name()).await, 4);
    let duplicates = metric(&second, "whatsapp_webhook_duplicates_total", "source=\"stream\"").await;
    assert!((duplicates - 3.0).abs() < 0.1, "{duplicates}");
}

#[tokio::test]
async fn the_memory_of_ids_is_bounded_and_the_broker_remembers_beyond_it() {
    let nats = nats().await;
    let setup = Setup::new("small_memory", &nats.url()).more("deduplication: {memoryEntries: 10}");
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    for _ in 0..2 {
        assert_eq!(post(&meta, numbered("small", 200)).await, 200);
    }
    let client = nats.client().await.unwrap();
    assert_eq!(distinct(&client, &setup.stream_name()).await, 200);
    let name = "whatsapp_webhook_duplicates_total";
    let (local, broker) = (
        metric(&receiver, name, "source=\"local\"").await,
        metric(&receiver, name, "source=\"stream\"").await,
    );
    assert!(local <= 10.0, "only ten are remembered: {local}");
    assert!((local + broker - 200.0).abs() < 0.1, "{local} {broker}");
}

#[tokio::test]
async fn a_request_with_more_events_than_the_budget_is_stored() {
    let nats = nats().await;
    let setup = Setup::new("budget", &nats.url()).limit("inFlightEvents: 20");
    let receiver = setup.start().await;
    assert_eq!(post(&meta(&receiver), numbered("large", 500)).await, 200);
    let client = nats.client().await.unwrap();
    assert_eq!(distinct(&client, &setup.stream_name()).await, 500);
}

#[tokio::test]
async fn small_requests_are_not_starved_by_large_ones() {
    let nats = nats().await;
    let setup = Setup::new("fair", &nats.url()).limit("inFlightEvents: 100");
    let receiver = setup.start().await;
    let client = &meta(&receiver);
    let stop = tokio_util::sync::CancellationToken::new();
    let large = iter(0..4).for_each_concurrent(4, async |worker| {
        let mut round = 0;
        while !stop.is_cancelled() {
            round += 1;
            deliver(client, numbered(&format!("large-{worker}-{round}"), 300)).await;
        }
    });
    let small = async {
        let mut slowest = Duration::ZERO;
        for n in 0..100 {
            let answers = deliver(client, numbered(&format!("small-{n}"), 1)).await;
            assert_eq!(answers.len(), 1, "a small request waited until its deadline");
            slowest = slowest.max(answers[0].elapsed);
        }
        stop.cancel();
        slowest
    };
    let ((), slowest) = tokio::join!(large, small);
    // It waits for the large requests before it and for no later one.
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
}

#[tokio::test]
async fn copies_sent_to_one_receiver_at_once_wait_for_one_another() {
    let nats = nats().await;
    let setup = Setup::new("copies", &nats.url());
    let receiver = setup.start().await;
    let meta = &meta(&receiver);
    let body = numbered("copies", 50);
    let statuses: Vec<u16> = iter(0..32)
        .map(|_| post(meta, body.clone()))
        .buffer_unordered(32)
        .collect()
        .await;
    assert_eq!(statuses, [200; 32]);
    let client = nats.client().await.unwrap();
    assert_eq!(distinct(&client, &setup.stream_name()).await, 50);
}
