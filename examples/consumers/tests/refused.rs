//! What cannot work is refused at the start, with the way out.

use async_nats::jetstream::{self, stream};

use crate::bot::{Bot, Language};
use crate::house::House;
use crate::in_every_language;

in_every_language!(what_cannot_work_is_refused_at_the_start);

async fn what_cannot_work_is_refused_at_the_start(language: Language) {
    let house = House::new().await;
    let context = jetstream::new(house.client.clone());
    let make = async |name: &str, subjects: &[&str]| {
        let config = stream::Config {
            name: name.to_owned(),
            subjects: subjects.iter().map(|&subject| subject.to_owned()).collect(),
            ..stream::Config::default()
        };
        context.create_stream(config).await.unwrap();
    };
    let bot = Bot::new(&house, language);

    // A bot of this name works on another webhook.
    make(
        "bot_poison",
        &["$JS.EVENT.ADVISORY.CONSUMER.*.whatsapp_other.bot-0"],
    )
    .await;
    for command in [["run"].as_slice(), &["apart", "list"]] {
        let complaint = bot.refused(command).await;
        assert!(
            complaint.contains("bot_poison") && complaint.contains("set BOT"),
            "{complaint}"
        );
    }
    let bot = bot.set("BOT", "second");
    bot.run(&["apart", "list"]).await;

    // Wider than a webhook, or two of them: where a bot would look for events, there are none, or not all.
    make("wide", &["wide.>"]).await;
    make("two", &["two.shop.main.>", "two.shop.other.>"]).await;
    make("any", &["any.*.main.>"]).await;
    make("narrow", &["narrow.shop.main.account.>"]).await;
    for (stream, subjects) in [
        ("wide", "wide.>"),
        ("two", "two.shop.main.>, two.shop.other.>"),
        ("any", "any.*.main.>"),
        ("narrow", "narrow.shop.main.account.>"),
    ] {
        let complaint = bot.clone().set("STREAM", stream).refused(&["run"]).await;
        assert!(
            complaint.contains(&format!("its subjects are {subjects}: "))
                && complaint.contains("whatsapp.<namespace>.<webhook>.>"),
            "{complaint}"
        );
    }
    // Others beside it are nobody's business.
    make("more", &["more.shop.main.>", "more"]).await;
    bot.set("STREAM", "more")
        .set("BOT", "third")
        .run(&["apart", "list"])
        .await;
}
