//! Every sample is read into the types that Meta's pages describe, and nothing of it is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "model/contents.rs"]
mod contents;
#[path = "model/describe.rs"]
mod describe;
#[path = "model/examples.rs"]
mod examples;
#[path = "model/expected.rs"]
mod expected;
#[path = "model/lenient.rs"]
mod lenient;

use describe::describe;
use expected::EXPECTED;
use serde_json::{Value, json};
use wahook_events::{
    model::{Change, ChangeValue, FieldValue, Message, Payload, Status},
    received::{EventData, Family},
    samples,
};

fn payload(name: &str) -> Payload {
    let sample = samples::get(name).unwrap_or_else(|| panic!("no sample {name}"));
    serde_json::from_str(sample.body).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn changes(payload: &Payload) -> impl Iterator<Item = &Change> {
    payload.entry.iter().flat_map(|entry| &entry.changes)
}

/// The value of the only change of a sample.
fn value(name: &str) -> ChangeValue {
    match changes(&payload(name)).next().unwrap().typed() {
        FieldValue::PhoneNumber(value) => *value,
        other => panic!("{name}: {other:?}"),
    }
}

fn message(name: &str) -> Message {
    value(name).messages.remove(0)
}

fn status(name: &str) -> Status {
    value(name).statuses.remove(0)
}

/// The data that the receiver would publish for one object.
fn event(key: &str, object: &Value) -> EventData {
    let data = json!({"waba_id": "1", "phone_number_id": "2", key: object});
    EventData::parse(data.to_string().as_bytes()).unwrap()
}

/// Numbers as text, text in lower case, nothing that is empty: the form in which a value and its copy are equal.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.to_string().trim_end_matches(".0")),
        Value::String(text) => json!(text.to_lowercase()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|(_, value)| !value.is_null() && *value != &json!([]));
            Value::Object(kept.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn every_sample_is_read_into_the_expected_types() {
    let names: Vec<_> = EXPECTED.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        samples::ALL.iter().map(|sample| sample.name).collect::<Vec<_>>(),
        names
    );
    for (name, expected) in EXPECTED {
        let found: Vec<_> = changes(&payload(name)).flat_map(describe).collect();
        assert_eq!(found.join(", "), *expected, "{name}");
    }
}

/// `Debug` prints an empty `extra` as `{}`: anything else is a member that has no field.
#[test]
fn what_the_pages_describe_has_a_field() {
    for sample in samples::ALL
        .iter()
        .filter(|sample| sample.name != "unknown_members")
    {
        for change in changes(&payload(sample.name)) {
            let debug = format!("{:?}", change.typed());
            let (all, empty) = (
                debug.matches("extra: ").count(),
                debug.matches("extra: {}").count(),
            );
            assert_eq!(all, empty, "{}: {debug}", sample.name);
        }
    }
}

#[test]
fn nothing_is_lost_on_the_way_through_the_types() {
    for sample in samples::ALL {
        let body: Value = serde_json::from_str(sample.body).unwrap();
        let envelope = payload(sample.name);
        assert_eq!(
            plain(&serde_json::to_value(&envelope).unwrap()),
            plain(&body),
            "{}",
            sample.name
        );
        for change in changes(&envelope) {
            let copy = serde_json::to_value(change.typed()).unwrap();
            assert_eq!(
                plain(&copy),
                plain(change.value.as_ref().unwrap()),
                "{}",
                sample.name
            );
        }
    }
}

#[test]
fn every_object_of_every_sample_is_read_from_an_event() {
    let mut seen = [0; 6];
    for sample in samples::ALL {
        for change in changes(&payload(sample.name)) {
            let FieldValue::PhoneNumber(typed) = change.typed() else {
                let data = event("value", change.value.as_ref().unwrap());
                let family = Family::from(change.field.as_deref().unwrap());
                assert_eq!(data.field_value(&family), Some(change.typed()), "{}", sample.name);
                seen[5] += 1;
                continue;
            };
            let objects = |key: &str| {
                change.value.as_ref().unwrap()[key]
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
            };
            for (raw, message) in objects("messages").iter().zip(&typed.messages) {
                assert_eq!(event("message", raw).message().unwrap().as_ref(), Some(message));
                seen[0] += 1;
            }
            for (raw, status) in objects("statuses").iter().zip(&typed.statuses) {
                assert_eq!(event("status", raw).status().unwrap().as_ref(), Some(status));
                seen[1] += 1;
            }
            for (raw, call) in objects("calls").iter().zip(&typed.calls) {
                assert_eq!(event("call", raw).call().unwrap().as_ref(), Some(call));
                seen[2] += 1;
            }
            for (raw, error) in objects("errors").iter().zip(&typed.errors) {
                assert_eq!(event("error", raw).error().unwrap().as_ref(), Some(error));
                seen[3] += 1;
            }
            for (raw, action) in objects("user_actions").iter().zip(&typed.user_actions) {
                assert_eq!(
                    event("user_action", raw).user_action().unwrap().as_ref(),
                    Some(action)
                );
                seen[4] += 1;
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 1), "{seen:?}");
}

#[test]
fn the_batch_holds_every_message_type_and_every_status() {
    let single = |name: &&str| !["batch", "odd_text"].contains(name);
    let parts = |name: &str| {
        let parts: Vec<_> = changes(&payload(name)).flat_map(describe).collect();
        parts
            .into_iter()
            .filter(|part| part.starts_with("message ") || part.starts_with("status "))
    };
    let batch: Vec<_> = parts("batch").collect();
    for name in samples::ALL.iter().map(|sample| sample.name).filter(single) {
        for part in parts(name) {
            assert!(batch.contains(&part), "{name}: {part}");
        }
    }
    assert!(payload("batch").entry.len() > 1);
}

#[test]
fn a_fresh_batch_is_new_and_still_fits_together() {
    let batch = samples::get("batch").unwrap();
    let ids = |body: &str| {
        let envelope: Payload = serde_json::from_str(body).unwrap();
        let values = changes(&envelope).filter_map(|change| match change.typed() {
            FieldValue::PhoneNumber(value) => Some(*value),
            _ => None,
        });
        values
            .flat_map(|v| {
                let messages = v.messages.into_iter().map(|m| m.id);
                let statuses = v.statuses.into_iter().map(|s| s.id);
                messages
                    .chain(statuses)
                    .chain(v.calls.into_iter().map(|c| c.id))
                    .collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    let (old, new) = (
        ids(batch.body),
        ids(&samples::fresh(batch, "t1", Some(1_800_000_000))),
    );
    assert_eq!(old.len(), new.len());
    assert!(new.iter().all(|id| !old.contains(id)));
    let distinct = |ids: &[_]| ids.iter().collect::<std::collections::HashSet<_>>().len();
    assert_eq!(distinct(&old), distinct(&new));
    assert_eq!(
        samples::fresh(batch, "t1", None),
        samples::fresh(batch, "t1", None)
    );
    for sample in samples::ALL {
        let fresh: Value = serde_json::from_str(&samples::fresh(sample, "t1", Some(1_800_000_000))).unwrap();
        let entry_time = fresh["entry"][0].get("time").cloned();
        assert!(
            entry_time.is_none_or(|time| time == 1_800_000_000),
            "{}",
            sample.name
        );
    }
}

/// Only numbers of the ranges kept for fiction may stand in a sample; the two of Meta's own test are its own.
#[test]
fn the_samples_name_nobody() {
    let meta = ["16505551111", "16315551181"];
    for sample in samples::ALL {
        for digits in sample
            .body
            .split(|c: char| !c.is_ascii_digit())
            .filter(|digits| digits.len() == 11)
        {
            let fictional = digits.starts_with("155501000") || digits == "15550000000";
            assert!(fictional || meta.contains(&digits), "{}: {digits}", sample.name);
        }
    }
}
