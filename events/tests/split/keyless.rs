//! What identifies an object without a natural key, and what never identifies any.

use serde_json::{Value, json};
use wahook_events::samples;

use super::build::{PHONE, WABA, body, events, messages};
use super::keys::{ids, key_of, with};
use super::respell::respell;

#[test]
fn the_spelling_of_a_body_is_no_part_of_any_key() {
    for sample in samples::ALL {
        // An error has nothing but its body to be known by.
        let others = |body: &str| {
            let events = events(body).into_iter();
            let events = events.filter(|event| !event.data.windows(9).any(|w| w == b"\"error\":{"));
            let mut ids: Vec<_> = events.map(|event| event.id).collect();
            // The order of members is another, and so is that of the events.
            ids.sort_unstable();
            ids
        };
        let reordered = ["batch", "call_failed"].contains(&sample.name);
        if !reordered {
            assert_eq!(
                others(sample.body),
                others(&respell(sample.body)),
                "{}",
                sample.name
            );
        }
    }
}

#[test]
fn fields_without_a_key_by_entry_time_and_value() {
    for name in [
        "account_alerts",
        "account_review_update",
        "account_update_violation",
        "business_capability_update",
        "business_username_updates",
        "consumer_profile",
        "flows_status",
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "template_category_update",
        "template_correct_category_detection",
        "template_performance_metrics",
        "tracking_events",
        "unknown_field",
    ] {
        key_of(
            name,
            &[
                ("entry/id", json!("215005501000002")),
                ("entry/time", json!(1)),
                ("anything", json!(1)),
                ("entry/changes/0/field", json!("another_field")),
            ],
            &[],
        );
    }
}

/// A template approved, paused and approved again must not lose the last event: without a complete key, everything counts.
#[test]
fn a_key_with_a_hole_is_no_key() {
    for (name, hole, other) in [
        ("call_connect", "calls/0/event", "calls/0/timestamp"),
        ("status_delivered", "statuses/0/status", "statuses/0/timestamp"),
        ("text", "messages/0/id", "messages/0/timestamp"),
        (
            "smb_app_state_sync",
            "state_sync/0/metadata",
            "state_sync/0/contact/full_name",
        ),
        (
            "group_settings_update",
            "groups/0/timestamp",
            "groups/0/group_subject",
        ),
        (
            "user_preferences",
            "user_preferences/0/timestamp",
            "user_preferences/0/detail",
        ),
        (
            "user_id_update",
            "user_id_update/0/timestamp",
            "user_id_update/0/detail",
        ),
        (
            "automatic_events",
            "automatic_events/0/event_name",
            "automatic_events/0/ctwa_clid",
        ),
        ("messaging_handovers", "timestamp", "control_passed"),
        (
            "account_settings_update",
            "timestamp",
            "phone_number_settings/calling",
        ),
        (
            "payment_configuration_update",
            "updated_timestamp",
            "provider_mid",
        ),
    ] {
        let at = |pointer: &str| format!("/entry/0/changes/0/value/{pointer}");
        let one = with(name, &at(hole), Value::Null);
        let mut two: Value = serde_json::from_str(&one).unwrap();
        *two.pointer_mut(&at(other)).unwrap() = json!("different");
        assert_ne!(ids(&one)[0], ids(&two.to_string())[0], "{name} without {hole}");
    }
    let solution = |status: &str| {
        let value = format!(r#"{{"event":"E","solution_id":"1","solution_status":"{status}"}}"#);
        ids(&body("partner_solutions", &value))
    };
    assert_ne!(solution("A"), solution("B"), "no entry time");
}

#[test]
fn errors_are_repeats_only_where_the_body_is() {
    let error = r#"{"code":130429,"title":"Rate limit hit"}"#;
    let two = super::build::entry(&format!(
        r#"{{"id":"{WABA}","changes":[{0},{0}]}}"#,
        super::build::change(
            "messages",
            &super::build::value(&format!(r#""errors":[{error},{error}]"#))
        )
    ));
    let found = ids(&two);
    assert_eq!(found.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    assert_eq!(found, ids(&two), "the same body again");
    assert_ne!(found[0], ids(&format!("{two} "))[0], "another body");
}

#[test]
fn alike_elements_without_an_id_stay_apart() {
    let message = r#"{"type":"text","text":{"body":"Hi"}}"#;
    let found = events(&messages(&format!(
        r#""messages":[{message},{message}],"statuses":[1,1]"#
    )));
    assert_eq!((found.len(), super::build::distinct_ids(&found)), (4, 4));
    assert_eq!(found[0].account.phone_number_id.as_deref(), Some(PHONE));
}

#[test]
fn strings_and_integers_give_one_id() {
    let click = |time: &str| {
        let preference = format!(r#"{{"user_id":"US.1","category":"c","value":"stop","timestamp":{time}}}"#);
        let body = body(
            "user_preferences",
            &format!(r#"{{"user_preferences":[{preference}]}}"#),
        );
        (ids(&body), events(&body)[0].time)
    };
    assert_eq!(click("1750091574"), click("\"1750091574\""));
    assert_eq!(click("1750091574").1, Some(1_750_091_574));
}
