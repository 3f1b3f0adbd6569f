//! Natural keys: each part of a key makes another id, and nothing else does.

use serde_json::{Value, json};

use super::build::{body, events, messages, sample};

/// A sample with the value at one place replaced: `with("text", "/entry/0/time", json!(1))`.
pub(crate) fn with(name: &str, pointer: &str, new: Value) -> String {
    let mut body: Value = serde_json::from_str(sample(name)).unwrap();
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(last.to_owned(), new)),
        other => panic!("{parent} is {other}"),
    }
    body.to_string()
}

pub(crate) fn ids(body: &str) -> Vec<String> {
    events(body).iter().map(|event| event.id.to_string()).collect()
}

/// Each of `parts` makes another id of the first event, each of `rest` does not.
pub(crate) fn key_of(name: &str, parts: &[(&str, Value)], rest: &[(&str, Value)]) {
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
