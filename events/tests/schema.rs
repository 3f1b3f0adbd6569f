//! The contract as files: what is published is what the schemas say, and the files are what the code says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};
use wahook_events::contract::Destination;
use wahook_events::known::{QUARANTINE, TEST};
use wahook_events::{samples, schema, split};

/// How many events are looked at.
const EVENTS: usize = 10_000;

/// Samples in which Meta breaks its own documentation: published as they came, and not as the schema says.
const ODD: [&str; 1] = ["odd_text"];

fn validators() -> BTreeMap<&'static str, Validator> {
    let families = schema::families();
    families
        .map(|family| (family, jsonschema::draft7::new(&schema::of(family)).unwrap()))
        .collect()
}

#[test]
fn ten_thousand_events_of_every_family_are_as_their_schemas_say() {
    let validators = validators();
    let (mut seen, mut families) = (0, BTreeSet::new());
    for round in 0.. {
        for sample in samples::ALL {
            let body = samples::fresh(sample, &format!("r{round}-"), Some(1_750_000_000 + round));
            for event in split(body.as_bytes()).unwrap().events {
                let data: Value = serde_json::from_slice(&event.data).unwrap();
                let family = match Destination::of(&event, round % 2 == 0) {
                    Destination::Event => event.family.as_ref(),
                    Destination::Test => TEST,
                    Destination::Quarantine => QUARANTINE,
                };
                // A field that nobody knows has no schema.
                let Some((family, validator)) = validators.get_key_value(family) else {
                    continue;
                };
                match validator.validate(&data) {
                    Ok(()) => assert!(!ODD.contains(&sample.name), "{}", sample.name),
                    Err(_) if ODD.contains(&sample.name) => {}
                    Err(error) => panic!(
                        "{family}, sample {}: {error} at {}",
                        sample.name,
                        error.instance_path()
                    ),
                }
                families.insert(*family);
                seen += 1;
            }
        }
        if seen >= EVENTS {
            break;
        }
    }
    let all: BTreeSet<_> = schema::families().collect();
    let without: Vec<_> = all.difference(&families).collect();
    // Two spellings of one field, of which Meta sends the third.
    assert_eq!(
        without,
        [&"business_username_update", &"phone_number_username_update"]
    );
}

#[test]
fn what_is_no_event_is_refused() {
    let validators = validators();
    let wrong = [
        ("messages", json!({})),
        ("messages", json!({ "message": { "type": "text" } })),
        ("messages", json!({ "message": { "id": "wamid.A" }, "value": {} })),
        (
            "messages",
            json!({ "message": { "id": "wamid.A", "text": "no object" } }),
        ),
        (
            "messages",
            json!({ "message": { "id": "wamid.A" }, "waba_id": 7 }),
        ),
        ("statuses", json!({ "status": { "id": "wamid.A" } })),
        ("statuses", json!({ "message": { "id": "wamid.A" } })),
        ("calls", json!([])),
    ];
    for (family, data) in wrong {
        assert!(!validators[family].is_valid(&data), "{family}: {data}");
    }
}

#[test]
fn what_meta_may_do_next_is_allowed() {
    let validators = validators();
    let odd = [
        (
            "messages",
            json!({ "message": { "id": "wamid.A", "type": "hologram", "hologram": { "new": [1] } } }),
        ),
        (
            "messages",
            json!({ "message": { "id": 7, "timestamp": 1, "from": null, "errors": null }, "new": 1 }),
        ),
        (
            "statuses",
            json!({ "status": { "id": "wamid.A", "status": "framed", "pricing": { "billable": "true" } } }),
        ),
        ("messages", json!({ "value": [] })),
        ("account_update", json!({ "value": null })),
    ];
    for (family, data) in odd {
        let outcome = validators[family].validate(&data);
        assert!(
            outcome.is_ok(),
            "{family}: {data}: {:?}",
            outcome.err().map(|e| e.to_string())
        );
    }
}

#[test]
fn the_files_are_what_the_code_says() {
    for file in schema::generated() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file.path);
        let committed =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        assert!(
            committed == file.text,
            "{}: run `cargo xtask generate`",
            file.path
        );
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = schema::document();
    let mut checked = 0;
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    checked += 1;
                    match to.strip_prefix('#') {
                        Some(pointer) => assert!(document.pointer(pointer).is_some(), "{to}"),
                        None => assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(to).is_file(), "{to}"),
                    }
                }
                open.extend(members.values());
            }
            Value::Array(elements) => open.extend(elements),
            _ => {}
        }
    }
    assert!(checked > 300, "only {checked} references");
}
