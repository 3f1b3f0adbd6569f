//! What costs an event no try: a bot that is stopped while the event waits, and trouble with the broker.

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, kv};

use crate::bodies::{alone, message};
use crate::bot::{Bot, Language};
use crate::house::{House, STREAM};
use crate::in_every_language;

in_every_language!(stopping_a_bot_costs_no_message);
in_every_language!(trouble_with_the_broker_costs_no_message);

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

    let bot = Bot::new(&house, language);
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
