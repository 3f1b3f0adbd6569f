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
    bot.set("BOT", "second").run(&["apart", "list"]).await;
}
