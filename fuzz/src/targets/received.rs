//! An event as a consumer reads it.

use serde::de::IgnoredAny;
use serde_json::Value;
use wahook_events::received::{EventData, Family, Headers};

use super::{Target, bodies};

pub(super) const TARGET: Target = Target {
    name: "received",
    about: "the data of an event: whatever it holds, a consumer gets a value or an error for each part, and the whole value",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let bodies = bodies();
    let parts = bodies.iter().filter_map(|body| wahook_events::split(body).ok());
    let mut seeds: Vec<_> = parts
        .flat_map(|parts| parts.events)
        .map(|event| event.data)
        .collect();
    seeds.dedup();
    seeds
}

fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let headers = Headers::from_pairs(text.lines().filter_map(|line| line.split_once(':')));
    let _ = (
        headers.family(),
        headers.original_family(),
        headers.kind().map(str::len),
    );
    let Ok(event) = EventData::parse(data) else {
        return;
    };
    assert!(serde_json::from_slice::<IgnoredAny>(data).is_ok());
    let read = [
        event.contact().is_ok(),
        event.conversation_context().is_ok(),
        event.history().is_ok(),
        event.thread().is_ok(),
        event.message().is_ok(),
        event.status().is_ok(),
        event.call().is_ok(),
        event.error().is_ok(),
        event.user_action().is_ok(),
    ];
    assert!(read.iter().any(|is_read| *is_read), "nothing of it can be read");
    if let Some(value) = event.value() {
        assert!(serde_json::from_str::<IgnoredAny>(value.get()).is_ok());
        // An error for numbers that no type of Rust's holds.
        let _ = event.value_as::<Value>();
    }
    if let Ok(Some(message)) = event.message() {
        let _ = (message.sender().map(str::len), format!("{message:?}").len());
    }
    for family in [
        "messages",
        "account_alerts",
        "history",
        "message_template_status_update",
        "x",
    ] {
        let _ = event.field_value(&Family::from(family));
    }
}
