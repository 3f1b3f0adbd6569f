//! The public guide's own payload and every row of its tables.

use serde_json::Value;
use wahook_events::samples;

use crate::common_http::{RECEIVED, TOKEN, house, place};

fn body(name: &str) -> &'static str {
    samples::get(name)
        .unwrap_or_else(|| panic!("no sample {name}"))
        .body
}

#[tokio::test]
async fn the_guides_own_payload_is_stored_and_answered_received() {
    let house = house("guide-payload").open().await;
    house.store(body("guide")).await;
    let stored = house.stored().await;
    assert_eq!(stored.len(), 1);
    assert_eq!(place(&stored[0]), "PHONE_NUMBER_ID.messages.text");
    let data: Value = stored[0].json().unwrap();
    assert_eq!(data["message"]["text"]["body"], "Hello, I have a question!");
    assert_eq!(data["waba_id"], "WHATSAPP_BUSINESS_ACCOUNT_ID");
    assert_eq!(data["contact"]["profile"]["name"], "Customer Name");
}

#[tokio::test]
async fn every_message_type_of_the_guides_table_is_stored_with_its_key_fields() {
    // The guide, "Message Type Reference": type, sample, key fields that a message of the type always has.
    let table: &[(&str, &str, &[&str])] = &[
        ("text", "text", &["/body"]),
        ("image", "image", &["/id", "/caption", "/mime_type", "/sha256"]),
        ("video", "video", &["/id", "/caption", "/mime_type"]),
        ("audio", "audio", &["/id", "/mime_type", "/voice"]),
        ("document", "document", &["/id", "/filename", "/mime_type"]),
        (
            "location",
            "location",
            &["/latitude", "/longitude", "/name", "/address"],
        ),
        ("contacts", "contacts", &["/0/phones", "/0/emails", "/0/name"]),
        ("sticker", "sticker", &["/id", "/mime_type", "/animated"]),
        ("button", "button", &["/payload", "/text"]),
        ("interactive", "interactive_list_reply", &["/type", "/list_reply"]),
        (
            "interactive",
            "interactive_button_reply",
            &["/type", "/button_reply"],
        ),
    ];
    let house = house("guide-types").open().await;
    for (_, sample, _) in table {
        house.store(body(sample)).await;
    }
    let stored = house.stored().await;
    assert_eq!(stored.len(), table.len());
    for (stored, (kind, sample, fields)) in stored.iter().zip(table) {
        assert_eq!(
            place(stored),
            format!("315005501000001.messages.{kind}"),
            "{sample}"
        );
        assert_eq!(
            stored.header("ce-type"),
            Some(format!("com.whatsapp.messages.{kind}").as_str())
        );
        let data: Value = stored.json().unwrap();
        for field in *fields {
            let found = data["message"][kind].pointer(field);
            assert!(found.is_some(), "{sample} lost {field}: {data}");
        }
        let sent: Value = serde_json::from_str(body(sample)).unwrap();
        let sent = sent.pointer("/entry/0/changes/0/value/messages/0").unwrap();
        assert_eq!(&data["message"], sent, "{sample}");
    }
}

#[tokio::test]
async fn every_status_of_the_guide_is_stored_under_its_name() {
    let table = [
        ("guide_status", "delivered"),
        ("status_sent", "sent"),
        ("status_delivered", "delivered"),
        ("status_read", "read"),
        ("status_failed", "failed"),
    ];
    let house = house("guide-statuses").open().await;
    for (sample, _) in table {
        house.store(body(sample)).await;
    }
    let stored = house.stored().await;
    assert_eq!(stored.len(), table.len());
    for (stored, (sample, status)) in stored.iter().zip(table) {
        let place = place(stored);
        assert!(
            place.ends_with(&format!(".statuses.{status}")),
            "{sample}: {place}"
        );
        let data: Value = stored.json().unwrap();
        assert_eq!(data["status"]["status"], status);
        assert_eq!(data["status"]["errors"].is_array(), status == "failed", "{data}");
    }
}

#[tokio::test]
async fn statuses_of_one_message_are_events_of_their_own_and_repeats_are_not() {
    let house = house("guide-status-keys").open().await;
    let delivered = body("guide_status");
    let read = delivered.replace("\"delivered\"", "\"read\"");
    for body in [delivered, &read, delivered, &read] {
        house.store(body).await;
    }
    let subjects = house.subjects().await;
    assert_eq!(
        subjects,
        [
            "PHONE_NUMBER_ID.statuses.delivered",
            "PHONE_NUMBER_ID.statuses.read"
        ]
    );
}

#[tokio::test]
async fn the_guides_handshake_and_health_answers_are_its_own() {
    let house = house("guide-answers").open().await;
    let meta = house.meta();
    let answer = meta.handshake(TOKEN, "1158201444").await.unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "1158201444"));
    let answer = meta
        .handshake("another-token-of-the-tests", "1158201444")
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (403, "Verification failed")
    );

    let answer = house.raw("GET /health HTTP/1.1\r\nHost: hooks\r\n\r\n").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let health: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(health.as_object().unwrap().len(), 2);
    let at: jiff::Timestamp = health["timestamp"].as_str().unwrap().parse().unwrap();
    let age = jiff::Timestamp::now().duration_since(at).abs();
    assert!(age < jiff::SignedDuration::from_secs(10), "{age:?}");
}

#[tokio::test]
async fn every_sample_is_answered_received() {
    let house = house("guide-samples").open().await;
    let meta = house.meta();
    for sample in samples::ALL {
        let answer = meta.post(sample.body).await.unwrap();
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, RECEIVED),
            "{}",
            sample.name
        );
    }
    assert_eq!(house.metric("whatsapp_webhook_dead_letters_total", &[]).await, 0);
}
