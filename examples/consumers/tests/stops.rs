//! A bot that is stopped while an event waits, or died over it, and trouble with the broker: no event is lost by them.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, kv};
use futures_util::TryStreamExt as _;

use crate::apart::until_listed;
use crate::bodies::{alone, message};
use crate::bot::{Bot, Language};
use crate::house::{House, STREAM};
use crate::in_every_language;

in_every_language!(stopping_a_bot_costs_no_message);
in_every_language!(what_kills_its_worker_each_time_is_poison);
in_every_language!(trouble_with_the_broker_costs_no_message);
in_every_language!(the_look_for_a_status_lasts_until_it_is_settled);

async fn stopping_a_bot_costs_no_message(language: Language) {
    let house = House::new().await;
    // As an older bot made them: the broker dropped an event at its second delivery.
    let context = jetstream::new(house.client.clone());
    for lane in "0123456789abcdef".chars() {
        let old = pull::Config {
            durable_name: Some(format!("bot-{lane}")),
            filter_subjects: ["messages", "statuses"]
                .map(|family| format!("whatsapp.shop.main.*.{family}.*.{lane}"))
                .to_vec(),
            ack_policy: AckPolicy::Explicit,
            max_ack_pending: 1,
            max_deliver: 2,
            ..pull::Config::default()
        };
        context.create_consumer_on_stream(old, STREAM).await.unwrap();
    }
    house.post(alone(&message("wamid.waits", 1, "Hi"))).await;
    let event_id = house.event_ids("wamid.waits").await.remove(0);

    // Longer than this test waits: a worker that stops gives the event back.
    let bot = Bot::new(&house, language).set("ACK_WAIT", "120");
    for _ in 0..3 {
        let worker = bot.clone().set("GRAPH_TOKEN", "expired").start();
        worker.says("the Graph API does not take messages now", 1).await;
        worker.stop().await;
        assert_eq!(worker.outcome(&event_id), None);
    }
    let worker = bot.start();
    assert_eq!(worker.outcome_of(&event_id).await, "replied");
    worker.stop().await;
    assert_eq!(house.graph.count(), 1);
}

async fn trouble_with_the_broker_costs_no_message(language: Language) {
    let house = House::new().await;
    let worker = Bot::new(&house, language).set("TRIES", "1").start();
    worker.says("taking messages", 1).await;
    let context = jetstream::new(house.client.clone());
    context.delete_key_value("bot").await.unwrap();
    house.post(alone(&message("wamid.waits", 1, "Hi"))).await;
    let event_id = house.event_ids("wamid.waits").await.remove(0);
    worker.says("; trying again", 2).await;
    let bucket = kv::Config {
        bucket: "bot".to_owned(),
        ..kv::Config::default()
    };
    context.create_key_value(bucket).await.unwrap();
    assert_eq!(worker.outcome_of(&event_id).await, "replied");
    worker.stop().await;
    assert_eq!(house.graph.count(), 1);
}

async fn the_look_for_a_status_lasts_until_it_is_settled(language: Language) {
    let house = House::new().await;
    house.post(alone(&message("wamid.claimed", 1, "Hi"))).await;
    let event_id = house.event_ids("wamid.claimed").await.remove(0);
    // Somebody died over the reply.
    let context = jetstream::new(house.client.clone());
    let bucket = kv::Config {
        bucket: "bot".to_owned(),
        ..kv::Config::default()
    };
    let bucket = context.create_key_value(bucket).await.unwrap();
    let claim = bucket.put(format!("reply.{event_id}"), "sending".into());
    claim.await.unwrap();

    let worker = Bot::new(&house, language).set("SETTLE", "5").start();
    let stream = context.get_stream(STREAM).await.unwrap();
    let reader = loop {
        assert_eq!(worker.outcome(&event_id), None, "nobody looked");
        let consumers: Vec<_> = stream.consumers().try_collect().await.unwrap();
        let mut readers = consumers.into_iter().map(|info| info.config);
        if let Some(reader) = readers.find(|one| one.filter_subject == "whatsapp.shop.main.*.statuses.*.*") {
            break reader;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // The broker counts what is fetched, and there may be nothing to fetch for as long as that.
    assert_eq!(reader.inactive_threshold, Duration::from_secs(5 + 60));
    assert_eq!(worker.outcome_of(&event_id).await, "replied");
}

async fn what_kills_its_worker_each_time_is_poison(language: Language) {
    let house = House::new().await;
    house.post(alone(&message("wamid.deadly", 1, "Hi"))).await;
    let event_id = house.event_ids("wamid.deadly").await.remove(0);
    let bot = Bot::new(&house, language)
        .set("TRIES", "1")
        .set("ACK_WAIT", "0.5");
    for _ in 0..20 {
        let worker = bot.clone().set("GRAPH_TOKEN", "expired").start();
        worker.says("the Graph API does not take messages now", 1).await;
        worker.kill();
    }
    let worker = bot.start();
    let listed = until_listed(&bot, 1).await;
    assert_eq!(listed[0]["why"], "too_many_tries");
    assert_eq!(listed[0]["event_id"], *event_id);
    worker.stop().await;
    assert_eq!(house.graph.count(), 0);
}
