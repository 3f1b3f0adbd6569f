//! Where each kind of event ends, held against the table of the manual.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use wahook_testbed::graph::{Fault, MediaFile};

use crate::bodies::{NUMBER, alone, body, image, message, seconds_ago, status, with_contact};
use crate::bot::{Bot, Language, Worker};
use crate::house::House;
use crate::in_every_language;

const MANUAL: &str = include_str!("../README.md");

in_every_language!(every_event_ends_where_the_manual_says);

async fn every_event_ends_where_the_manual_says(language: Language) {
    let house = House::new().await;
    let bot = Bot::new(&house, language).set("SETTLE", "20");
    let mut ends = Ends {
        worker: bot.start(),
        house: &house,
        seen: BTreeMap::new(),
    };
    ends.messages().await;
    ends.faults_of_the_graph_api().await;
    ends.files().await;
    ends.large().await;
    ends.statuses().await;
    assert_eq!(ends.seen, manual(), "the table in examples/consumers/README.md");
    ends.worker.stop().await;
}

/// The table of the manual: what an event is, and what is said of it.
fn manual() -> BTreeMap<String, String> {
    let table = MANUAL.split("<!-- ends -->").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let what = cells.next()?;
        let said = cells.next()?.strip_prefix('`')?.split('`').next()?;
        Some((what.to_owned(), said.to_owned()))
    });
    rows.collect()
}

struct Ends<'a> {
    house: &'a House,
    worker: Worker,
    seen: BTreeMap<String, String>,
}

impl Ends<'_> {
    /// Posts the body of a message, and notes what became of it; the reply, if there was one.
    async fn of(&mut self, what: &str, id: &str, body: Vec<u8>) -> Option<Value> {
        self.house.post(body).await;
        self.note(what, id, 0).await
    }

    async fn note(&mut self, what: &str, id: &str, nth: usize) -> Option<Value> {
        let event_id = self.house.event_ids(id).await.swap_remove(nth);
        let outcome = self.worker.outcome_of(&event_id).await;
        let before = self.seen.insert(what.to_owned(), outcome.clone());
        assert!(before.is_none_or(|before| before == outcome), "{what}: {outcome}");
        let sent = self.house.graph.sent();
        let mut replies = sent
            .into_iter()
            .filter(|sent| sent.text("/biz_opaque_callback_data") == Some(&event_id))
            .map(|sent| sent.body);
        let reply = replies.next();
        assert_eq!(replies.next(), None, "{what}: a second reply");
        reply
    }

    async fn messages(&mut self) {
        let plain = message("wamid.plain", 1, "Hi");
        let reply = self
            .of("a message", "wamid.plain", with_contact(&plain, "Ana Example"))
            .await;
        let reply = reply.unwrap();
        assert_eq!(reply["to"], plain["from"]);
        assert_eq!(reply["context"]["message_id"], "wamid.plain");
        assert_eq!(reply["text"]["body"], "Hello, Ana Example! You said: Hi");

        let mut hidden = message("wamid.hidden", 2, "Hi");
        hidden.as_object_mut().unwrap().remove("from");
        let reply = self
            .of("a message without from", "wamid.hidden", alone(&hidden))
            .await;
        let reply = reply.unwrap();
        assert_eq!(reply["recipient"], hidden["from_user_id"]);
        assert!(reply.get("to").is_none());

        let mut nobody = message("wamid.nobody", 3, "Hi");
        nobody
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !name.starts_with("from"));
        let reply = self
            .of(
                "a message of nobody: neither phone number nor user id",
                "wamid.nobody",
                alone(&nobody),
            )
            .await;
        assert_eq!(reply, None);

        let bare = alone(&message("wamid.bare", 4, "Hi"));
        let reply = self
            .of("a message without a contact", "wamid.bare", bare)
            .await
            .unwrap();
        assert_eq!(reply["text"]["body"], "Hello! You said: Hi");

        let mut unknown = message("wamid.unknown", 5, "Hi");
        unknown["type"] = "hologram".into();
        unknown["hologram"] = unknown.as_object_mut().unwrap().remove("text").unwrap();
        let reply = self
            .of(
                "a message of a type that nobody knows",
                "wamid.unknown",
                alone(&unknown),
            )
            .await;
        assert_eq!(reply, None);

        let mut late = message("wamid.late", 6, "Hi");
        late["timestamp"] = seconds_ago(24 * 3600 + 5).into();
        assert_eq!(
            self.of("a message that is 24 hours old", "wamid.late", alone(&late))
                .await,
            None
        );

        let mut odd = message("wamid.odd", 7, "Hi");
        odd["text"] = json!("no object");
        let what = "a message whose words are not where Meta documents them";
        assert_eq!(self.of(what, "wamid.odd", alone(&odd)).await, None);

        let half = alone(&message("wamid.half", 7, "HALF"));
        let half = String::from_utf8(half).unwrap().replace("HALF", r"\ud83d");
        let what = "a message with half of a character in it";
        assert_eq!(self.of(what, "wamid.half", half.into_bytes()).await, None);

        let mut poison = message("wamid.poison", 7, "words of the poison");
        poison.as_object_mut().unwrap().remove("id");
        let what = "a message without an id";
        assert_eq!(self.of(what, "words of the poison", alone(&poison)).await, None);
    }

    async fn faults_of_the_graph_api(&mut self) {
        let what = "a message, while the Graph API has no time";
        for (id, faults) in [
            ("wamid.busy", [Fault::Unavailable, Fault::TooMany, Fault::Code(4)]),
            ("wamid.limited", [80007, 130_429, 131_056].map(Fault::Code)),
            ("wamid.unauthorised", [0, 10, 190].map(Fault::Code)),
        ] {
            self.house.graph.fail_next(faults);
            let reply = self.of(what, id, alone(&message(id, 8, "Hi"))).await;
            assert!(reply.is_some(), "{id}");
        }

        let posted = message("wamid.token", 8, "Hi");
        self.while_the_token_is_expired(
            "wamid.token",
            &posted,
            "does not take messages now: status 400, code 190",
        )
        .await;

        self.house.graph.fail_next([Fault::NoAnswer]);
        let silent = alone(&message("wamid.silent", 9, "Hi"));
        let reply = self
            .of(
                "a message, when the Graph API took the reply and did not say so",
                "wamid.silent",
                silent,
            )
            .await;
        assert!(reply.is_some());

        self.house
            .graph
            .fail_next([Fault::Undeliverable, Fault::Undeliverable]);
        let refused = alone(&message("wamid.refused", 10, "Hi"));
        assert_eq!(
            self.of("a message whose reply Meta refuses", "wamid.refused", refused)
                .await,
            None
        );
    }

    /// It waits, saying so, and is answered later.
    async fn while_the_token_is_expired(&mut self, id: &str, posted: &Value, words: &str) {
        self.house.graph.expire_token(true);
        self.house.post(alone(posted)).await;
        self.worker.says(words, 2).await;
        self.house.graph.expire_token(false);
        let reply = self
            .note("a message, while the access token has expired", id, 0)
            .await;
        assert!(reply.is_some(), "{id}");
    }

    async fn files(&mut self) {
        let file = |damaged, elsewhere: Option<&str>| MediaFile {
            mime_type: "image/jpeg".to_owned(),
            bytes: b"EXAMPLE IMAGE".to_vec(),
            damaged,
            pause: None,
            elsewhere: elsewhere.map(str::to_owned),
        };
        let graph = &self.house.graph;
        graph.put_media("1001", file(None, None));
        graph.put_media("1002", file(Some(b"EXAMPLE 1MAGE".to_vec()), None));

        let sent = |id: &str, media: &str| alone(&image(id, 11, media));
        let reply = self
            .of("a message with a file", "wamid.file", sent("wamid.file", "1001"))
            .await;
        assert_eq!(reply.unwrap()["text"]["body"], "Hello! Your file has 13 bytes.");
        let kept: Vec<_> = std::fs::read_dir(self.house.media.path()).unwrap().collect();
        assert_eq!(kept.len(), 1);
        let path = kept[0].as_ref().unwrap().path();
        assert_eq!(std::fs::read(path).unwrap(), b"EXAMPLE IMAGE");

        let posted = image("wamid.token.file", 11, "1001");
        self.while_the_token_is_expired(
            "wamid.token.file",
            &posted,
            "cannot be fetched now: status 400, code 190",
        )
        .await;

        // Longer than a request may take.
        let mut slow = file(None, None);
        slow.pause = Some(Duration::from_secs(1));
        self.house.graph.put_media("1003", slow);
        let what = "a message with a file that takes its time";
        let reply = self.of(what, "wamid.slow", sent("wamid.slow", "1003")).await;
        assert!(reply.is_some());
        assert!(!self.worker.said().contains("the connection failed"));

        self.house.graph.expire_next_media_urls(1);
        let what = "a message with a file whose address has expired";
        assert!(
            self.of(what, "wamid.expired", sent("wamid.expired", "1001"))
                .await
                .is_some()
        );
        self.house.graph.expire_next_media_urls(100);
        let what = "a message with a file whose address is expired each time";
        assert_eq!(
            self.of(what, "wamid.ever", sent("wamid.ever", "1001")).await,
            None
        );
        self.house.graph.expire_next_media_urls(0);
        let what = "a message with a file whose digest is another";
        assert_eq!(
            self.of(what, "wamid.damaged", sent("wamid.damaged", "1002"))
                .await,
            None
        );
        let what = "a message with a file on a host that is none of Meta's";
        let metas = self.house.graph.media_host();
        let port = metas.rsplit(':').next().unwrap();
        for (n, elsewhere) in [
            "https://media.example".to_owned(),
            format!("http://{metas}@media.example"),
            format!("https://{metas}.media.example"),
            format!("http://localhost:{port}"),
            format!("https://127.0.0.1:1{port}"),
            format!("ftp://{metas}"),
            "nowhere".to_owned(),
        ]
        .iter()
        .enumerate()
        {
            let (id, media) = (format!("wamid.elsewhere{n}"), format!("101{n}"));
            self.house.graph.put_media(&media, file(None, Some(elsewhere)));
            assert_eq!(self.of(what, &id, sent(&id, &media)).await, None, "{elsewhere}");
        }
        let what = "a message with a file that Meta has deleted";
        assert_eq!(
            self.of(what, "wamid.gone", sent("wamid.gone", "1004")).await,
            None
        );
    }

    async fn large(&mut self) {
        let text = "long ".repeat(500_000);
        let large = alone(&message("wamid.large", 12, &text));
        let reply = self
            .of(
                "a message larger than the broker takes: ce-dataref",
                "wamid.large",
                large,
            )
            .await;
        let words = reply.unwrap()["text"]["body"].as_str().unwrap().to_owned();
        assert!(words.starts_with("Hello! You said: long long "));
        assert_eq!(words.len(), "Hello! You said: ".len() + 1000);

        // Nobody reads before the object is gone: the lane of customer 13 waits behind a reply that cannot be sent now.
        self.house.graph.fail_next([Fault::Unavailable; 3]);
        self.house.post(alone(&message("wamid.first", 13, "Hi"))).await;
        self.house.post(alone(&message("wamid.lost", 13, &text))).await;
        self.house.forget_objects().await;
        let end = self
            .note("a message whose ce-dataref leads nowhere", "wamid.lost", 0)
            .await;
        assert_eq!(end, None);
    }

    async fn statuses(&mut self) {
        for (what, name) in [
            ("a status", "delivered"),
            ("a status that goes on", "read"),
            ("a status after a later one", "sent"),
        ] {
            let statuses = json!({"statuses": [status("wamid.ours", name)]});
            self.house.post(body(&statuses, NUMBER)).await;
            let last = self.house.event_ids("wamid.ours").await.len() - 1;
            self.note(what, "wamid.ours", last).await;
        }
    }
}
