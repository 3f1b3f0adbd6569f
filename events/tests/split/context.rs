//! What stands beside an element: its contact, its lane, its context.

use std::collections::HashSet;

use super::build::{data, entry, events, messages, sample};

const ANA: &str = r#"{"profile":{"name":"Ana"},"wa_id":"15550100001","user_id":"US.1"}"#;
const BEN: &str = r#"{"profile":{"name":"Ben"},"wa_id":"15550100002"}"#;
const CLEO: &str = r#"{"profile":{"name":"Cleo"},"user_id":"US.3"}"#;

/// The name in each element's contact, `-` without one.
fn names(contacts: &[&str], elements: &str) -> String {
    let body = messages(&format!(r#""contacts":[{}],{elements}"#, contacts.join(",")));
    let name = |event| match data(event).contact_raw() {
        Some(raw) if raw.get().contains("Ana") => "Ana",
        Some(raw) if raw.get().contains("Ben") => "Ben",
        Some(raw) if raw.get().contains("Cleo") => "Cleo",
        Some(_) => "?",
        None => "-",
    };
    events(&body).iter().map(name).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_contact_goes_to_its_own_elements() {
    let elements = r#""messages":[{"id":"1","from":"15550100002"},{"id":"2","from_user_id":"US.3"},
        {"id":"3","from":"15550100001"},{"id":"4","from":"15550100009"},{"id":"5"}],
        "statuses":[{"id":"6","status":"sent","recipient_id":"15550100001"},
        {"id":"7","status":"sent","recipient_user_id":"US.3"}],"errors":[{"code":1}]"#;
    assert_eq!(names(&[ANA, BEN, CLEO], elements), "Ben Cleo Ana - - Ana Cleo -");
}

#[test]
fn the_user_id_counts_before_the_phone() {
    let elements = r#""messages":[{"id":"1","from":"15550100002","from_user_id":"US.1"}]"#;
    assert_eq!(names(&[BEN, ANA], elements), "Ana");
    let bens = r#"{"name":"Ben","user_id":"US.2","wa_id":"15550100001"}"#;
    let message = r#""messages":[{"id":"1","from":"15550100001","from_user_id":"US.1"}]"#;
    assert_eq!(names(&[bens, ANA], message), "Ana");
    assert_eq!(
        names(&[bens], message),
        "-",
        "one phone, two users: somebody else by now"
    );
}

#[test]
fn a_wrong_contact_is_never_attached() {
    for elements in [
        r#""messages":[{"id":"1","from":"15550100009"}]"#,
        r#""messages":[{"id":"1","from_user_id":"US.9","from":"15550100009"}]"#,
        // Nothing says which of the two clicked.
        r#""user_actions":[{"type":"click"}],"errors":[{"code":1}]"#,
    ] {
        let found = names(&[ANA], elements);
        assert!(!found.contains("Ana"), "{elements}: {found}");
    }
    // One contact and one element without an id in common: nobody else can be meant.
    assert_eq!(names(&[ANA], r#""user_actions":[{"type":"click"}]"#), "Ana");
    assert_eq!(
        names(&[CLEO], r#""messages":[{"id":"1","from":"15550100009"}]"#),
        "Cleo"
    );
    assert_eq!(names(&[CLEO, BEN], r#""user_actions":[{"type":"click"}]"#), "-");
}

#[test]
fn a_contact_keeps_its_bytes() {
    let contact = r#"{ "wa_id" : 15550100001, "profile":{"name":"Jos\u00e9 \ud83d\ude00"},"new":1.0}"#;
    let body = messages(&format!(
        r#""contacts":[{contact}],"messages":[{{"id":"1","from":"15550100001"}}]"#
    ));
    assert_eq!(data(&events(&body)[0]).contact_raw().unwrap().get(), contact);
}

#[test]
fn odd_contacts_do_no_harm() {
    let elements = r#""messages":[{"id":"1","from":"15550100001"}]"#;
    assert_eq!(names(&["null", "1", "\"x\"", "[]", "{}", ANA], elements), "Ana");
    assert_eq!(names(&["null"], elements), "-");
    let twice = r#"{"wa_id":"15550100001","wa_id":"15550100001","profile":"Ana"}"#;
    assert_eq!(names(&[twice, BEN], elements), "Ana");
}

#[test]
fn the_contact_of_a_changed_user_id_may_still_have_the_former() {
    let event = &events(sample("user_id_update"))[0];
    assert!(data(event).contact().unwrap().is_some());
}

#[test]
fn a_group_members_contact_is_found_in_both_spellings() {
    for member in [
        r#""recipient_participant_id":"15550100002""#,
        r#""participant_recipient_id":"15550100002""#,
        r#""recipient_participant_user_id":"US.3""#,
    ] {
        let status = format!(
            r#""statuses":[{{"id":"1","status":"read","recipient_id":"G","recipient_type":"group",{member}}}]"#
        );
        assert_ne!(names(&[ANA, BEN, CLEO], &status), "-", "{member}");
    }
}

#[test]
fn one_customer_has_one_lane_whatever_meta_leaves_out() {
    // All about Ana Example; failed statuses, echoes and handovers name her phone only.
    let hers = [
        "text",
        "status_sent",
        "status_failed",
        "status_read",
        "system",
        "call_connect",
        "call_status_ringing",
        "message_echoes",
        "smb_message_echoes",
        "standby_messages",
        "standby_statuses",
        "standby_message_echoes",
        "history_media",
        "messaging_handovers",
        "user_preferences",
    ];
    let lanes: HashSet<_> = hers
        .iter()
        .map(|name| events(sample(name))[0].lane.as_char())
        .collect();
    assert_eq!(lanes.len(), 1);
    let threads: HashSet<_> = events(sample("history"))[..3]
        .iter()
        .map(|event| event.lane.as_char())
        .collect();
    assert_eq!(threads, lanes, "both directions of a thread");
    let groups = [
        "text_group",
        "status_group",
        "group_settings_update",
        "group_join_request",
    ];
    let lanes: HashSet<_> = groups
        .iter()
        .map(|name| events(sample(name))[0].lane.as_char())
        .collect();
    assert_eq!(lanes.len(), 1, "a group stays together");
    let lane = |contact: &str| {
        let body = messages(&format!(
            r#""contacts":[{contact}],"messages":[{{"id":"1","from_user_id":"US.1"}}]"#
        ));
        events(&body)[0].lane.as_char()
    };
    assert_ne!(
        lane(ANA),
        lane(CLEO),
        "the contact's phone counts before the user id"
    );
}

#[test]
fn what_metadata_says_beyond_the_number_is_kept() {
    let with = |metadata: &str| {
        let value = format!(r#"{{"metadata":{metadata},"messages":[{{"id":"1"}}]}}"#);
        let events = events(&super::build::body("messages", &value));
        let data = data(&events[0]);
        let kept = data.metadata_raw().map(|raw| raw.get().to_owned());
        (events.len(), data.phone_number_id().map(str::to_owned), kept)
    };
    let id = || Some("1".to_owned());
    assert_eq!(
        with(r#"{"phone_number_id":"1","display_phone_number":"2"}"#),
        (1, id(), None)
    );
    let more = r#"{"phone_number_id":1,"new": {"x":[]}}"#;
    assert_eq!(with(more), (1, id(), Some(more.into())));
    let twice = r#"{"phone_number_id":"1","phone_number_id":"2"}"#;
    assert_eq!(with(twice), (1, id(), Some(twice.into())));
    assert_eq!(with("5"), (2, None, None), "an event of its own");
}

#[test]
fn conversation_context_is_passed_on() {
    let summary = data(&events(sample("conversation_context"))[0])
        .conversation_context()
        .unwrap();
    assert!(summary.unwrap().summary.is_some());
}

#[test]
fn debug_tells_nothing_of_a_customer() {
    let odd = entry(r#"{"id":"1","changes":[{"value":{"from":"15550100001","name":"Ana Example"}}]}"#);
    for body in [sample("text"), sample("history"), &odd] {
        let split = super::build::parts(body);
        let debug = format!("{split:?}");
        assert!(
            !debug.contains("15550100001") && !debug.contains("Ana"),
            "{debug}"
        );
        for event in &split.events {
            let debug = format!("{event:?} {:?}", data(event));
            assert!(
                !debug.contains("15550100001") && !debug.contains("wamid"),
                "{debug}"
            );
        }
    }
}
