//! The example events: each is what a consumer of its family meets.

use serde::Deserialize;
use serde_json::Value;
use wahook_events::received::{EventData, Headers, ObjectKind};

#[derive(Deserialize)]
struct Example {
    subject: String,
    headers: std::collections::BTreeMap<String, String>,
    data: Value,
}

fn example(family: &str) -> Example {
    let path = format!("{}/examples/{family}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_family_has_an_example_that_a_consumer_can_read() {
    for (family, kind) in [
        ("messages", ObjectKind::Message),
        ("statuses", ObjectKind::Status),
        ("errors", ObjectKind::Error),
        ("calls", ObjectKind::Call),
        ("user_actions", ObjectKind::UserAction),
        ("history", ObjectKind::Message),
        ("smb_message_echoes", ObjectKind::Message),
        ("standby", ObjectKind::Message),
        ("message_template_status_update", ObjectKind::Value),
        ("test", ObjectKind::Message),
        ("quarantine", ObjectKind::Message),
    ] {
        let data = EventData::parse(example(family).data.to_string().as_bytes()).unwrap();
        assert_eq!(data.kind(), kind, "{family}");
        assert!(data.waba_id().is_some(), "{family}");
    }
}

#[test]
fn no_known_family_is_without_an_example() {
    for family in wahook_events::known::FAMILIES {
        // A dead letter is whatever came, and two names are older spellings of `business_username_updates`.
        if [
            "dead_letter",
            "business_username_update",
            "phone_number_username_update",
        ]
        .contains(family)
        {
            continue;
        }
        let example = example(family);
        EventData::parse(example.data.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{family}: {error}"));
    }
}

#[test]
fn subject_and_headers_of_an_example_agree() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let path = entry.unwrap().path();
        let Some(family) = path.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        let example = example(family);
        let headers = Headers::from_pairs(
            example
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let tokens: Vec<_> = example.subject.split('.').collect();
        assert_eq!((tokens.len(), tokens[0], tokens[4]), (7, "whatsapp", family));
        assert!(tokens.iter().all(|token| {
            token
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        }));
        assert_eq!(headers.family().unwrap().as_str(), family);
        assert_eq!(headers.kind(), Some(tokens[5]), "{family}");
        let id = headers.event_id().unwrap();
        let prefix = if family == "quarantine" { "q-" } else { "" };
        assert_eq!(headers.message_id().unwrap(), format!("{prefix}{id}"), "{family}");
        assert!(headers.received().is_some(), "{family}");
        // An error has no time of its own, of a consumer's profile none is documented, a dead letter has nothing at all.
        let timeless = ["consumer_profile", "dead_letter", "errors"].contains(&family);
        assert_eq!(headers.time().is_none(), timeless, "{family}");
        let set_apart = ["quarantine", "test"].contains(&family);
        assert_eq!(headers.original_family().is_some(), set_apart, "{family}");
    }
}
