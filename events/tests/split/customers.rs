//! Whom an event is about, by each member that may say so: it decides the lane.

use wahook_events::Lane;

use super::build::{PHONE, body, events, value};

/// Field, members of its value, and what the lane of its one event is made from.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "messages",
        r#""messages":[{"id":"1","from":"15550100001"}]"#,
        "15550100001",
    ),
    (
        "messages",
        r#""messages":[{"id":"1","from_user_id":"US.7"}]"#,
        "US.7",
    ),
    (
        "messages",
        r#""messages":[{"id":"1","from":"15550100001","group_id":"G.3"}]"#,
        "G.3",
    ),
    (
        "messages",
        r#""statuses":[{"id":"1","status":"sent","recipient_id":"15550100001"}]"#,
        "15550100001",
    ),
    (
        "messages",
        r#""statuses":[{"id":"1","status":"sent","recipient_user_id":"US.7"}]"#,
        "US.7",
    ),
    (
        "messages",
        r#""statuses":[{"id":"1","status":"sent","recipient_type":"group","recipient_id":"G.3"}]"#,
        "G.3",
    ),
    (
        "messages",
        r#""statuses":[{"id":"1","status":"sent","group_id":"G.3","recipient_id":"15550100001"}]"#,
        "G.3",
    ),
    (
        "messages",
        r#""user_actions":[{"click_id":"1","wa_id":"15550100001"}]"#,
        "15550100001",
    ),
    (
        "messages",
        r#""user_actions":[{"click_id":"1","user_id":"US.7"}]"#,
        "US.7",
    ),
    (
        "calls",
        r#""calls":[{"id":"1","event":"connect","from":"15550100001","to":"15550100000"}]"#,
        "15550100001",
    ),
    (
        "calls",
        r#""calls":[{"id":"1","event":"connect","from_user_id":"US.7","to":"15550100000"}]"#,
        "US.7",
    ),
    (
        "calls",
        r#""calls":[{"id":"1","event":"connect","direction":"BUSINESS_INITIATED","from":"15550100000","to":"15550100001"}]"#,
        "15550100001",
    ),
    (
        "calls",
        r#""calls":[{"id":"1","event":"connect","direction":"BUSINESS_INITIATED","from":"15550100000","to_user_id":"US.7"}]"#,
        "US.7",
    ),
    (
        "calls",
        r#""statuses":[{"id":"1","status":"RINGING","recipient_id":"15550100001"}]"#,
        "15550100001",
    ),
    (
        "calls",
        r#""statuses":[{"id":"1","status":"RINGING","recipient_user_id":"US.7"}]"#,
        "US.7",
    ),
    (
        "history",
        r#""history":[{"threads":[{"id":"15550100001","messages":[{"id":"1","from":"15550100000"}]}]}]"#,
        "15550100001",
    ),
    (
        "history",
        r#""history":[{"threads":[{"context":{"user_id":"US.7"},"messages":[{"id":"1","from":"15550100000"}]}]}]"#,
        "US.7",
    ),
    (
        "smb_app_state_sync",
        r#""state_sync":[{"type":"contact","contact":{"phone_number":"15550100001"}}]"#,
        "15550100001",
    ),
    (
        "smb_app_state_sync",
        r#""state_sync":[{"type":"contact","contact":{"user_id":"US.7"}}]"#,
        "US.7",
    ),
    (
        "group_lifecycle_update",
        r#""groups":[{"group_id":"G.3"}]"#,
        "G.3",
    ),
    (
        "user_preferences",
        r#""user_preferences":[{"wa_id":"15550100001"}]"#,
        "15550100001",
    ),
    (
        "user_preferences",
        r#""user_preferences":[{"user_id":"US.7"}]"#,
        "US.7",
    ),
    (
        "user_id_update",
        r#""user_id_update":[{"user_id":{"previous":"US.1","current":"US.7"}}]"#,
        "US.7",
    ),
    (
        "user_id_update",
        r#""user_id_update":[{"wa_id":"15550100001","user_id":{"previous":"US.1","current":"US.7"}}]"#,
        "15550100001",
    ),
    (
        "automatic_events",
        r#""automatic_events":[{"id":"1","event_name":"Lead","user_id":"US.7"}]"#,
        "US.7",
    ),
    ("a_field_of_tomorrow", r#""wa_id":"15550100001""#, "15550100001"),
    ("a_field_of_tomorrow", r#""user_id":"US.7""#, "US.7"),
    (
        "messaging_handovers",
        r#""sender":{"phone_number":"15550100001"}"#,
        "15550100001",
    ),
    ("messaging_handovers", r#""sender":{"user_id":"US.7"}"#, "US.7"),
];

#[test]
fn the_lane_is_the_customers_whichever_member_names_them() {
    for &(field, members, customer) in TABLE {
        let lane = Lane::of(PHONE, Some(customer));
        assert_ne!(
            lane,
            Lane::of(PHONE, None),
            "{customer} shows nothing: take another one"
        );
        let events = events(&body(field, &value(members)));
        let lanes: Vec<_> = events.iter().map(|event| event.lane).collect();
        assert_eq!(lanes, [lane], "{field} {members}");
    }
}
