//! Half a minute of as much as 128 connections can send.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use wahook_testbed::nats::NatsServer;

use super::common::{self, *};

const CONNECTIONS: usize = 128;
const TIME: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_large_bodies_never_stalls_and_is_stored_once() {
    let nats = NatsServer::start().await.unwrap();
    let setup = Setup::new("flood", &nats.url()).max_bytes(2_000_000_000);
    let receiver = setup.start().await;
    let meta = meta(&receiver);
    let answered = AtomicU64::new(0);
    let end = Instant::now() + TIME;
    let flood = join_all((0..CONNECTIONS).map(async |connection| {
        let client = meta.with_new_connections().unwrap();
        let (mut statuses_seen, mut bodies) = (BTreeMap::<u16, u64>::new(), 0);
        while Instant::now() < end {
            let body = common::statuses(&format!("flood-{connection}-{bodies}"), 100);
            bodies += 1;
            loop {
                let status = post(&client, body.clone()).await;
                *statuses_seen.entry(status).or_default() += 1;
                answered.fetch_add(1, Ordering::Relaxed);
                if status == 200 {
                    break;
                }
            }
        }
        (statuses_seen, bodies)
    }));
    let watch = async {
        let mut longest = Duration::ZERO;
        let (mut last, mut since) = (0, Instant::now());
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = answered.load(Ordering::Relaxed);
            if now > last {
                (last, since) = (now, Instant::now());
            } else {
                longest = longest.max(since.elapsed());
            }
        }
        longest
    };
    let (results, longest) = tokio::join!(flood, watch);
    let mut answers = BTreeMap::<u16, u64>::new();
    for (status, count) in results.iter().flat_map(|(statuses, _)| statuses) {
        *answers.entry(*status).or_default() += count;
    }
    let bodies: u64 = results.iter().map(|(_, bodies)| bodies).sum();
    println!("{bodies} bodies in {TIME:?}, answers {answers:?}, longest pause {longest:?}");
    assert!(
        answers.keys().all(|status| [200, 503].contains(status)),
        "{answers:?}"
    );
    assert!(longest < Duration::from_secs(1), "nothing for {longest:?}");
    let client = nats.client().await.unwrap();
    let stored = distinct(&client, &setup.stream_name()).await;
    assert_eq!(stored as u64, bodies * 100);
}
