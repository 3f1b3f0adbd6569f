//! Three brokers: races that only a replicated stream has, and the loss of its leader.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::iter;
use wahook_testbed::nats::NatsCluster;

use super::common::*;

const CONTENDED: &str = "whatsapp_webhook_contended_events_total";

/// One at a time: three servers each are enough for two cores.
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_in_process_at_a_quorum_is_never_taken_for_stored() {
    let _one = ONE.lock().await;
    let cluster = NatsCluster::start(3).await.unwrap();
    let setup = Setup::new("contended", "").servers(cluster.urls());
    let (first, second) = (setup.start().await, setup.start().await);
    let (one, two) = (&meta(&first), &meta(&second));
    let mut ids = 0;
    let contended = loop {
        iter(0..32)
            .for_each_concurrent(16, async |n| {
                let body = numbered(&format!("contended-{ids}-{n}"), 10);
                tokio::join!(deliver(one, body.clone()), deliver(two, body));
            })
            .await;
        ids += 320;
        let contended = metric(&first, CONTENDED, "").await + metric(&second, CONTENDED, "").await;
        if ids >= 1000 && contended >= 100.0 {
            break contended;
        }
        assert!(ids < 20_000, "only {contended} races in {ids} ids");
    };
    println!("{contended} times 10158 in {ids} ids");
    let client = cluster.client().await.unwrap();
    assert_eq!(distinct(&client, &setup.stream_name()).await, ids);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_costs_time_and_no_event() {
    const DEADLINE: Duration = Duration::from_secs(2);
    /// Of each worker, at most: all of them together fill no more than half of the stream, however fast the machine is.
    const BODIES: usize = 1500;
    let _one = ONE.lock().await;
    let cluster = NatsCluster::start(3).await.unwrap();
    let setup = Setup::new("leader", "")
        .servers(cluster.urls())
        .limit("publishDeadline: 2s");
    let (first, second) = (setup.start().await, setup.start().await);
    let clients = [&meta(&first), &meta(&second)];
    let (name, client) = (setup.stream_name(), cluster.client().await.unwrap());
    let started = Instant::now();
    let end = started + Duration::from_secs(14);
    let load = join_all((0..8).map(async |worker| {
        let (mut posted, mut refused, mut slowest) = (0, 0, Duration::ZERO);
        while Instant::now() < end && posted < BODIES {
            let body = numbered(&format!("leader-{worker}-{posted}"), 5);
            // As a load balancer would: a repeat may reach the other receiver.
            for attempt in worker.. {
                let answer = clients[attempt % 2].post(body.clone()).await.unwrap();
                slowest = slowest.max(answer.elapsed);
                match answer.status {
                    200 => break,
                    503 => refused += 1,
                    other => panic!("answered with {other}"),
                }
                assert!(
                    Instant::now() < end + Duration::from_secs(60),
                    "503 again and again: {refused} times"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            posted += 1;
        }
        (posted, refused, slowest)
    }));
    let kill = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        cluster.leader_of(&name).await.unwrap().kill9().unwrap();
    };
    let (workers, ()) = tokio::join!(load, kill);
    let posted: usize = workers.iter().map(|worker| worker.0).sum();
    let refused: usize = workers.iter().map(|worker| worker.1).sum();
    let slowest = workers.iter().map(|worker| worker.2).max().unwrap();
    println!("{posted} bodies, {refused} times 503, slowest answer {slowest:?}");
    assert!(refused > 0, "nothing was disturbed");
    assert!(slowest < DEADLINE + Duration::from_secs(1), "{slowest:?}");
    assert_eq!(distinct(&client, &name).await, posted * 5);
}
