//! Ten thousand messages, shuffled and some of them twice, while a worker is killed each second.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use wahook_testbed::meta::load;

use crate::bodies::{alone, message, phone};
use crate::bot::{Bot, Language, Worker};
use crate::house::House;
use crate::in_every_language;

const CUSTOMERS: usize = 500;
const EACH: usize = 20;
const MESSAGES: usize = CUSTOMERS * EACH;
/// Every how many-th message is delivered twice.
const TWICE: usize = 20;
const WORKERS: usize = 3;
const CONNECTIONS: usize = 8;
/// Seconds after which the broker takes a worker for dead.
const ACK_WAIT: u64 = 2;
/// Seconds after which a reply of which nobody knows is sent again.
const SETTLE: u64 = 6;
/// All of it, workers that die included.
const LIMIT: Duration = Duration::from_secs(420);

/// One language at a time: a kill each second costs the more, the slower everything is.
static ALONE: Mutex<()> = Mutex::const_new(());

in_every_language!(in_order_and_once);

async fn in_order_and_once(language: Language) {
    let _alone = ALONE.lock().await;
    let house = House::new().await;
    let bot = Bot::new(&house, language)
        .set("ACK_WAIT", &ACK_WAIT.to_string())
        .set("SETTLE", &SETTLE.to_string());
    let mut workers: Vec<Worker> = (0..WORKERS).map(|_| bot.start()).collect();

    let posting = load(&house.meta, bodies(), CONNECTIONS);
    tokio::pin!(posting);
    let mut posted = None;
    let (mut killed, mut last_killed) = (0, Instant::now());
    let mut victims = StdRng::seed_from_u64(11);
    let deadline = Instant::now() + LIMIT;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    second.tick().await;
    while posted.is_none() || house.graph.count() < MESSAGES {
        tokio::select! {
            report = &mut posting, if posted.is_none() => posted = Some(report.unwrap()),
            _ = second.tick() => {
                // Any one: the broker gives an event to who has asked first, so the oldest would die over one again and again.
                workers.swap_remove(victims.random_range(0..WORKERS)).kill();
                (killed, last_killed) = (killed + 1, Instant::now());
                workers.push(bot.start());
            }
        }
        let count = house.graph.count();
        let said = || {
            workers
                .iter()
                .map(Worker::said)
                .collect::<Vec<_>>()
                .join("\n--\n")
        };
        assert!(
            Instant::now() < deadline,
            "{count} replies after {LIMIT:?}:\n{}",
            said()
        );
    }
    let posted = posted.unwrap();
    assert_eq!(
        posted.count(200),
        MESSAGES + MESSAGES / TWICE,
        "{:?}",
        posted.statuses
    );
    // All of it once more, and nobody hears of it. The last workers may have been killed between a reply and its note.
    loop {
        let replayed = bot.run(&["replay", "--since", "2h"]).await;
        let count = replayed.last().unwrap();
        if count["of_them"]["already_replied"] == MESSAGES {
            break;
        }
        assert!(Instant::now() < deadline, "{count}");
    }
    // Whoever would reply a second time has done so by then: the event came again, and its claim was settled.
    let settled = last_killed + Duration::from_secs(ACK_WAIT + SETTLE);
    tokio::time::sleep_until(settled.into()).await;
    println!("{killed} workers were killed");

    let (mut arrived, mut replied) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    let mut distinct = BTreeSet::new();
    for stored in house.stored().await {
        if stored.subject.split('.').nth(4) == Some("messages") {
            let event: serde_json::Value = stored.json().unwrap();
            let customer = event["message"]["from"].as_str().unwrap().to_owned();
            let id = stored.header("ce-id").unwrap().to_owned();
            distinct.insert(id.clone());
            arrived.entry(customer).or_default().push(id);
        }
    }
    assert_eq!((arrived.len(), distinct.len()), (CUSTOMERS, MESSAGES));
    for sent in house.graph.sent() {
        let customer = sent.text("/to").unwrap().to_owned();
        let id = sent.text("/biz_opaque_callback_data").unwrap().to_owned();
        replied.entry(customer).or_default().push(id);
    }
    let wrong: Vec<_> = arrived
        .keys()
        .filter(|&customer| arrived.get(customer) != replied.get(customer))
        .collect();
    let count: usize = replied.values().map(Vec::len).sum();
    assert!(
        wrong.is_empty(),
        "{count} replies to {MESSAGES} messages; wrong for {wrong:?}"
    );
    assert!(killed >= 3, "only {killed} workers were killed");
}

/// One message each, in the order of nobody.
fn bodies() -> Vec<Vec<u8>> {
    let all = (0..EACH).flat_map(|n| (0..CUSTOMERS).map(move |customer| (customer, n)));
    let mut bodies: Vec<_> = all
        .map(|(customer, n)| {
            alone(&message(
                &format!("wamid.{}-{n}", phone(customer)),
                customer,
                "Hi",
            ))
        })
        .collect();
    bodies.extend(bodies.clone().into_iter().step_by(TWICE));
    bodies.shuffle(&mut StdRng::seed_from_u64(7));
    bodies
}
