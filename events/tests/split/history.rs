//! History: one event per message, whatever the chunks look like.

use super::build::{WABA, body, change, data, distinct_ids, entry, events, names, raws, sample, value};

fn history(chunks: &str) -> String {
    body("history", &value(&format!(r#""history":{chunks}"#)))
}

#[test]
fn every_message_of_every_thread_is_an_event_with_its_thread() {
    let events = events(sample("history"));
    let threads: Vec<_> = events
        .iter()
        .map(|event| data(event).thread().unwrap().unwrap())
        .collect();
    let ids: Vec<_> = threads
        .iter()
        .map(|thread| thread.id.as_deref().unwrap())
        .collect();
    assert_eq!(ids, ["15550100001", "15550100001", "15550100001", "15550100002"]);
    assert!(threads.iter().all(|thread| thread.messages.is_empty()));
    assert!(
        data(&events[0])
            .thread_raw()
            .unwrap()
            .get()
            .contains("US.10000000000000000001")
    );
    for event in &events {
        assert_eq!(data(event).history().unwrap().unwrap().chunk_order, Some(1));
    }
    assert_eq!(distinct_ids(&events), 4);
}

#[test]
fn a_placeholder_and_its_media_are_two_events() {
    let placeholder = &events(sample("history"))[1];
    let media = &events(sample("history_media"))[0];
    assert_eq!(placeholder.natural_id, media.natural_id);
    assert_ne!(placeholder.id, media.id);
    let both = entry(&format!(
        r#"{{"id":"{WABA}","changes":[{},{}]}}"#,
        change(
            "history",
            &value(r#""history":[{"threads":[{"id":"1","messages":[{"id":"wamid.A"}]}]}]"#)
        ),
        change("history", &value(r#""history":[],"messages":[{"id":"wamid.A"}]"#)),
    ));
    let both = events(&both);
    assert_eq!((both.len(), distinct_ids(&both)), (2, 2));
    assert!(both.iter().all(|event| data(event).message().unwrap().is_some()));
}

#[test]
fn the_place_of_a_chunk_is_part_of_its_messages_keys() {
    let chunk = |metadata: &str| {
        let chunks = format!(
            r#"[{{"metadata":{metadata},"threads":[{{"id":"1","messages":[{{"id":"wamid.A"}}]}}]}}]"#
        );
        events(&history(&chunks))[0].id
    };
    let one = chunk(r#"{"phase":0,"chunk_order":1}"#);
    assert_eq!(one, chunk(r#"{ "chunk_order" : 1, "phase":0 }"#));
    assert_ne!(one, chunk(r#"{"phase":1,"chunk_order":1}"#));
    assert_ne!(one, chunk(r#"{"phase":0,"chunk_order":2}"#));
}

#[test]
fn odd_chunks_and_threads_hide_no_message() {
    let chunks = r#"[null, 7, {"metadata":{"phase":0}}, {"threads":"x","errors":[{"code":1}]},
        {"threads":[null,{"id":"1"},{"id":"2","messages":[]},{"id":"3","messages":{"id":"x"}},
            {"id":"4","messages":[null,{"id":"wamid.A","type":"text"},5]}],"new":{"a":1}}]"#;
    let body = history(chunks);
    let events = events(&body);
    let raws = raws(&events);
    for expected in [
        "null",
        "7",
        r#"{"metadata":{"phase":0}}"#,
        r#"{"code":1}"#,
        r#""x""#,
        r#"{"id":"1"}"#,
        r#"{"id":"2","messages":[]}"#,
        r#"{"id":"3","messages":{"id":"x"}}"#,
        r#"{"id":"wamid.A","type":"text"}"#,
        "5",
        r#"{"a":1}"#,
    ] {
        assert!(raws.iter().any(|raw| raw == expected), "{expected} in {raws:?}");
    }
    assert_eq!(distinct_ids(&events), events.len());
}

#[test]
fn a_history_that_is_none_is_kept_whole() {
    for value in [
        r#"{"history":[]}"#,
        r#"{"history":{}}"#,
        "{}",
        "5",
        "null",
        r#"[{"threads":[]}]"#,
    ] {
        let events = events(&body("history", value));
        assert_eq!(
            (names(&events), raws(&events)),
            (vec!["history._".into()], vec![value.into()])
        );
    }
}

#[test]
fn what_the_business_sent_belongs_to_whom_it_went_to() {
    let contact = r#"{"wa_id":"15550100001","profile":{"name":"Ana"}}"#;
    let message = r#"{"id":"wamid.A","from":"15550100000","to":"15550100001","type":"image"}"#;
    let members = format!(r#""contacts":[{contact}],"messages":[{message}]"#);
    let event = &events(&body("history", &value(&members)))[0];
    assert_eq!(data(event).contact_raw().unwrap().get(), contact);
}
