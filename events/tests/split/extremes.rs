//! Bytes as Meta wrote them, and bodies at the edge of what is possible.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::build::{body, data, distinct_ids, events, messages, names, raws, sample, value};

#[test]
fn metas_bytes_stay_as_they_are() {
    for raw in [
        r#"{"id":"1","text":{"body":"\u00e9 \ud83d\ude00 \/ \" \\ \b\f\n\r\t"}}"#,
        r#"{"id":"1","text":{"body":"é 😀 / \u2028"}}"#,
        r#"{"id":"1","n":[1.0,1e3,1E+3,-0,0.10,12345678901234567890123,1.7976931348623157e999]}"#,
        r#"{"z":1,"id":"1","a":2,"z":3}"#,
        "{ \"id\" :\t\"1\" ,\r\n \"a\" : [ ] }",
        r#"{"id":"1","\u0061":"\ud800"}"#,
    ] {
        assert_eq!(
            raws(&events(&messages(&format!(r#""messages":[ {raw} ]"#)))),
            [raw]
        );
        assert_eq!(raws(&events(&body("brand_new", raw))), [raw]);
    }
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    let text = sample("text");
    let marked = format!("\u{feff}{text}");
    assert_eq!(events(text), events(&marked));
}

#[test]
fn half_a_surrogate_pair_hides_nothing() {
    let message = r#"{"id":"wamid.A","type":"text","text":{"body":"cut \ud83d"},"\udc00":1}"#;
    let contact = r#"{"wa_id":"15550100001","profile":{"name":"\ud800"}}"#;
    let members = format!(r#""\ud800":1,"contacts":[{contact}],"messages":[{message},{{"id":"wamid.B"}}]"#);
    let found = events(&messages(&members));
    assert_eq!(raws(&found)[..2], [message, r#"{"id":"wamid.B"}"#]);
    assert_eq!(found[0].natural_id.as_deref(), Some("wamid.A"));
    assert_eq!(found.len(), 3, "the member without a name, too");
    let without_id = events(&messages(
        r#""messages":[{"id":"\ud800","type":"text"},{"id":"\udbff","type":"text"}]"#,
    ));
    assert_eq!(
        (names(&without_id)[0].as_str(), distinct_ids(&without_id)),
        ("messages.text", 2)
    );
    let member = |name: &str| events(&body("new", &format!(r#"{{"{name}":1}}"#)))[0].id;
    assert_ne!(member(r"\ud800"), member(r"\ud801"));
}

#[test]
fn a_hundred_thousand_levels_overflow_nothing() {
    const LEVELS: usize = 100_000;
    let arrays = format!("{}{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    let objects = format!("{}1{}", r#"{"id":"#.repeat(LEVELS), "}".repeat(LEVELS));
    for deep in [&arrays, &objects] {
        let element = format!(r#"{{"id":"1","type":{deep},"new":{deep}}}"#);
        for body in [
            messages(&format!(
                r#""messages":[{element}],"contacts":[{deep}],"statuses":{deep},"metadata":{deep}"#
            )),
            body("history", &value(&format!(r#""history":{deep}"#))),
            body("standby", &value(&format!(r#""standby":{deep}"#))),
            body("security", deep),
            format!(
                r#"{{"object":"whatsapp_business_account","entry":[{deep},{{"id":{deep},"changes":[{deep}]}}]}}"#
            ),
        ] {
            let split = super::build::parts(&body);
            assert!(!split.events.is_empty() || !split.unusable.is_empty());
            for event in &split.events {
                assert!(data(event).raw().get().starts_with(['{', '[']));
            }
        }
    }
}

/// Splits a body and says how long it took. Debug builds are slow: the limits in the tests below are for what is not
/// linear, which takes minutes.
fn timed(body: &str) -> (usize, Duration) {
    let start = Instant::now();
    let count = super::build::parts(body).events.len();
    (count, start.elapsed())
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn three_mebibytes_of_statuses_are_split_in_reasonable_time() {
    let mut statuses = String::new();
    for n in 0..1000 {
        let filler = "x".repeat(2_900);
        let comma = if n > 0 { "," } else { "" };
        write!(
            statuses,
            r#"{comma}{{"id":"wamid.{n}","status":"sent","timestamp":"1750091007","recipient_id":"{n}","new":"{filler}"}}"#
        )
        .unwrap();
    }
    let body = messages(&format!(r#""statuses":[{statuses}]"#));
    assert!(
        body.len() > 2_900_000 && body.len() < 3 * 1024 * 1024,
        "{}",
        body.len()
    );
    let (count, took) = timed(&body);
    assert_eq!(count, 1000);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn nothing_is_quadratic() {
    const MANY: usize = 30_000;
    let list = |element: &dyn Fn(usize) -> String| (0..MANY).map(element).collect::<Vec<_>>().join(",");
    let errors = list(&|_| r#"{"code":1}"#.into());
    let contacts = list(&|n| format!(r#"{{"wa_id":"{n}"}}"#));
    let of_contacts = list(&|n| format!(r#"{{"id":"{n}","from":"{}"}}"#, MANY - n));
    let members = list(&|n| format!(r#""m{n}":{n}"#));
    let without_id = list(&|n| format!("{{\"n\":{n}}}"));
    for (what, body) in [
        ("errors", messages(&format!(r#""errors":[{errors}]"#))),
        (
            "contacts",
            messages(&format!(r#""contacts":[{contacts}],"messages":[{of_contacts}]"#)),
        ),
        ("members", messages(&format!(r#"{members},"errors":[1]"#))),
        (
            "elements without an id",
            messages(&format!(r#""messages":[{without_id}]"#)),
        ),
        (
            "history",
            body(
                "history",
                &value(&format!(
                    r#""history":[{{"threads":[{{"messages":[{without_id}]}}]}}]"#
                )),
            ),
        ),
    ] {
        let (count, took) = timed(&body);
        assert!(count >= MANY, "{what}: {count}");
        assert!(took < SOON, "{what}: {took:?}");
    }
}
