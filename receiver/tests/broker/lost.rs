//! The broker goes away and comes back.

use std::time::{Duration, Instant};

use wahook_testbed::nats::NatsServer;

use super::common::*;

#[tokio::test]
async fn a_stopped_broker_is_503_at_once_and_readiness_follows_after_fifteen_seconds() {
    let nats = NatsServer::start().await.unwrap();
    let setup = Setup::new("stopped", &nats.url());
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    assert_eq!(post(&meta, numbered("before", 1)).await, 200);
    nats.kill9().unwrap();
    let stopped = Instant::now();
    loop {
        let answer = meta.post(numbered("stopped", 2)).await.unwrap();
        assert_eq!(answer.status, 503);
        assert!(answer.header("retry-after").is_some());
        assert!(
            answer.elapsed < Duration::from_millis(500),
            "{:?}",
            answer.elapsed
        );
        assert_eq!(receiver.admin("/livez").await.unwrap().0, 200);
        if !is_ready(&receiver).await {
            break;
        }
        assert!(stopped.elapsed() < Duration::from_secs(18), "still ready");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let patience = stopped.elapsed();
    assert!(patience > Duration::from_secs(14), "only {patience:?}");

    nats.restart().await.unwrap();
    deliver(&meta, numbered("stopped", 2)).await;
    eventually("ready", Duration::from_secs(6), || is_ready(&receiver)).await;
    let client = nats.client().await.unwrap();
    assert_eq!(distinct(&client, &setup.stream_name()).await, 3);
}

#[tokio::test]
async fn a_request_that_is_still_sending_when_the_broker_dies_is_answered_at_once() {
    let nats = NatsServer::start().await.unwrap();
    let setup = Setup::new("sending", &nats.url())
        .limit("publishDeadline: 15s")
        .limit("inFlightEvents: 100000");
    let receiver = setup.start().await;
    nats.pause().unwrap();
    // Far more than the sockets and the client's queue hold.
    let request = tokio::spawn({
        let meta = meta(&receiver);
        async move { meta.post(statuses("sending", 20_000)).await.unwrap() }
    });
    // The socket is full when its unread bytes stay the same for a while.
    let (mut unread, mut since) = (0, Instant::now());
    while unread < 30_000 || since.elapsed() < Duration::from_secs(1) {
        let now = unread_bytes(nats.port());
        if now != unread {
            (unread, since) = (now, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!request.is_finished(), "it is waiting for the socket");
    }
    nats.kill9().unwrap();
    let killed = Instant::now();
    let answer = request.await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(
        killed.elapsed() < Duration::from_secs(2),
        "{:?}",
        killed.elapsed()
    );

    nats.restart().await.unwrap();
    let client = nats.client().await.unwrap();
    deliver(&meta(&receiver), statuses("sending", 20_000)).await;
    assert_eq!(distinct(&client, &setup.stream_name()).await, 20_000);
}

#[tokio::test]
async fn a_silent_broker_is_503_at_the_deadline_and_nothing_is_stored_twice() {
    let nats = NatsServer::start().await.unwrap();
    let setup = Setup::new("silent", &nats.url()).limit("publishDeadline: 500ms");
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    nats.pause().unwrap();
    let answer = meta.post(numbered("silent", 10)).await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(
        answer.elapsed < Duration::from_millis(1500),
        "{:?}",
        answer.elapsed
    );
    nats.resume().unwrap();
    deliver(&meta, numbered("silent", 10)).await;
    let client = nats.client().await.unwrap();
    assert_eq!(distinct(&client, &setup.stream_name()).await, 10);
}
