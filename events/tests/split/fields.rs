//! Every field of Meta's: family, type, account, data key and how many events.

use wahook_events::received::ObjectKind::{self, Call, Error, Message, Status, UserAction, Value};
use wahook_events::{Origin, samples};

use super::build::{PHONE, WABA, body, change, data, entry, events, names, sample, value};

/// Sample, its events as `family.kind`, the account, and the data key of the first.
const TABLE: &[(&str, &str, &str, ObjectKind)] = &[
    ("text", "messages.text", PHONE, Message),
    ("edit", "messages.edit", PHONE, Message),
    ("revoke", "messages.revoke", PHONE, Message),
    ("system", "messages.system", PHONE, Message),
    (
        "new_message_type",
        "messages.holographic_greeting",
        PHONE,
        Message,
    ),
    ("status_delivered", "statuses.delivered", PHONE, Status),
    ("status_new", "statuses.teleported", PHONE, Status),
    ("errors", "errors.130429 errors.131000", PHONE, Error),
    (
        "user_actions",
        "user_actions.marketing_messages_link_click",
        PHONE,
        UserAction,
    ),
    ("message_echoes", "message_echoes.text", PHONE, Message),
    ("smb_message_echoes", "smb_message_echoes.text", PHONE, Message),
    (
        "smb_message_echoes_revoke",
        "smb_message_echoes.revoke",
        PHONE,
        Message,
    ),
    (
        "smb_app_state_sync",
        "smb_app_state_sync.contact smb_app_state_sync.contact",
        PHONE,
        Value,
    ),
    (
        "history",
        "history.text history.media_placeholder history.text history.text",
        PHONE,
        Message,
    ),
    ("history_declined", "history.2593109", PHONE, Error),
    ("history_media", "history.image", PHONE, Message),
    ("call_connect", "calls.connect", PHONE, Call),
    ("call_failed", "calls.terminate calls.138021", PHONE, Call),
    ("call_created", "calls.call_created", PHONE, Call),
    (
        "call_recording_available",
        "calls.call_recording_available",
        PHONE,
        Call,
    ),
    (
        "call_transcription_available",
        "calls.call_transcription_available",
        PHONE,
        Call,
    ),
    ("call_status_ringing", "calls.RINGING", PHONE, Status),
    (
        "account_settings_update",
        "account_settings_update.phone_number_settings",
        PHONE,
        Value,
    ),
    (
        "group_lifecycle_update",
        "group_lifecycle_update.group_create",
        PHONE,
        Value,
    ),
    (
        "group_participants_update",
        "group_participants_update.group_participants_add",
        PHONE,
        Value,
    ),
    (
        "group_settings_update",
        "group_settings_update.group_settings_update",
        PHONE,
        Value,
    ),
    (
        "group_status_update",
        "group_status_update.group_suspend",
        PHONE,
        Value,
    ),
    ("standby_messages", "standby.text", PHONE, Message),
    ("standby_statuses", "standby.delivered", PHONE, Status),
    ("standby_message_echoes", "standby.text", PHONE, Message),
    (
        "messaging_handovers",
        "messaging_handovers.control_passed",
        PHONE,
        Value,
    ),
    ("consumer_profile", "consumer_profile._", PHONE, Value),
    (
        "user_preferences",
        "user_preferences.marketing_messages",
        PHONE,
        Value,
    ),
    ("user_id_update", "user_id_update._", PHONE, Value),
    (
        "business_username_updates",
        "business_username_updates._",
        WABA,
        Value,
    ),
    (
        "automatic_events",
        "automatic_events.Purchase automatic_events.LeadSubmitted",
        PHONE,
        Value,
    ),
    (
        "message_template_status_update",
        "message_template_status_update.APPROVED",
        WABA,
        Value,
    ),
    (
        "message_template_quality_update",
        "message_template_quality_update._",
        WABA,
        Value,
    ),
    (
        "message_template_components_update",
        "message_template_components_update._",
        WABA,
        Value,
    ),
    (
        "template_category_update",
        "template_category_update._",
        WABA,
        Value,
    ),
    (
        "template_correct_category_detection",
        "template_correct_category_detection._",
        WABA,
        Value,
    ),
    (
        "template_performance_metrics",
        "template_performance_metrics._",
        WABA,
        Value,
    ),
    ("account_alerts", "account_alerts._", WABA, Value),
    ("account_review_update", "account_review_update._", WABA, Value),
    (
        "account_update_violation",
        "account_update.ACCOUNT_VIOLATION",
        WABA,
        Value,
    ),
    (
        "business_capability_update",
        "business_capability_update._",
        WABA,
        Value,
    ),
    (
        "phone_number_name_update",
        "phone_number_name_update._",
        WABA,
        Value,
    ),
    (
        "phone_number_quality_update",
        "phone_number_quality_update.THROUGHPUT_UPGRADE",
        WABA,
        Value,
    ),
    ("security", "security.PIN_RESET_REQUEST", WABA, Value),
    (
        "payment_configuration_update",
        "payment_configuration_update._",
        WABA,
        Value,
    ),
    (
        "partner_solutions",
        "partner_solutions.SOLUTION_CREATED",
        "_",
        Value,
    ),
    ("flows_status", "flows.FLOW_STATUS_CHANGE", WABA, Value),
    ("tracking_events", "tracking_events._", WABA, Value),
    ("unknown_field", "quantum_entanglement_update._", WABA, Value),
    ("no_changes", "changed_fields._", WABA, Value),
];

#[test]
fn every_field_is_split_as_the_table_says() {
    for (name, expected, account, kind) in TABLE {
        let events = events(sample(name));
        assert_eq!(names(&events).join(" "), *expected, "{name}");
        assert_eq!(data(&events[0]).kind(), *kind, "{name}");
        assert!(
            events.iter().all(|event| event.account.token == *account),
            "{name}"
        );
        assert!(events.iter().all(|event| event.origin == Origin::Live), "{name}");
        let phone = (*account == PHONE).then_some(PHONE);
        assert_eq!(events[0].account.phone_number_id.as_deref(), phone, "{name}");
        assert_eq!(data(&events[0]).phone_number_id(), phone, "{name}");
    }
}

#[test]
fn no_sample_is_lost_or_partly_unusable() {
    for sample in samples::ALL {
        assert!(!events(sample.body).is_empty(), "{}", sample.name);
    }
}

#[test]
fn a_portfolio_is_not_taken_for_a_waba() {
    let partner = &events(sample("account_update_partner_added"))[0];
    let partner = data(partner);
    assert_eq!(
        (partner.waba_id(), partner.portfolio_id()),
        (Some(WABA), Some("415005501000001"))
    );
    let solution = data(&events(sample("partner_solutions"))[0]);
    assert_eq!(
        (solution.waba_id(), solution.portfolio_id()),
        (None, Some("415005501000001"))
    );
    let text = data(&events(sample("text"))[0]);
    assert_eq!((text.waba_id(), text.portfolio_id()), (Some(WABA), None));
}

#[test]
fn several_entries_changes_and_arrays_in_one_body() {
    let both = value(
        r#""statuses":[{"id":"wamid.S1","status":"sent"},{"id":"wamid.S2","status":"read"}],
           "messages":[{"id":"wamid.M1","type":"text"},{"id":"wamid.M2","type":"image"}],"errors":[{"code":1}]"#,
    );
    let template = change("message_template_status_update", r#"{"event":"PAUSED"}"#);
    let entries = format!(
        r#"{{"id":"1","changes":[{},{template}]}},{{"id":2,"time":"1751247845","changes":[{template}]}}"#,
        change("messages", &both)
    );
    let events = events(&entry(&entries));
    assert_eq!(
        names(&events),
        [
            "statuses.sent",
            "statuses.read",
            "messages.text",
            "messages.image",
            "errors.1",
            "message_template_status_update.PAUSED",
            "message_template_status_update.PAUSED",
        ]
    );
    let accounts: Vec<_> = events.iter().map(|event| event.account.token.as_str()).collect();
    assert_eq!(accounts, [PHONE, PHONE, PHONE, PHONE, PHONE, "1", "2"]);
    assert_eq!(
        events[6].time,
        Some(1_751_247_845),
        "the entry's time, a string here"
    );
    assert_eq!(super::build::distinct_ids(&events), 7);
}

#[test]
fn times_are_metas_whatever_their_form() {
    let time = |member: &str| {
        let status = format!(r#"{{"id":"wamid.A","status":"sent"{member}}}"#);
        events(&super::build::messages(&format!(r#""statuses":[{status}]"#)))[0].time
    };
    assert_eq!(time(r#","timestamp":"1750091007""#), Some(1_750_091_007));
    assert_eq!(time(r#","timestamp":1750091007"#), Some(1_750_091_007));
    for odd in [
        "",
        r#","timestamp":"soon""#,
        r#","timestamp":{}"#,
        r#","timestamp":1.5"#,
        r#","timestamp":null"#,
    ] {
        assert_eq!(time(odd), None, "{odd}");
    }
    let settings = &events(sample("account_settings_update"))[0];
    assert_eq!(settings.time, Some(1_750_091_602));
}

#[test]
fn error_codes_are_collected_wherever_they_stand() {
    let codes = |name: &str| {
        events(sample(name))
            .iter()
            .flat_map(|e| e.error_codes.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes("errors"), [130_429, 131_000]);
    assert_eq!(codes("status_failed_no_storage"), [131_035]);
    assert_eq!(codes("unsupported"), [131_051]);
    assert_eq!(codes("history_declined"), [2_593_109]);
    assert!(codes("text").is_empty());
}

#[test]
fn the_dashboards_test_is_told_apart() {
    let test = &events(sample("dashboard_test"))[0];
    assert_eq!(test.origin, Origin::DashboardTest);
    assert_eq!(names(&events(sample("dashboard_test"))), ["messages.text"]);
    let integer = entry(&format!(r#"{{"id":0,"changes":[{}]}}"#, change("security", "{}")));
    assert_eq!(events(&integer)[0].origin, Origin::DashboardTest);
    assert_eq!(events(&body("security", "{}"))[0].origin, Origin::Live);
}

#[test]
fn an_account_is_known_by_what_is_there() {
    let account = |entries: &str| events(&entry(entries))[0].account.token.clone();
    assert_eq!(account(r#"{"changes":[{"field":"security","value":{}}]}"#), "_");
    assert_eq!(
        account(r#"{"id":"","changes":[{"field":"security","value":{}}]}"#),
        "_"
    );
    assert_eq!(
        account(r#"{"id":"1","changes":[{"field":"x","value":{"phone_number_id":7}}]}"#),
        "7"
    );
}
