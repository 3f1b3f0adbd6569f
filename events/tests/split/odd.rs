//! What Meta does not document: published as it came, next to its neighbours.

use wahook_events::{Malformed, Reason, split};

use super::build::{body, change, distinct_ids, entry, events, messages, names, parts, raws, value};

const ODD: [&str; 7] = ["null", "7", "1.0e3", "\"text\"", "[]", "[[1]]", "{}"];

#[test]
fn an_odd_element_hides_no_neighbour() {
    let good = r#"{"id":"wamid.A","status":"sent","event":"connect","type":"text"}"#;
    for (field, list) in [
        ("messages", "messages"),
        ("messages", "statuses"),
        ("messages", "errors"),
        ("messages", "user_actions"),
        ("calls", "calls"),
        ("calls", "statuses"),
        ("message_echoes", "message_echoes"),
        ("group_settings_update", "groups"),
        ("smb_app_state_sync", "state_sync"),
        ("user_preferences", "user_preferences"),
        ("user_id_update", "user_id_update"),
        ("automatic_events", "automatic_events"),
    ] {
        let mut elements = ODD.to_vec();
        elements.insert(3, good);
        let events = events(&body(
            field,
            &value(&format!(r#""{list}":[{}]"#, elements.join(" , "))),
        ));
        assert_eq!(raws(&events), elements, "{field}.{list}");
        assert_eq!(distinct_ids(&events), elements.len(), "{field}.{list}");
    }
}

#[test]
fn an_array_that_is_none_becomes_an_event_of_its_own() {
    for odd in ["null", "7", "\"text\"", "{\"id\":\"x\"}"] {
        let events = events(&messages(&format!(
            r#""messages":{odd},"statuses":[{{"id":"1","status":"sent"}}]"#
        )));
        assert_eq!(names(&events), ["statuses.sent", "messages._"], "{odd}");
        assert_eq!(raws(&events)[1], odd);
    }
    let events = events(&messages(r#""contacts":{"wa_id":"1"},"messages":[{"id":"1"}]"#));
    assert_eq!(names(&events), ["messages._", "contacts._"]);
}

#[test]
fn a_value_that_is_no_object_is_published_whole() {
    for odd in ODD {
        for field in ["messages", "standby", "history", "calls", "security", "brand_new"] {
            let events = events(&body(field, odd));
            assert_eq!(
                (names(&events), raws(&events)),
                (vec![format!("{field}._")], vec![odd.into()]),
                "{field}"
            );
        }
    }
}

#[test]
fn unknown_members_of_a_value_get_their_own_names() {
    let found = events(&messages(
        r#""messages":[{"id":"1","type":"text"}],"hologram":{"a":[1]},"dead.letter":1"#,
    ));
    assert_eq!(
        names(&found),
        ["messages.text", "hologram._", "field_dead_letter._"]
    );
    assert_eq!(raws(&found)[1..], [r#"{"a":[1]}"#, "1"]);
    // Without any element, the whole value is the event.
    let value = value(r#""hologram":1"#);
    let found = events(&body("messages", &value));
    assert_eq!(
        (names(&found), raws(&found)),
        (vec!["messages._".into()], vec![value])
    );
}

#[test]
fn our_own_families_cannot_be_taken() {
    for (field, family) in [
        ("test", "field_test._"),
        ("quarantine", "field_quarantine._"),
        ("dead letter", "field_dead_letter._"),
    ] {
        assert_eq!(names(&events(&body(field, "{}"))), [family]);
    }
}

#[test]
fn repeated_members_lose_nothing() {
    let found = events(&messages(
        r#""messages":[{"id":"1"}],"statuses":[],"messages":[{"id":"2"}],"metadata":{"phone_number_id":"9"}"#,
    ));
    assert_eq!(raws(&found), [r#"{"id":"1"}"#, r#"{"id":"2"}"#]);
    assert_eq!(
        found[0].account.phone_number_id.as_deref(),
        Some(super::build::PHONE),
        "the first counts"
    );
    let twice = r#"{"id":"wamid.A","type":"text","id":"wamid.B"}"#;
    let found = events(&messages(&format!(r#""messages":[{twice}]"#)));
    assert_eq!(
        (names(&found), raws(&found)),
        (vec!["messages.text".into()], vec![twice.into()])
    );
    assert_eq!(found[0].natural_id.as_deref(), Some("wamid.A"));

    let changes = change("messages", &value(r#""messages":[{"id":"1"}]"#));
    let more = change("security", "{}");
    let found = events(&entry(&format!(
        r#"{{"id":"1","changes":[{changes}],"changes":[{more}]}}"#
    )));
    assert_eq!(names(&found), ["messages._", "security._"]);
    let found = events(&entry(
        r#"{"id":"1","changes":[{"field":"a","value":1,"value":2,"field":"b"}]}"#,
    ));
    assert_eq!(raws(&found), ["1", "2", "\"b\""]);
}

#[test]
fn standby_is_one_level_deeper_and_nothing_beside_it_is_lost() {
    let inner = r#"{"messages":[{"id":"1","type":"text"}],"calls":[{"id":"c"}]}"#;
    let outer = value(&format!(
        r#""statuses":[{{"id":"2","status":"sent"}}],"standby":{inner},"new":1"#
    ));
    let found = events(&body("standby", &outer));
    assert_eq!(
        names(&found),
        ["standby.text", "standby.sent", "calls._", "new._"]
    );
    assert!(
        found
            .iter()
            .all(|event| event.account.token == super::build::PHONE)
    );
    let flat = events(&body(
        "standby",
        &value(r#""messages":[{"id":"1","type":"text"}]"#),
    ));
    assert_eq!(names(&flat), ["standby.text"]);
    assert_eq!(flat[0].id, found[0].id, "the same message");
}

#[test]
fn the_envelopes_odd_pieces_are_handed_back_beside_the_events() {
    let good = change("messages", &value(r#""messages":[{"id":"1","type":"text"}]"#));
    let entries = format!(
        r#""text",null,{{"id":"1"}},{{"id":"2","changes":[]}},{{"id":"3","changes":[7,{{"field":"x"}},{{"value":1}},
        {{"field":"","value":2}},{{"field":7,"value":8}},{good}]}},{{"id":"4","changes":"none"}}"#
    );
    let body = format!(r#"{{"new":{{"a":1}},"object":"whatsapp_business_account","entry":[{entries}]}}"#);
    let split = parts(&body);
    assert_eq!(names(&split.events), ["7._", "messages.text", "changes._"]);
    let unusable: Vec<_> = split
        .unusable
        .iter()
        .map(|piece| (piece.reason, piece.raw.get()))
        .collect();
    assert_eq!(
        unusable,
        [
            (Reason::EntryNotAnObject, "\"text\""),
            (Reason::EntryNotAnObject, "null"),
            (Reason::EntryWithoutChanges, r#"{"id":"1"}"#),
            (Reason::EntryWithoutChanges, r#"{"id":"2","changes":[]}"#),
            (Reason::ChangeWithoutField, "7"),
            (Reason::ChangeWithoutField, r#"{"field":"x"}"#),
            (Reason::ChangeWithoutField, r#"{"value":1}"#),
            (Reason::ChangeWithoutField, r#"{"field":"","value":2}"#),
            (Reason::UnknownMember, r#"{"a":1}"#),
        ]
    );
}

#[test]
fn an_entry_without_changes_is_never_silently_nothing() {
    let split = parts(r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[]}]}"#);
    assert_eq!((split.events.len(), split.unusable.len()), (0, 1));
}

#[test]
fn what_is_no_envelope_is_refused_as_a_whole() {
    let reason = |body: &[u8]| split(body).unwrap_err();
    for not_json in [
        &b""[..],
        b" ",
        b"\xef\xbb\xbf",
        b"nothing",
        b"{\"object\":",
        b"{} {}",
        b"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[]}]}x",
        b"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"\xff\",\"changes\":[]}]}",
        b"{\"object\":\"whatsapp_business_account\",\"entry\":[\"\xc3\x28\"]}",
        b"\xff\xfe{\x00}\x00",
    ] {
        assert_eq!(reason(not_json), Malformed::NotJson, "{not_json:?}");
    }
    for none in [
        "null",
        "[]",
        "7",
        "{}",
        r#"{"entry":{}}"#,
        r#"{"object":"whatsapp_business_account","entry":[]}"#,
    ] {
        assert_eq!(reason(none.as_bytes()), Malformed::NotAnEnvelope, "{none}");
    }
    assert_eq!(
        reason(br#"{"object":"page","entry":[{"id":"1"}]}"#),
        Malformed::OtherObject
    );
}
