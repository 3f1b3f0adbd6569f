//! One short test for each thing that users of other webhook receivers were hurt by.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common_http;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common_http::{OTHER_SECRET, RECEIVED, SECRET, SOON, TOKEN, house, place, text_message, text_message_to};
use futures_util::StreamExt as _;
use wahook_events::samples;
use wahook_testbed::meta::sign;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::ReadyWhen;

#[tokio::test]
async fn broker_down_is_503_and_metas_retry_is_stored_once() {
    let broker = Arc::new(NatsServer::builder().start().await.unwrap());
    let house = house("pain-broker-down")
        .stream("ensure: true")
        .broker(&broker)
        .open()
        .await;
    let body = text_message("broker-down", "hello");
    broker.stop().await.unwrap();
    let answer = house.meta().post(body.clone()).await.unwrap();
    assert_eq!(
        (answer.status, answer.header("retry-after").is_some()),
        (503, true)
    );
    assert_eq!(house.receiver.admin("/livez").await.unwrap().0, 200);
    broker.restart().await.unwrap();
    let started = Instant::now();
    while house.meta().post(body.clone()).await.unwrap().status != 200 {
        assert!(started.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.store(&body).await;
    assert_eq!(house.subjects().await, ["315005501000001.messages.text"]);
}

/// Killed as soon as the event is seen on its way to the stream: published, and nobody was told or only just.
#[tokio::test]
async fn killed_between_publish_and_answer_the_retry_is_no_second_event() {
    let plan = house("pain-killed");
    let first = plan.clone().open().await;
    let body = text_message("killed", "hello");
    let mut on_its_way = first
        .nats
        .subscribe("whatsapp.tests.pain-killed.>")
        .await
        .unwrap();
    first.nats.flush().await.unwrap();
    let posted = tokio::spawn({
        let (meta, body) = (first.meta(), body.clone());
        async move { meta.post(body).await.map(|answer| answer.status) }
    });
    let seen = tokio::time::timeout(SOON, on_its_way.next()).await.unwrap();
    assert!(seen.is_some());
    first.receiver.kill9();
    let _ = posted.await;
    let second = plan.open().await;
    second.store(&body).await;
    second.store(&body).await;
    assert_eq!(second.stored().await.len(), 1);
}

#[tokio::test]
async fn a_batch_across_two_numbers_is_split_and_a_foreign_number_goes_to_quarantine() {
    let (ours, foreign) = ("315005501000001", "315005501000099");
    let house = house("pain-batch")
        .line(&format!("phoneNumberIds: [\"{ours}\"]"))
        .open()
        .await;
    let change = |number: &str, ids: [&str; 2]| {
        let messages = ids.map(|id| {
            format!(r#"{{"from":"15550100001","id":"wamid.{id}","timestamp":"1750091007","type":"text","text":{{"body":"hello"}}}}"#)
        });
        format!(
            r#"{{"field":"messages","value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550100000","phone_number_id":"{number}"}},"messages":[{}]}}}}"#,
            messages.join(",")
        )
    };
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{},{}]}},{{"id":"2","changes":[{}]}}]}}"#,
        change(ours, ["a", "b"]),
        change(foreign, ["c", "d"]),
        change(ours, ["e", "f"])
    );
    house.store(&body).await;
    house.store(&body).await;
    let mut places = BTreeMap::new();
    for place in house.subjects().await {
        *places.entry(place).or_insert(0) += 1;
    }
    let expected = [
        (format!("{ours}.messages.text"), 4),
        (format!("{foreign}.quarantine.text"), 2),
    ];
    assert_eq!(places, BTreeMap::from(expected));
    let counted = house
        .metric(
            "whatsapp_webhook_events_total",
            &[("family", "quarantine"), ("outcome", "stored")],
        )
        .await;
    assert_eq!(counted, 2);
}

#[tokio::test]
async fn the_same_delivery_at_two_replicas_at_the_same_instant_is_one_event() {
    let plan = house("pain-replicas");
    let (one, other) = (plan.clone().open().await, plan.open().await);
    let (meta_one, meta_other) = (one.meta(), other.meta());
    for n in 0..50 {
        let body = text_message(&format!("replicas-{n}"), "hello");
        let (a, b) = tokio::join!(meta_one.post(body.clone()), meta_other.post(body));
        assert_eq!((a.unwrap().status, b.unwrap().status), (200, 200));
    }
    assert_eq!(one.stored().await.len(), 50);
}

#[tokio::test]
async fn emoji_escaped_slashes_and_at_signs_do_not_break_the_signature() {
    let house = house("pain-bytes").open().await;
    for (n, text) in [
        "\u{1f389}",
        r"\ud83c\udf89",
        r"https:\/\/example.com",
        "ana@example.com",
        r"ana\u0040b",
    ]
    .iter()
    .enumerate()
    {
        house.store(text_message(&format!("bytes-{n}"), text)).await;
        let last = house.stored().await.pop().unwrap();
        assert!(String::from_utf8_lossy(&last.payload).contains(text), "{text}");
    }
}

#[tokio::test]
async fn an_unset_secret_never_fails_open() {
    for (n, content) in [None, Some(""), Some("\n"), Some("undefined")]
        .into_iter()
        .enumerate()
    {
        let plan = house(&format!("pain-unset-{n}")).without_secret("app-secret-1");
        let plan = match content {
            Some(content) => plan.secret("app-secret-1", content),
            None => plan,
        };
        let house = plan.ready_when(ReadyWhen::Live).open().await;
        let body = text_message("unset", "hello");
        for key in ["", "\n", "undefined", TOKEN] {
            let signature = sign(key, body.as_bytes());
            let answer = house
                .meta()
                .post_with(body.clone(), &[("X-Hub-Signature-256", &signature)])
                .await
                .unwrap();
            assert_ne!(answer.status, 200, "{content:?} {key:?}");
        }
        assert_ne!(house.meta().post_with(body, &[]).await.unwrap().status, 200);
        assert_eq!(house.parsed().await, 0);
    }
}

#[tokio::test]
async fn a_secret_is_rotated_under_load_without_a_refusal() {
    let house = house("pain-rotate").open().await;
    let rotating = async {
        house.replace_secret("app-secret-2", OTHER_SECRET);
        house
            .status_when(|status| status["secrets"]["generation"] == 2)
            .await;
    };
    let posting = async {
        for n in 0..400 {
            house.store(text_message(&format!("rotate-{n}"), "hello")).await;
        }
    };
    tokio::join!(rotating, posting);
    for secret in [SECRET, OTHER_SECRET] {
        let body = text_message(&format!("rotated-{}", &secret[..4]), "hello");
        assert_eq!(house.meta_with(secret).post(body).await.unwrap().status, 200);
    }
    assert_eq!(house.stored().await.len(), 402);
}

#[tokio::test]
async fn a_body_of_2900_kb_is_stored_although_nats_takes_1_mib() {
    let house = house("pain-large")
        .stream("ensure: true, maxBytes: 64Mi")
        .open()
        .await;
    let body = text_message("large", &"x".repeat(2_900_000));
    let answer = house.meta().post(body.clone()).await.unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, RECEIVED));
    house.store(&body).await;
    let stored = house.stored().await;
    assert_eq!(stored.len(), 1);
    assert_eq!(place(&stored[0]), "315005501000001.messages.text");
    assert!(
        stored[0].header("ce-dataref").is_some(),
        "{:?}",
        stored[0].headers
    );
}

#[tokio::test]
async fn a_customer_without_a_phone_number_is_stored() {
    let house = house("pain-no-from").open().await;
    let body = samples::get("text_username").unwrap().body;
    assert!(!body.contains("\"from\":"));
    house.store(body).await;
    let stored = house.stored().await;
    assert_eq!(stored.len(), 1);
    assert!(place(&stored[0]).ends_with(".messages.text"));
}

#[tokio::test]
async fn an_unknown_field_type_or_status_is_stored_as_it_came() {
    let house = house("pain-unknown").open().await;
    let names = [
        "unknown_field",
        "new_message_type",
        "status_new",
        "unknown_members",
    ];
    for name in names {
        house.store(samples::get(name).unwrap().body).await;
    }
    assert!(house.stored().await.len() >= names.len());
    assert_eq!(house.metric("whatsapp_webhook_dead_letters_total", &[]).await, 0);
}

#[tokio::test]
async fn no_log_line_holds_a_token_a_secret_or_a_phone_number() {
    let house = house("pain-logs").log_level("trace").open().await;
    house
        .store(text_message_to("315005501000001", "logs", "words-of-a-customer"))
        .await;
    let _ = house
        .meta_with(OTHER_SECRET)
        .post(text_message("logs-2", "words-of-a-customer"))
        .await
        .unwrap();
    let _ = house
        .meta()
        .post("words-of-a-customer 15550100001")
        .await
        .unwrap();
    let _ = house
        .meta()
        .handshake("a-wrong-token-at-the-door", "1")
        .await
        .unwrap();
    let _ = house.meta().handshake(TOKEN, "1").await.unwrap();
    // The last line there will be: what stands before it has been read by then.
    let log = house.receiver.log();
    assert!(
        log.says("the subscription handshake succeeded").await,
        "the log is on"
    );
    let log = log.text();
    assert!(log.contains("answered a delivery"), "{log}");
    for private in [
        SECRET,
        OTHER_SECRET,
        TOKEN,
        "a-wrong-token",
        "15550100001",
        "Ana Example",
        "words-of-a-customer",
        "wamid.logs",
    ] {
        assert!(!log.contains(private), "{private} is in the log");
    }
}
