//! Short runs of the floors against a real NATS server: what is measured in a debug build means nothing, but nothing may be lost,
//! and whoever loses something must be found out.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use wahook_bench::corpus::Work;
use wahook_bench::peer::{Peer, Places, Program, Tuning, prepare};
use wahook_bench::results::{Cell, Pace};
use wahook_bench::run::{Plan, RunError, run};

const ECHO: &str = env!("CARGO_BIN_EXE_floor-echo");

fn program(peer: Peer, floors: &Path) -> Program {
    let places = Places {
        workspace: floors.to_owned(),
        floors: floors.to_owned(),
        receiver: floors.to_owned(),
    };
    prepare(peer, &places).unwrap()
}

fn plan(work: Work, pace: Pace) -> Plan {
    Plan {
        cell: Cell { work, pace },
        round: 0,
        warm_up: Duration::from_millis(100),
        time: Duration::from_millis(500),
        tuning: Tuning::default(),
        fill: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publish_floor_keeps_what_it_acknowledges() {
    let floor = program(Peer::FloorPublish, Path::new(ECHO).parent().unwrap());
    let closed = run(&floor, None, &plan(Work::Repeats, Pace::Closed(8)))
        .await
        .unwrap();
    assert!(closed.requests > 8, "{closed:?}");
    assert!(closed.cpu > 0.0 && closed.store > 0.0, "{closed:?}");
    assert!(
        closed.p50 <= closed.p99 && closed.p99 <= closed.p999,
        "{closed:?}"
    );
    assert_eq!(closed.refused, 0, "a wrong signature is no good request");

    let paced = run(&floor, None, &plan(Work::Mix, Pace::PerSecond(200)))
        .await
        .unwrap();
    assert_eq!(paced.requests + paced.unsent, 100, "{paced:?}");
    assert!(paced.events > paced.requests, "some bodies have a hundred");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_floor_answers() {
    let floor = program(Peer::FloorEcho, Path::new(ECHO).parent().unwrap());
    let sample = run(&floor, None, &plan(Work::Text, Pace::Closed(4)))
        .await
        .unwrap();
    assert!(sample.requests > 4 && sample.store == 0.0, "{sample:?}");
    assert!(sample.peak >= sample.idle && sample.idle > 0.0, "{sample:?}");
}

/// The echo floor where one is expected that stores: it says 200 to everything and keeps nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_contestant_that_loses_everything_is_found_out() {
    let directory = tempfile::tempdir().unwrap();
    symlink(ECHO, directory.path().join("floor-publish")).unwrap();
    let liar = program(Peer::FloorPublish, directory.path());
    let outcome = run(&liar, None, &plan(Work::Text, Pace::Closed(4))).await;
    let Err(RunError::Loss(loss)) = outcome else {
        panic!("it counts: {outcome:?}")
    };
    assert!(loss.lost > 4, "{loss}");
    assert_eq!(loss.twice, 0);
}
