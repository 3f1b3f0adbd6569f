//! Every mix in its short form, against real brokers and receivers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use tokio::sync::Semaphore;
use wahook_torture::mix::Outcome;
use wahook_torture::{Ground, MIXES};

/// They wait most of the time; more at once would make each other late.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// What needs root, and a C compiler.
const MAY_SKIP: [&str; 2] = ["disk_full", "clock_jump"];

async fn holds(name: &str) {
    let mix = MIXES.iter().find(|mix| mix.name == name).unwrap();
    let _turn = AT_ONCE.acquire().await.unwrap();
    match mix.run(&Ground::short()).await.unwrap() {
        Outcome::Skipped(why) => {
            assert!(MAY_SKIP.contains(&name), "{name}: {why}");
            println!("SKIPPED {name}: {why}");
        }
        Outcome::Ran(trial) => {
            println!("{trial:#?}");
            assert!(trial.violations().is_empty(), "{name}: {:#?}", trial.violations());
        }
    }
}

macro_rules! short_forms {
    ($($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                holds(stringify!($name)).await;
            }
        )*

        #[test]
        fn every_mix_is_here() {
            let here = [$(stringify!($name)),*];
            let all: Vec<_> = MIXES.iter().map(|mix| mix.name).collect();
            assert_eq!(all, here);
        }
    };
}

short_forms! {
    receiver_killed receiver_frozen two_receivers rollout clock_jump broker_killed broker_frozen leader_killed links_cut
    half_open links_slow stream_full broker_full disk_full weekend_24h weekend_169h flood
}
