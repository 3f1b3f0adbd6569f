//! Whatever is sent by whomever: the number of series stays.

use std::fmt::Write as _;

use crate::ALONE;
use crate::common_http::{House, house};

/// Events in one delivery.
const BATCH: u32 = 1000;

/// An event that no other looks like: of its own sender, with its own id, and of a type or an error of its own.
fn change(n: u32) -> String {
    let sender = format!("1555{n:07}");
    let (field, content) = match n % 6 {
        0 => (
            "messages".to_owned(),
            format!(
                r#""messages":[{{"from":"{sender}","id":"wamid.{n}","timestamp":"1750091007","type":"text","text":{{"body":"{n}"}}}}]"#
            ),
        ),
        1 => (
            "messages".to_owned(),
            format!(
                r#""messages":[{{"from":"{sender}","id":"wamid.{n}","timestamp":"1750091007","type":"type{n}","type{n}":{{}}}}]"#
            ),
        ),
        2 => (
            "messages".to_owned(),
            format!(
                r#""statuses":[{{"id":"wamid.{n}","status":"status{n}","timestamp":"1750091007","recipient_id":"{sender}"}}]"#
            ),
        ),
        3 => (
            "messages".to_owned(),
            format!(
                r#""statuses":[{{"id":"wamid.{n}","status":"failed","timestamp":"1750091007","recipient_id":"{sender}","errors":[{{"code":{n},"title":"{n}"}}]}}]"#
            ),
        ),
        4 => (
            "messages".to_owned(),
            format!(r#""member{n}":[{{"id":"{n}","from":"{sender}"}}]"#),
        ),
        _ => (format!("field{n}"), format!(r#""from":"{sender}""#)),
    };
    let metadata = format!(r#""metadata":{{"display_phone_number":"15550100000","phone_number_id":"{n}"}}"#);
    format!(r#"{{"field":"{field}","value":{{"messaging_product":"whatsapp",{metadata},{content}}}}}"#)
}

async fn send(house: &House, numbers: std::ops::Range<u32>) {
    for first in numbers.step_by(BATCH as usize) {
        let mut changes = String::new();
        for n in first..first + BATCH {
            let comma = if n == first { "" } else { "," };
            write!(changes, "{comma}{}", change(n)).unwrap();
        }
        let body = format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"{first}","changes":[{changes}]}}]}}"#
        );
        house.store(body).await;
    }
}

async fn series(house: &House) -> usize {
    let text = house.receiver.admin("/metrics").await.unwrap().1;
    text.lines().filter(|line| !line.starts_with('#')).count()
}

#[tokio::test]
async fn events_without_end_add_no_series() {
    let _alone = ALONE.lock().await;
    let house = house("series")
        .stream("ensure: true, storage: memory, maxBytes: 512Mi")
        .log_level("info")
        .open()
        .await;
    send(&house, 1..2 * BATCH + 1).await;
    let before = series(&house).await;
    assert!(before > 50, "{before}");
    send(&house, 2 * BATCH + 1..102 * BATCH + 1).await;
    assert_eq!(series(&house).await, before);
    let events = house
        .metric("whatsapp_webhook_events_total", &[("outcome", "stored")])
        .await;
    assert_eq!(events, 102 * BATCH as usize);
}
