//! What a consumer reads from payloads, good and bad.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn the_context_and_the_object_are_read_and_the_bytes_stay() {
    let payload = br#"{"waba_id":"1","phone_number_id":"2","display_phone_number":"15550100001",
        "contact":{"wa_id":"15550100002"},"history":{"phase":"1"},"thread":{"id":"15550100002"},"new":1,
        "message":{"id":"wamid.A", "type":"text","text":{"body":"\u00e9\/"}}}"#;
    let data = EventData::parse(payload).unwrap();
    assert_eq!((data.waba_id(), data.phone_number_id()), (Some("1"), Some("2")));
    assert_eq!(data.display_phone_number(), Some("15550100001"));
    assert_eq!(data.thread().unwrap().unwrap().id.as_deref(), Some("15550100002"));
    assert!(!format!("{data:?}").contains("1555"));
    assert_eq!((data.portfolio_id(), data.kind()), (None, ObjectKind::Message));
    assert_eq!(data.history().unwrap().unwrap().phase, Some(1));
    assert!(data.contact().unwrap().unwrap().is("15550100002"));
    assert_eq!(
        data.raw().get(),
        r#"{"id":"wamid.A", "type":"text","text":{"body":"\u00e9\/"}}"#
    );
    assert_eq!(data.message().unwrap().unwrap().id, "wamid.A");
    assert!(data.status().unwrap().is_none());
    assert!(data.value().is_none());
}

#[test]
fn a_null_object_is_an_object() {
    let data = EventData::parse(br#"{"value":null}"#).unwrap();
    assert_eq!(data.value().unwrap().get(), "null");
    assert_eq!(
        data.field_value(&Family::from("tracking_events")),
        Some(FieldValue::Unknown(().into()))
    );
}

#[test]
fn what_is_no_event_is_refused_without_a_word_of_it() {
    let error = |payload: &[u8]| EventData::parse(payload).unwrap_err();
    assert_eq!(error(b"{}"), DataError::NoObject);
    assert_eq!(
        error(br#"{"status":{},"value":1}"#),
        DataError::TwoObjects("status", "value")
    );
    for payload in [
        &b"secret"[..],
        b"\"secret\"",
        b"{\"message\":secret}",
        b"\xff",
        b"",
    ] {
        let error = error(payload);
        assert!(matches!(error, DataError::NotEventData { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
    let data = EventData::parse(br#"{"message":{"from":"secret"}}"#).unwrap();
    assert_eq!(data.message().unwrap_err(), DataError::Shape("message"));
}
