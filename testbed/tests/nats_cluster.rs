//! Three nodes: they form a cluster, lose a leader, and get it back.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use wahook_testbed::nats::NatsCluster;
use wahook_testbed::stream;

#[tokio::test]
async fn a_killed_leader_is_replaced_and_catches_up() {
    let cluster = NatsCluster::start(3).await.unwrap();
    let client = cluster.client().await.unwrap();
    let config = jetstream::stream::Config {
        num_replicas: 3,
        ..stream::config("T", &["t.>"])
    };
    stream::create_with(&client, config).await.unwrap();
    cluster.wait_until_current("T").await.unwrap();
    let context = jetstream::new(client.clone());
    for _ in 0..10 {
        context
            .publish("t.before", "x".into())
            .await
            .unwrap()
            .await
            .unwrap();
    }

    let leader = cluster.leader_of("T").await.unwrap();
    leader.kill9().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        // Nothing is promised while the others elect; what counts is that it ends.
        if let Ok(sent) = context.publish("t.after", "x".into()).await
            && sent.await.is_ok()
        {
            break;
        }
        assert!(Instant::now() < deadline, "no new leader");
    }
    let replacement = cluster.leader_of("T").await.unwrap();
    assert_ne!(replacement.name(), leader.name());

    leader.restart().await.unwrap();
    cluster.wait_until_current("T").await.unwrap();
    let before = cluster.leader_of("T").await.unwrap().name();
    assert_ne!(cluster.step_down("T").await.unwrap().name(), before);
    assert!(stream::count(&client, "T").await.unwrap() >= 11);
    let urls: BTreeSet<String> = cluster.urls().into_iter().collect();
    assert_eq!(urls.len(), 3);
}
