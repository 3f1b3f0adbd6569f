//! Old events again: by default nobody hears of it.

use crate::bodies::{alone, message};
use crate::bot::{Bot, Language};
use crate::house::House;
use crate::in_every_language;

in_every_language!(replaying_sends_nothing_unless_asked);

async fn replaying_sends_nothing_unless_asked(language: Language) {
    let house = House::new().await;
    let bot = Bot::new(&house, language);
    for n in 0..10 {
        house.post(alone(&message(&format!("wamid.{n}"), n, "Hi"))).await;
    }
    let event_id = house.event_ids("wamid.3").await.remove(0);

    for arguments in [
        ["replay", "--since", "2h", "--dry-run"].as_slice(),
        &["replay", "--since", "30m"],
    ] {
        let said = bot.run(arguments).await;
        let count = said.last().unwrap();
        assert_eq!(count["of_them"]["would_reply"], 10, "{count}");
        assert_eq!(count["events"], 10);
    }
    let one = bot.run(&["replay", "--event-id", &event_id]).await;
    assert_eq!(one.len(), 2);
    assert_eq!(one[0]["event_id"], *event_id);
    assert_eq!(house.graph.count(), 0);

    // Asked for, it replies; and neither it nor the lanes do so a second time.
    bot.run(&["replay", "--event-id", &event_id, "--reply"]).await;
    assert_eq!(house.graph.count(), 1);
    let worker = bot.start();
    assert_eq!(worker.outcome_of(&event_id).await, "already_replied");
    for n in 0..10 {
        let event_id = house.event_ids(&format!("wamid.{n}")).await.remove(0);
        worker.outcome_of(&event_id).await;
    }
    worker.stop().await;
    assert_eq!(house.graph.count(), 10);
    let again = bot.run(&["replay", "--since", "2h", "--reply"]).await;
    assert_eq!(again.last().unwrap()["of_them"]["already_replied"], 10);
    assert_eq!(house.graph.count(), 10);
}
