//! What was set apart: listed, looked at, published again, counted.

use serde_json::{Value, json};
use wahook_testbed::graph::MediaFile;

use crate::bodies::{alone, body, image, message};
use crate::bot::{Bot, Language};
use crate::house::{House, STREAM};
use crate::in_every_language;

in_every_language!(what_was_set_apart_comes_back);

async fn what_was_set_apart_comes_back(language: Language) {
    let house = House::new().await;
    let bot = Bot::new(&house, language);
    let worker = bot.start();

    // Poison until the file is there.
    house.post(alone(&image("wamid.file", 1, "2001"))).await;
    let poison = house.event_ids("wamid.file").await.remove(0);
    assert_eq!(worker.outcome_of(&poison).await, "media_gone");
    // Of a phone number that the resource does not list.
    let stranger = json!({"messages": [message("wamid.stranger", 2, "Hi")]});
    house.post(body(&stranger, "315005509999999")).await;
    let stranger = house.event_ids("wamid.stranger").await.remove(0);
    house.post(b"signed, and no JSON".to_vec()).await;

    // The broker's word of another stream's event, whose place is taken here too.
    let subject = format!("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.{STREAM}.bot-0");
    let word = json!({"stream": "whatsapp_other", "stream_seq": 2, "reason": "another's"});
    house
        .client
        .publish(subject, word.to_string().into())
        .await
        .unwrap();
    house.client.flush().await.unwrap();

    let listed = until_listed(&bot, 3).await;
    let of = |kind: &str| listed.iter().find(|line| line["kind"] == kind).unwrap();
    assert_eq!(of("poison")["why"], "media_gone");
    assert_eq!(of("poison")["event_id"], *poison);
    assert_eq!(of("quarantine")["event_id"], *stranger);
    assert_eq!(of("dead_letter")["why"], "not_json");
    let count = listed.last().unwrap();
    assert_eq!(
        *count,
        json!({"apart": 3, "of_them": {"poison": 1, "quarantine": 1, "dead_letter": 1}})
    );
    let seq = of("quarantine")["seq"].to_string();
    let shown = bot.run(&["apart", "show", &seq]).await;
    assert_eq!(shown[0]["message"]["text"]["body"], "Hi");

    let said = bot.run(&["apart", "republish", "--all", "--dry-run"]).await;
    assert_eq!(
        *said.last().unwrap(),
        json!({"apart": 3, "of_them": {"would_publish": 2, "left": 1}, "dry_run": true})
    );
    assert_eq!(house.graph.count(), 0);

    let file = MediaFile {
        mime_type: "image/jpeg".to_owned(),
        bytes: b"EXAMPLE IMAGE".to_vec(),
        ..MediaFile::default()
    };
    house.graph.put_media("2001", file);
    for (did, seq) in [("published", None), ("already_published", Some(seq.as_str()))] {
        let mut arguments = vec!["apart", "republish"];
        arguments.extend(seq.map_or_else(|| vec!["--all"], |seq| vec!["--seq", seq]));
        let said = bot.run(&arguments).await;
        let count = said.last().unwrap();
        assert_eq!(
            count["of_them"][did],
            if seq.is_some() { 1 } else { 2 },
            "{count}"
        );
    }
    assert_eq!(worker.outcome_of(&stranger).await, "replied");
    // Both words are about the same event: the first was that it was given up.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while house.graph.count() < 2 {
        assert!(std::time::Instant::now() < deadline, "{}", worker.said());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let stored = house.stored().await;
    let again = stored
        .iter()
        .filter(|stored| stored.id().is_some_and(|id| id.starts_with('r')))
        .map(|stored| stored.header("ce-id").unwrap());
    let again: Vec<&str> = again.collect();
    assert!(again.contains(&poison.as_str()) && again.contains(&stranger.as_str()));
}

/// The list, once it is that long. The broker's word of what was given up may take a moment.
pub(crate) async fn until_listed(bot: &Bot, count: usize) -> Vec<Value> {
    for _ in 0..20 {
        let listed = bot.run(&["apart", "list"]).await;
        if listed.last().unwrap()["apart"] == count {
            return listed;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("{:?}", bot.run(&["apart", "list"]).await);
}
