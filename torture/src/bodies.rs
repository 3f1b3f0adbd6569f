//! Deliveries as Meta makes them, with events that are numbered. Pure: the same seed gives the same deliveries.

use std::ops::Range;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

/// The beginning of each event's id; the number follows.
const ID: &str = "wamid.torture-";
/// Deliveries to this many accounts, so that subjects differ.
const ACCOUNTS: u64 = 4;

/// One body.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The numbers of its events.
    pub events: Range<u64>,
    /// The bytes to sign and post.
    pub body: Bytes,
}

/// What a delivery holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Messages,
    Statuses,
}

/// Deliveries without end, their events numbered from 0: most have one message or one status, some up to a hundred.
pub fn mixed(seed: u64) -> impl Iterator<Item = Delivery> + Send + 'static {
    let mut random = StdRng::seed_from_u64(seed);
    let mut next = 0;
    std::iter::from_fn(move || {
        let (kind, size) = match random.random_range(0..100) {
            0..60 => (Kind::Messages, 1),
            60..80 => (Kind::Statuses, 1),
            80..92 => (Kind::Messages, random.random_range(2..=10)),
            92..98 => (Kind::Statuses, random.random_range(5..=40)),
            _ => (Kind::Statuses, 100),
        };
        let range = next..next + size;
        next = range.end;
        Some(delivery(kind, range, random.random_range(0..400)))
    })
}

/// A delivery of messages with these numbers.
pub fn messages(events: Range<u64>) -> Delivery {
    delivery(Kind::Messages, events, 20)
}

/// A delivery of statuses with these numbers.
pub fn statuses(events: Range<u64>) -> Delivery {
    delivery(Kind::Statuses, events, 0)
}

fn delivery(kind: Kind, events: Range<u64>, text: usize) -> Delivery {
    let account = events.start % ACCOUNTS;
    let elements: Vec<Value> = events.clone().map(|number| element(kind, number, text)).collect();
    let array = match kind {
        Kind::Messages => "messages",
        Kind::Statuses => "statuses",
    };
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": format!("31500550100000{account}")},
        array: elements,
    });
    let change = json!({"field": "messages", "value": value});
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "215005501000001", "changes": [change]}]});
    Delivery {
        events,
        body: body.to_string().into(),
    }
}

fn element(kind: Kind, number: u64, text: usize) -> Value {
    let id = format!("{ID}{number}");
    let customer = format!("155501{:05}", number % 100);
    match kind {
        Kind::Messages => json!({
            "from": customer, "id": id, "timestamp": "1750091007", "type": "text",
            "text": {"body": "x".repeat(text)},
        }),
        Kind::Statuses => json!({
            "id": id, "status": "delivered", "timestamp": "1750091007", "recipient_id": customer,
        }),
    }
}

/// The number of a stored event, by its data; `None` when it is none of ours.
pub fn number(data: &[u8]) -> Option<u64> {
    let data: Value = serde_json::from_slice(data).ok()?;
    let id = data["message"]["id"].as_str().or(data["status"]["id"].as_str())?;
    id.strip_prefix(ID)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_exactly_one_delivery() {
        let deliveries: Vec<_> = mixed(7).take(300).collect();
        let numbers: Vec<u64> = deliveries.iter().flat_map(|d| d.events.clone()).collect();
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
        assert!(numbers.len() > 600 && deliveries.iter().any(|d| d.events.end - d.events.start > 50));
        let same: Vec<_> = mixed(7).take(300).map(|d| d.body).collect();
        assert!(deliveries.iter().map(|d| &d.body).eq(&same));
    }

    #[test]
    fn numbers_are_read_back() {
        assert_eq!(number(br#"{"message":{"id":"wamid.torture-7"}}"#), Some(7));
        assert_eq!(number(br#"{"status":{"id":"wamid.torture-8"}}"#), Some(8));
        for other in [&b"{}"[..], b"", br#"{"message":{"id":"wamid.9"}}"#] {
            assert_eq!(number(other), None);
        }
    }
}
