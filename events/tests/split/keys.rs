//! Natural keys: each part of a key makes another id, and nothing else does.

use serde_json::{Value, json};
use wahook_events::samples;

use super::build::{PHONE, WABA, body, events, messages, sample};
use super::respell::respell;

/// A body with one value replaced: `change(sample, "/entry/0/...", new)`.
fn with(name: &str, pointer: &str, new: Value) -> String {
    let mut body: Value = serde_json::from_str(sample(name)).unwrap();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(last.to_owned(), new)),
        other => panic!("{parent} is {other}"),
    }
    body.to_string()
}

fn ids(body: &str) -> Vec<String> {
    events(body).iter().map(|event| event.id.to_string()).collect()
}

/// Each of `parts` makes another id of the first event, each of `rest` does not.
fn key_of(name: &str, parts: &[(&str, Value)], rest: &[(&str, Value)]) {
    let first = |body: &str| ids(body)[0].clone();
    let id = first(sample(name));
    let at = |pointer: &str| match pointer.strip_prefix("entry/") {
        Some(pointer) => format!("/entry/0/{pointer}"),
        None => format!("/entry/0/changes/0/value/{pointer}"),
    };
    for (pointer, new) in parts {
        let other = first(&with(name, &at(pointer), new.clone()));
        assert_ne!(id, other, "{name}: {pointer} is part of the key");
    }
    for (pointer, new) in rest {
        let other = first(&with(name, &at(pointer), new.clone()));
        assert_eq!(id, other, "{name}: {pointer} is no part of the key");
    }
}

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
fn messages_by_account_and_wamid() {
    key_of(
        "text",
        &[
            ("messages/0/id", json!("wamid.OTHER")),
            ("metadata/phone_number_id", json!("315005501000002")),
        ],
        &[
            ("messages/0/timestamp", json!("1750091999")),
            ("messages/0/text/body", json!("edited")),
            ("messages/0/type", json!("image")),
            ("messages/0/from", json!("15550100009")),
            ("metadata/display_phone_number", json!("15550100009")),
            ("contacts", json!([])),
            ("entry/id", json!("215005501000002")),
            ("entry/time", json!(1)),
        ],
    );
}

#[test]
fn the_same_wamid_in_another_field_is_another_event() {
    let message = r#"{"id":"wamid.A","timestamp":"1750091007","type":"text"}"#;
    let fields = [
        ("messages", format!(r#"{{"messages":[{message}]}}"#)),
        ("message_echoes", format!(r#"{{"message_echoes":[{message}]}}"#)),
        (
            "smb_message_echoes",
            format!(r#"{{"message_echoes":[{message}]}}"#),
        ),
        ("standby", format!(r#"{{"standby":{{"messages":[{message}]}}}}"#)),
        ("history", format!(r#"{{"messages":[{message}]}}"#)),
    ];
    let ids: std::collections::HashSet<_> = fields
        .iter()
        .map(|(field, value)| events(&body(field, value))[0].id)
        .collect();
    assert_eq!(ids.len(), fields.len());
}

#[test]
fn statuses_by_message_status_type_participant_and_transaction() {
    key_of(
        "status_delivered",
        &[
            ("statuses/0/id", json!("wamid.OTHER")),
            ("statuses/0/status", json!("read")),
            ("statuses/0/type", json!("payment")),
            ("metadata/phone_number_id", json!("315005501000002")),
        ],
        &[
            ("statuses/0/timestamp", json!("1750091999")),
            ("statuses/0/recipient_id", json!("15550100009")),
            ("statuses/0/pricing", json!(null)),
            ("statuses/0/conversation", json!({"id": "c"})),
            ("statuses/0/errors", json!([{"code": 1}])),
            ("entry/time", json!(1)),
        ],
    );
    key_of(
        "status_group",
        &[
            (
                "statuses/0/recipient_participant_user_id",
                json!("US.10000000000000000009"),
            ),
            ("statuses/0/status", json!("read")),
        ],
        &[("statuses/0/conversation", json!(null))],
    );
    for name in ["recipient_participant_id", "participant_recipient_id"] {
        let status = |who: &str| {
            let status =
                format!(r#"{{"id":"wamid.A","status":"read","recipient_type":"group","{name}":"{who}"}}"#);
            ids(&messages(&format!(r#""statuses":[{status}]"#)))
        };
        assert_ne!(status("15550100001"), status("15550100002"), "{name}");
    }
    key_of(
        "status_payment_captured",
        &[
            ("statuses/0/payment/transaction/id", json!("order_OTHER")),
            ("statuses/0/payment/transaction/status", json!("pending")),
            // A refund comes under the same id and status.
            ("statuses/0/payment/transaction/refunds", json!([])),
        ],
        &[
            ("statuses/0/payment/reference_id", json!("other")),
            ("statuses/0/timestamp", json!("1750091999")),
        ],
    );
}

#[test]
fn calls_by_wacid_and_event_and_their_statuses_by_status() {
    key_of(
        "call_connect",
        &[
            ("calls/0/id", json!("wacid.OTHER")),
            ("calls/0/event", json!("terminate")),
            ("metadata/phone_number_id", json!("315005501000002")),
        ],
        &[
            ("calls/0/timestamp", json!("1750091999")),
            ("calls/0/session", json!(null)),
        ],
    );
    key_of(
        "call_status_ringing",
        &[
            ("statuses/0/id", json!("wacid.OTHER")),
            ("statuses/0/status", json!("ACCEPTED")),
        ],
        &[("statuses/0/timestamp", json!("1750091999"))],
    );
}

#[test]
fn the_address_book_by_contact_action_and_time() {
    key_of(
        "smb_app_state_sync",
        &[
            ("state_sync/0/contact/phone_number", json!("15550100009")),
            ("state_sync/0/action", json!("remove")),
            ("state_sync/0/metadata/timestamp", json!("1750091999")),
            ("metadata/phone_number_id", json!("315005501000002")),
        ],
        &[("state_sync/0/contact/full_name", json!("Another Example"))],
    );
}

#[test]
fn groups_by_group_type_request_and_time() {
    key_of(
        "group_settings_update",
        &[
            ("groups/0/group_id", json!("other")),
            ("groups/0/type", json!("other")),
            ("groups/0/request_id", json!("req-other")),
            ("groups/0/timestamp", json!(1_750_091_999)),
        ],
        &[("groups/0/group_subject", json!(null))],
    );
    key_of(
        "group_join_request",
        &[("groups/0/join_request_id", json!("join-other"))],
        &[("groups/0/username", json!("@other"))],
    );
    // Without a request everything counts.
    key_of(
        "group_participants_update",
        &[
            ("groups/0/added_participants", json!([])),
            ("groups/0/reason", json!("other")),
            ("entry/time", json!(1)),
        ],
        &[],
    );
}

#[test]
fn handovers_by_number_sender_type_and_time() {
    key_of(
        "messaging_handovers",
        &[
            ("recipient/phone_number_id", json!("315005501000002")),
            ("sender/phone_number", json!("15550100009")),
            ("type", json!("control_taken")),
            ("timestamp", json!("1750091999")),
        ],
        &[("control_passed", json!({})), ("entry/time", json!(1))],
    );
}

#[test]
fn account_settings_by_number_type_and_time() {
    key_of(
        "account_settings_update",
        &[
            ("phone_number_settings/phone_number_id", json!("315005501000002")),
            ("type", json!("other")),
            ("timestamp", json!("1750091999")),
        ],
        &[("phone_number_settings/calling", json!(null))],
    );
}

#[test]
fn preferences_by_customer_category_value_and_time() {
    key_of(
        "user_preferences",
        &[
            ("user_preferences/0/user_id", json!("US.10000000000000000009")),
            ("user_preferences/0/category", json!("other")),
            ("user_preferences/0/value", json!("resume")),
            ("user_preferences/0/timestamp", json!(1_750_091_999)),
        ],
        &[("user_preferences/0/detail", json!("other words"))],
    );
}

#[test]
fn changed_user_ids_by_both_ids_and_time() {
    key_of(
        "user_id_update",
        &[
            (
                "user_id_update/0/user_id/previous",
                json!("US.10000000000000000009"),
            ),
            (
                "user_id_update/0/user_id/current",
                json!("US.10000000000000000009"),
            ),
            ("user_id_update/0/timestamp", json!(1_750_091_999)),
        ],
        &[("user_id_update/0/detail", json!("other words"))],
    );
}

#[test]
fn detected_events_by_id_and_name() {
    key_of(
        "automatic_events",
        &[
            ("automatic_events/0/id", json!("wamid.OTHER")),
            ("automatic_events/0/event_name", json!("AddToCart")),
        ],
        &[("automatic_events/0/custom_data", json!(null))],
    );
}

#[test]
fn clicks_by_their_id_and_otherwise_by_everything() {
    let inside = "user_actions/0/marketing_messages_link_click_data";
    key_of(
        "user_actions",
        &[(&format!("{inside}/click_id"), json!("click_OTHER"))],
        &[
            (&format!("{inside}/product_id"), json!("other")),
            ("user_actions/0/timestamp", json!("1750091999")),
        ],
    );
    let click = |time: u32| {
        ids(&messages(&format!(
            r#""user_actions":[{{"action_type":"x","timestamp":{time}}}]"#
        )))
    };
    assert_ne!(click(1), click(2));
}

#[test]
fn payment_configurations_and_solutions_by_their_own_ids() {
    key_of(
        "payment_configuration_update",
        &[
            ("configuration_name", json!("other")),
            ("status", json!("Inactive")),
            ("updated_timestamp", json!(1)),
            ("entry/id", json!("215005501000002")),
        ],
        &[("provider_mid", json!("acc_OTHER")), ("entry/time", json!(1))],
    );
    key_of(
        "partner_solutions",
        &[
            ("solution_id", json!("715005501000002")),
            ("event", json!("SOLUTION_UPDATED")),
            ("entry/time", json!(1)),
            ("entry/id", json!("415005501000002")),
        ],
        &[("solution_status", json!("ACTIVE"))],
    );
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
