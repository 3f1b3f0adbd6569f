//! A bot that may do what the manual says, and nothing else, over TLS.

use serde_json::json;
use wahook_testbed::manual;

use crate::bodies::{NUMBER, alone, body, image, message, status};
use crate::bot::{Bot, Language};
use crate::house::{House, PASSWORD};
use crate::in_every_language;

const MANUAL: &str = include_str!("../../../docs/nats-permissions.md");

in_every_language!(what_is_documented_is_enough);

async fn what_is_documented_is_enough(language: Language) {
    let here = |text: &str| {
        text.replace("shop_orders", "shop_main")
            .replace("shop.orders", "shop.main")
    };
    let permissions = manual::permissions("A bot").unwrap();
    let prefix = MANUAL
        .split("NATS_INBOX_PREFIX=")
        .nth(1)
        .unwrap()
        .split('`')
        .next()
        .unwrap();
    let house = House::guarded(&here(&permissions)).await;
    let ca = house.pki.as_ref().unwrap().ca();
    let bot = Bot::new(&house, language)
        .set("NATS_USER", "bot")
        .set("NATS_PASSWORD", PASSWORD)
        .set("NATS_CA", &ca.to_string_lossy())
        .set("NATS_INBOX_PREFIX", &here(prefix));
    let worker = bot.start();
    let statuses = json!({"statuses": [status("wamid.ours", "read")]});
    for (id, posted, end) in [
        ("wamid.text", alone(&message("wamid.text", 1, "Hi")), "replied"),
        (
            "wamid.large",
            alone(&message("wamid.large", 2, &"long ".repeat(500_000))),
            "replied",
        ),
        (
            "wamid.image",
            alone(&image("wamid.image", 3, "3001")),
            "media_gone",
        ),
        ("wamid.ours", body(&statuses, NUMBER), "status_advanced"),
    ] {
        house.post(posted).await;
        let event_id = house.event_ids(id).await.remove(0);
        assert_eq!(
            worker.outcome_of(&event_id).await,
            end,
            "{id}:\n{}",
            worker.said()
        );
    }
    // Looks for the status of a reply.
    house.graph.fail_next([wahook_testbed::graph::Fault::NoAnswer]);
    house.post(alone(&message("wamid.silent", 4, "Hi"))).await;
    let event_id = house.event_ids("wamid.silent").await.remove(0);
    assert_eq!(worker.outcome_of(&event_id).await, "already_replied");

    let replayed = bot.run(&["replay", "--since", "2h"]).await;
    assert_eq!(replayed.last().unwrap()["of_them"]["already_replied"], 3);
    let listed = bot.run(&["apart", "list"]).await;
    assert_eq!(listed.last().unwrap()["of_them"]["poison"], 1);
    let again = bot.run(&["apart", "republish", "--all"]).await;
    assert_eq!(again.last().unwrap()["of_them"]["published"], 1);
    worker.stop().await;
}
