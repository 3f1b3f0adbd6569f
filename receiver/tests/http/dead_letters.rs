//! What is signed and still no event: dashboard tests, dead letters, bad pieces beside good ones.

use serde_json::Value;
use wahook_events::samples;

use crate::common_http::{House, house, place, text_message};

async fn unusable(house: &House, body: &[u8]) -> String {
    let answer = house.meta().post(body.to_vec()).await.unwrap();
    assert_eq!(answer.status, 200);
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told["status"], "error", "{told}");
    assert_eq!(told.as_object().unwrap().len(), 2);
    told["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_clicks_on_the_dashboards_test_button_are_two_events_in_family_test() {
    let house = house("dead-dashboard").open().await;
    let body = samples::get("dashboard_test").unwrap().body;
    house.store(body).await;
    house.store(body).await;
    let stored = house.stored().await;
    let places: Vec<_> = stored.iter().map(place).collect();
    assert_eq!(places, ["123456123.test.text", "123456123.test.text"]);
    assert_ne!(stored[0].id(), stored[1].id());
    assert_eq!(stored[0].payload, stored[1].payload);
    assert_eq!(stored[0].header("wahook-family"), Some("messages"));
    let metric = "whatsapp_webhook_events_total";
    assert_eq!(
        house
            .metric(metric, &[("family", "test"), ("outcome", "stored")])
            .await,
        2
    );
}

#[tokio::test]
async fn the_dashboards_test_goes_to_family_test_although_its_number_is_not_listed() {
    let house = house("dead-dashboard-listed")
        .line("phoneNumberIds: [\"315005501000001\"]")
        .open()
        .await;
    house.store(samples::get("dashboard_test").unwrap().body).await;
    assert_eq!(house.subjects().await, ["123456123.test.text"]);
}

#[tokio::test]
async fn a_body_that_holds_no_event_is_answered_200_error_and_stored_once_whatever_is_retried() {
    let house = house("dead-whole").open().await;
    let deep = "[".repeat(100_000);
    let cases: [(&str, &[u8]); 14] = [
        ("not_json", b"not json"),
        ("not_json", b""),
        ("not_json", b"{\"object\":\"whatsapp_business_account\""),
        ("not_json", b"\xff\xfe{}"),
        ("not_json", b"{} {}"),
        ("not_json", deep.as_bytes()),
        ("not_an_envelope", b"null"),
        ("not_an_envelope", b"[]"),
        ("not_an_envelope", b"\"text\""),
        (
            "not_an_envelope",
            b"{\"object\":\"whatsapp_business_account\",\"entry\":[]}",
        ),
        (
            "not_an_envelope",
            b"{\"object\":\"whatsapp_business_account\",\"entry\":{}}",
        ),
        ("not_an_envelope", b"{}"),
        (
            "other_object",
            b"{\"object\":\"page\",\"entry\":[{\"id\":\"1\",\"messaging\":[{}]}]}",
        ),
        (
            "other_object",
            b"{\"object\":\"instagram\",\"entry\":[{\"id\":\"1\",\"changes\":[{}]}]}",
        ),
    ];
    for (reason, body) in cases {
        for _ in 0..3 {
            let message = unusable(&house, body).await;
            assert!(message.starts_with("the body is not "), "{reason}: {message}");
        }
    }
    let stored = house.stored().await;
    assert_eq!(stored.len(), cases.len());
    for (stored, (reason, body)) in stored.iter().zip(cases) {
        assert_eq!(place(stored), format!("_.dead_letter.{reason}"));
        assert_eq!(stored.payload, body, "the bytes as they came");
        assert_eq!(
            stored.header("ce-datacontenttype"),
            Some("application/octet-stream")
        );
    }
    for reason in ["not_json", "not_an_envelope", "other_object"] {
        let expected = cases.iter().filter(|(of, _)| *of == reason).count();
        let counted = house
            .metric("whatsapp_webhook_dead_letters_total", &[("reason", reason)])
            .await;
        assert_eq!(counted, expected, "{reason}");
    }
    assert!(house.status().await["lastDelivery"]["dead_letter"].is_string());
}

#[tokio::test]
async fn a_bad_piece_is_a_dead_letter_and_the_message_beside_it_is_stored() {
    let house = house("dead-piece").open().await;
    let good: Value = serde_json::from_str(&text_message("dead-piece", "hello")).unwrap();
    let good = &good["entry"][0];
    let no_field = r#"{"value":{"messages":[]}}"#;
    let body = format!(
        r#"{{"object":"whatsapp_business_account","entry":[17,{good},{{"id":"215005501000001","changes":[{no_field}]}}]}}"#
    );
    house.store(&body).await;
    house.store(&body).await;
    let stored = house.stored().await;
    let mut found: Vec<_> = stored
        .iter()
        .map(|stored| {
            (
                place(stored),
                String::from_utf8_lossy(&stored.payload).into_owned(),
            )
        })
        .filter(|(place, _)| place.contains("dead_letter"))
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            (
                "_.dead_letter.change_without_field".to_owned(),
                no_field.to_owned()
            ),
            ("_.dead_letter.entry_not_an_object".to_owned(), "17".to_owned()),
        ]
    );
    assert_eq!(stored.len(), 3);
    assert!(
        stored
            .iter()
            .any(|stored| place(stored) == "315005501000001.messages.text")
    );
}

#[tokio::test]
async fn no_dead_letter_repeats_what_it_holds_to_whoever_sent_it_or_to_the_log() {
    let house = house("dead-quiet").open().await;
    let message = unusable(&house, b"{\"canary-of-a-dead-letter\": 15550100077").await;
    assert!(!message.contains("canary"), "{message}");
    let log = house.receiver.log();
    assert!(log.says("a signed body was stored as a dead letter").await);
    assert!(!log.contains("canary-of-a-dead-letter") && !log.contains("15550100077"));
}
