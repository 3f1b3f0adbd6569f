//! Bodies for the tests, and what they were split into.

use std::collections::HashSet;

use wahook_events::received::EventData;
use wahook_events::{Event, Split, samples, split};

/// Phone number id and WABA of the bodies built here.
pub(crate) const PHONE: &str = "315005501000001";
pub(crate) const WABA: &str = "215005501000001";

/// A body of one change.
pub(crate) fn body(field: &str, value: &str) -> String {
    entry(&format!(
        r#"{{"id":"{WABA}","changes":[{}]}}"#,
        change(field, value)
    ))
}

pub(crate) fn entry(entries: &str) -> String {
    format!(r#"{{"object":"whatsapp_business_account","entry":[{entries}]}}"#)
}

pub(crate) fn change(field: &str, value: &str) -> String {
    format!(r#"{{"field":"{field}","value":{value}}}"#)
}

/// A value of a phone number with the given members.
pub(crate) fn value(members: &str) -> String {
    format!(
        r#"{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550100000","phone_number_id":"{PHONE}"}},{members}}}"#
    )
}

/// A change of the field `messages` with the given members.
pub(crate) fn messages(members: &str) -> String {
    body("messages", &value(members))
}

pub(crate) fn parts(body: &str) -> Split<'_> {
    split(body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body:.200}"))
}

/// The events of a body that holds nothing else.
pub(crate) fn events(body: &str) -> Vec<Event> {
    let split = parts(body);
    assert!(split.unusable.is_empty(), "{:?}", split.unusable);
    split.events
}

pub(crate) fn sample(name: &str) -> &'static str {
    samples::get(name)
        .unwrap_or_else(|| panic!("no sample {name}"))
        .body
}

pub(crate) fn data(event: &Event) -> EventData {
    EventData::parse(&event.data).unwrap()
}

/// Meta's bytes in each event, in order.
pub(crate) fn raws(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| data(event).raw().get().to_owned())
        .collect()
}

/// `family.kind` of each event, in order.
pub(crate) fn names(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| format!("{}.{}", event.family, event.kind);
    events.iter().map(name).collect()
}

pub(crate) fn distinct_ids(events: &[Event]) -> usize {
    events.iter().map(|event| event.id).collect::<HashSet<_>>().len()
}
