//! What is missing, new, odd or written another way stops nobody and is kept.

use serde_json::{Value, json};
use wahook_events::model::{MessageContent, StatusKind, TemplateStatusUpdate, Timestamp};

use crate::{changes, event, message, payload, plain, status, value};

#[test]
fn a_customer_without_a_number_is_still_a_customer() {
    let message = message("text_username");
    assert_eq!(
        (message.from.as_ref(), message.sender()),
        (None, Some("US.10000000000000000002"))
    );
    let contact = value("text_username").contacts.remove(0);
    assert!(contact.wa_id.is_none() && contact.is("US.10000000000000000002"));
    assert_eq!(status("status_username").recipient_id, None);
    let old = json!({"id": "wamid.A", "from": "", "type": "text", "text": {"body": ""}});
    assert_eq!(event("message", &old).message().unwrap().unwrap().from, None);
}

#[test]
fn strings_and_integers_are_the_same() {
    let string = message("text").timestamp.unwrap();
    assert_eq!(
        (string, message("numbers").timestamp),
        (Timestamp(1_750_091_007), Some(Timestamp(1_750_091_500)))
    );
    assert_eq!(string.to_rfc3339().unwrap(), "2025-06-16T16:23:27Z");
    assert_eq!(payload("numbers").entry[0].id, payload("text").entry[0].id);
    let MessageContent::Location(location) = message("numbers").content else {
        panic!()
    };
    assert_eq!(
        (location.latitude.to_bits(), location.longitude.to_bits()),
        (37.5_f64.to_bits(), (-122_f64).to_bits())
    );
    assert_eq!(value("errors").errors[1].code, Some(131_000));
    let template = changes(&payload("message_template_status_update"))
        .next()
        .unwrap()
        .value
        .clone()
        .unwrap();
    let template: TemplateStatusUpdate = event("value", &template).value_as().unwrap();
    assert_eq!(template.message_template_id.unwrap(), "1315005501000001");
}

#[test]
fn unknown_members_stay_where_they_were() {
    let envelope = payload("unknown_members");
    assert_eq!(envelope.entry[0].extra["region"], "x");
    let message = message("unknown_members");
    assert_eq!(message.extra["delivery_hint"], json!({"lane": 7}));
    let copy = serde_json::to_value(&message).unwrap();
    assert_eq!(
        (&copy["delivery_hint"]["lane"], &copy["text"]["mood"]),
        (&json!(7), &json!("sunny"))
    );
    assert_eq!(
        value("unknown_members").contacts[0].extra["badge"]["colour"],
        "green"
    );
    assert_eq!(
        status("status_new").status,
        StatusKind::Other("teleported".to_owned())
    );
}

#[test]
fn a_sub_object_of_another_shape_becomes_unknown_and_is_kept() {
    let text = message("odd_text");
    assert_eq!(text.content, MessageContent::Unknown(json!("just a string")));
    assert_eq!(serde_json::to_value(&text).unwrap()["text"], "just a string");
    for (kind, object) in [
        ("text", json!({"body": 5})),
        ("image", json!([])),
        ("location", json!({"latitude": "north", "longitude": 1})),
        ("reaction", json!({"emoji": "x"})),
        ("contacts", json!({"name": "x"})),
        ("request_welcome", json!({"unexpected": true})),
        ("text", Value::Null),
    ] {
        let raw = json!({"id": "wamid.A", "type": kind, kind: object});
        let message = event("message", &raw).message().unwrap().unwrap();
        assert_eq!(message.content, MessageContent::Unknown(object), "{kind}");
        assert_eq!(
            plain(&serde_json::to_value(&message).unwrap()),
            plain(&raw),
            "{kind}"
        );
    }
}

#[test]
fn a_type_named_like_another_member_takes_nothing_away() {
    let raw = json!({"id": "wamid.A", "from": "15550100001", "type": "from"});
    let message = event("message", &raw).message().unwrap().unwrap();
    assert_eq!(message.from.as_ref().unwrap(), &"15550100001");
    assert_eq!(message.content, MessageContent::Unknown(Value::Null));
    assert_eq!(serde_json::to_value(&message).unwrap(), raw);
}

#[test]
fn one_odd_optional_member_stops_nobody() {
    let raw =
        json!({"id": "wamid.A", "type": "text", "text": {"body": "Hi"}, "context": "odd", "errors": [{}, 1]});
    let message = event("message", &raw).message().unwrap().unwrap();
    assert!(message.context.is_none() && message.errors.is_empty());
    assert_eq!(serde_json::to_value(&message).unwrap(), raw);
}
