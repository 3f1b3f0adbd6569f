//! Addresses: subjects and headers of events, tests, quarantine and dead letters.

use wahook_events::contract::{
    Addressed, CONTENT_TYPE, DATA_SCHEMA, Destination, EXPECTED_STREAM, ID, MSG_ID, Publisher, RECEIVED,
    Request, SCHEMA, SUBJECT, TIME, TYPE,
};
use wahook_events::received::{Family, Headers};
use wahook_events::{Event, EventId};

use super::build::{events, messages, sample};

pub(crate) fn address(publisher: &Publisher, event: &Event, listed: bool) -> Addressed {
    let request = Request {
        publisher,
        stream: "stream",
        received: "2025-06-16T16:24:05.123Z",
    };
    request.event(event, Destination::of(event, listed), event.id)
}

fn publisher() -> Publisher {
    Publisher::new("whatsapp", "shop", "main")
}

fn get<'a>(addressed: &'a Addressed, name: &str) -> Option<&'a str> {
    let mut named = addressed.headers.iter().filter(|(header, _)| *header == name);
    let found = named.next().map(|(_, value)| value.as_str());
    assert!(named.next().is_none(), "{name} twice");
    found
}

fn headers(addressed: &Addressed) -> Headers<'_> {
    Headers::from_pairs(
        addressed
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    )
}

#[test]
fn an_event_is_addressed_by_its_own_family() {
    let event = &events(sample("text"))[0];
    let addressed = address(&publisher(), event, true);
    let lane = event.lane.as_char();
    assert_eq!(
        addressed.subject,
        format!("whatsapp.shop.main.315005501000001.messages.text.{lane}")
    );
    let id = event.id.to_string();
    assert_eq!(
        (get(&addressed, MSG_ID), get(&addressed, ID)),
        (Some(&*id), Some(&*id))
    );
    assert_eq!(get(&addressed, EXPECTED_STREAM), Some("stream"));
    assert_eq!(get(&addressed, TYPE), Some("com.whatsapp.messages.text"));
    assert_eq!(get(&addressed, TIME), Some("2025-06-16T16:23:27Z"));
    assert_eq!(get(&addressed, RECEIVED), Some("2025-06-16T16:24:05.123Z"));
    assert_eq!(get(&addressed, SCHEMA), Some(DATA_SCHEMA));
    assert_eq!(get(&addressed, SUBJECT), event.natural_id.as_deref());
    let headers = headers(&addressed);
    assert_eq!(
        (headers.family(), headers.kind()),
        (Some(Family::Messages), Some("text"))
    );
    assert_eq!(
        (headers.event_id(), headers.original_family()),
        (Some(&*id), None)
    );
}

#[test]
fn quarantine_and_test_keep_the_family_in_a_header() {
    let event = &events(sample("status_read"))[0];
    let quarantined = address(&publisher(), event, false);
    let id = event.id.to_string();
    assert!(quarantined.subject.contains(".quarantine.read."));
    assert_eq!(get(&quarantined, MSG_ID), Some(&*format!("q-{id}")));
    assert_eq!(get(&quarantined, ID), Some(&*id));
    let read = headers(&quarantined);
    assert_eq!(
        (read.family(), read.original_family()),
        (Some(Family::Quarantine), Some(Family::Statuses))
    );

    let test = &events(sample("dashboard_test"))[0];
    assert_eq!(
        Destination::of(test, false),
        Destination::Test,
        "a test is a test, listed or not"
    );
    let tested = address(&publisher(), test, false);
    assert!(
        tested
            .subject
            .starts_with("whatsapp.shop.main.123456123.test.text.")
    );
    assert_eq!(headers(&tested).original_family(), Some(Family::Messages));
}

#[test]
fn a_dead_letter_is_bytes_without_an_account() {
    let publisher = publisher();
    let request = Request {
        publisher: &publisher,
        stream: "stream",
        received: "2025-06-16T16:24:05.123Z",
    };
    let id = EventId::of_dead_letter(b"{");
    let letter = request.dead_letter("not_json", id);
    assert_eq!(id, EventId::of_bytes("dead_letter", b"{"));
    assert_eq!(letter.subject, "whatsapp.shop.main._.dead_letter.not_json.0");
    assert_eq!(get(&letter, CONTENT_TYPE), Some("application/octet-stream"));
    assert_eq!(get(&letter, MSG_ID), Some(&*id.to_string()));
    assert_eq!((get(&letter, SCHEMA), get(&letter, TIME)), (None, None));
    assert_ne!(id, EventId::of_dead_letter(b"["));
}

#[test]
fn what_cannot_stand_in_a_header_is_left_out() {
    let subject = |id: &str| {
        let event = &events(&messages(&format!(
            r#""messages":[{{"id":"{id}","timestamp":"99999999999999"}}]"#
        )))[0];
        let addressed = address(&publisher(), event, true);
        assert_eq!(get(&addressed, TIME), None, "beyond the year 9999");
        get(&addressed, SUBJECT).map(str::to_owned)
    };
    assert_eq!(subject("wamid.A=="), Some("wamid.A==".into()));
    for odd in ["a b", r"a\r\nX: y", r"a\u0000", "é", &"x".repeat(513)] {
        assert_eq!(subject(odd), None, "{odd}");
    }
}
