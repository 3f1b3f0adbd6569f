//! What holds for every body, not only for those anybody thought of.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use wahook_events::contract::Publisher;
use wahook_events::received::EventData;
use wahook_events::{Event, samples, split};

use super::build::{body, change, distinct_ids, entry, events, raws, value};
use super::header::address;
use super::respell::respell;

/// What every event of any body has to be, wherever it came from.
fn is_sound(publisher: &Publisher, event: &Event, body: &[u8]) {
    let data = EventData::parse(&event.data).expect("the data is what a consumer reads");
    let raw = data.raw().get().as_bytes();
    let whole = std::str::from_utf8(&event.data).unwrap();
    assert!(
        whole.ends_with(&format!("{}}}", data.raw().get())),
        "the object is the last member"
    );
    assert!(
        body.windows(raw.len()).any(|window| window == raw),
        "Meta's own bytes"
    );
    for listed in [true, false] {
        let addressed = address(publisher, event, listed);
        let tokens: Vec<_> = addressed.subject.split('.').collect();
        assert_eq!(tokens.len(), 7, "{}", addressed.subject);
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(
            tokens
                .iter()
                .all(|token| !token.is_empty() && token.chars().all(legal)),
            "{}",
            addressed.subject
        );
        assert_eq!(tokens[6].len(), 1);
        for (name, value) in &addressed.headers {
            assert!(value.bytes().all(|b| (0x20..0x7f).contains(&b)), "{name}");
        }
    }
}

fn check(body: &[u8]) {
    let Ok(split) = split(body) else { return };
    assert!(
        !split.events.is_empty() || !split.unusable.is_empty(),
        "an accepted body is never nothing"
    );
    let publisher = Publisher::new("whatsapp", "shop", "main");
    for event in &split.events {
        is_sound(&publisher, event, body);
    }
}

fn any_sample() -> impl Strategy<Value = &'static str> {
    // The batch is ten times the size of the others and holds nothing else.
    let small = samples::ALL.iter().filter(|sample| sample.body.len() < 8_000);
    proptest::sample::select(small.map(|sample| sample.body).collect::<Vec<_>>())
}

/// JSON that nobody expects.
fn junk() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just("1e400".to_owned()),
        Just("-0.0".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let name = prop_oneof![
        any::<String>().prop_map(|name| serde_json::to_string(&name).unwrap()),
        proptest::sample::select(vec![
            "id", "type", "messages", "metadata", "contacts", "errors", "history", "standby"
        ])
        .prop_map(|name| format!("\"{name}\"")),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("{name}:{value}"));
        prop_oneof![
            vec(inner, 0..4).prop_map(|list| format!("[{}]", list.join(","))),
            vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// Where in a body a value may be exchanged: after a colon, a comma or a bracket.
fn places(body: &str) -> Vec<usize> {
    body.match_indices([':', '[']).map(|(at, _)| at + 1).collect()
}

/// An id and three flags that say which of two arrays an element stands in, and how.
fn elements() -> impl Strategy<Value = Vec<(usize, String)>> {
    const SHAPES: [&str; 6] = [
        r#"{"id":"wamid.N","type":"text","from":"15550100001"}"#,
        r#"{"id":"wamid.N", "status":"sent"}"#,
        r#"{"code":130429 ,"title":"N"}"#,
        r#"{"type":"click","n":N}"#,
        "N",
        r#"{"id":"wamid.same","n":N}"#,
    ];
    vec((0..4_usize, 0..SHAPES.len()), 0..12).prop_map(|picks| {
        let element =
            |(n, (list, shape)): (usize, (usize, usize))| (list, SHAPES[shape].replace('N', &n.to_string()));
        picks.into_iter().enumerate().map(element).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn arbitrary_bytes_never_panic(body in vec(any::<u8>(), 0..400)) {
        check(&body);
    }

    #[test]
    fn arbitrary_json_in_every_place_of_the_envelope(pieces in vec(junk(), 5)) {
        let [a, b, c, d, e] = pieces.try_into().unwrap();
        check(a.as_bytes());
        check(entry(&a).as_bytes());
        check(entry(&format!(r#"{{"id":{b},"time":{c},"changes":[{a},{{"field":"messages","value":{d}}}],"new":{e}}}"#)).as_bytes());
        for field in ["messages", "calls", "history", "standby", "user_preferences", "account_update"] {
            let members = format!(
                r#""messages":[{a}],"statuses":{b},"history":[{c},{{"threads":[{d},{{"messages":[{e}]}}]}}],"standby":{e},"contacts":[{a}]"#
            );
            check(body(field, &value(&members)).as_bytes());
            check(body(field, &d).as_bytes());
        }
    }

    #[test]
    fn damaged_samples_never_panic(
        sample in any_sample(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut body = sample.as_bytes().to_vec();
        for (at, byte) in flips {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        check(&body);
    }

    #[test]
    fn samples_with_junk_inside_stay_sound(sample in any_sample(), at in any::<prop::sample::Index>(), junk in junk()) {
        let places = places(sample);
        let at = places[at.index(places.len())];
        let (before, after) = sample.split_at(at);
        check(format!("{before}{junk},{after}").as_bytes());
        // In place of what stood there, when that was a string or a number.
        let after = after.trim_start();
        let end = after.find([',', '}', ']', '\n']).unwrap_or(after.len());
        check(format!("{before}{junk}{}", &after[end..]).as_bytes());
    }

    #[test]
    fn no_element_is_lost_or_invented(changes in vec(elements(), 1..5)) {
        let lists = ["messages", "statuses", "errors", "user_actions"];
        let mut expected = Vec::new();
        let of_one = |elements: &Vec<(usize, String)>| {
            let members = lists.iter().enumerate().map(|(place, list)| {
                let here = elements.iter().filter(|(list, _)| *list == place).map(|(_, raw)| raw.as_str());
                format!(r#""{list}":[{}]"#, here.collect::<Vec<_>>().join(", "))
            });
            change("messages", &value(&members.collect::<Vec<_>>().join(",")))
        };
        let bodies: Vec<_> = changes.iter().map(of_one).collect();
        for (elements, change) in changes.iter().zip(&bodies) {
            let mut here: Vec<_> = elements.clone();
            here.sort_by_key(|(list, _)| *list);
            if here.is_empty() {
                // A value without an element is one event.
                let whole: Value = serde_json::from_str(change).unwrap();
                expected.push(whole["value"].to_string());
            }
            expected.extend(here.into_iter().map(|(_, raw)| raw));
        }
        let found = raws(&events(&entry(&format!(r#"{{"id":"1","changes":[{}]}}"#, bodies.join(",")))));
        // A whole value is compared by its content.
        let plain = |raw: String| {
            let whole = raw.starts_with("{\"messaging_product\"");
            if whole { serde_json::from_str::<Value>(&raw).unwrap().to_string() } else { raw }
        };
        let found: Vec<_> = found.into_iter().map(plain).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn ids_do_not_depend_on_the_spelling(sample in any_sample(), new in any::<String>()) {
        // An error is known by its body, and a second array may come first in another order.
        prop_assume!(!sample.contains("\"errors\": [") && sample.matches("\"value\"").count() == 1);
        let mut ids: Vec<_> = events(sample).iter().map(|event| event.id).collect();
        let mut again: Vec<_> = events(&respell(sample)).iter().map(|event| event.id).collect();
        ids.sort_unstable();
        again.sort_unstable();
        prop_assert_eq!(&ids, &again);
        let text = serde_json::to_string(&new).unwrap();
        let message = |text: &str| {
            let message = format!(r#"{{"id":"wamid.A","new":{text},"type":"text"}}"#);
            events(&super::build::messages(&format!(r#""messages":[{message}]"#)))[0].id
        };
        prop_assert_eq!(message(&text), message("null"));
    }

    #[test]
    fn distinct_natural_keys_give_distinct_ids(
        keys in prop::collection::hash_set(("[a-c]{1,3}", "[a-c]{1,3}", prop::option::of("[a-c]{1,2}"), prop::option::of("[a-c]{1,2}")), 1..20),
    ) {
        let statuses = keys.iter().map(|(id, status, kind, who)| {
            let kind = kind.as_ref().map(|kind| format!(r#","type":"{kind}""#)).unwrap_or_default();
            let who = who.as_ref().map(|who| format!(r#","recipient_participant_id":"{who}""#)).unwrap_or_default();
            format!(r#"{{"id":"{id}","status":"{status}"{kind}{who}}}"#)
        });
        let statuses = statuses.collect::<Vec<_>>().join(",");
        let found = events(&super::build::messages(&format!(r#""statuses":[{statuses}]"#)));
        prop_assert_eq!(distinct_ids(&found), keys.len());
    }

    #[test]
    fn arbitrary_text_in_every_place_gives_a_legal_address(
        words in vec(any::<String>(), 8),
        plain in "[ -~]{0,80}",
    ) {
        let quoted: Vec<_> = words.iter().map(|word| serde_json::to_string(word).unwrap()).collect();
        let publisher = Publisher::new(&words[0], &words[1], &plain);
        let plain = serde_json::to_string(&plain).unwrap();
        let value = format!(
            r#"{{"metadata":{{"phone_number_id":{},"display_phone_number":{}}},"messages":[{{"id":{},"type":{},"from":{}}}],{}:1}}"#,
            quoted[2], plain, plain, quoted[3], quoted[4], quoted[5]
        );
        for field in [&quoted[6], &plain, &"\"messages\"".to_owned()] {
            let body = entry(&format!(r#"{{"id":{},"changes":[{{"field":{field},"value":{value}}}]}}"#, quoted[7]));
            for event in split(body.as_bytes()).unwrap().events {
                is_sound(&publisher, &event, body.as_bytes());
            }
        }
    }
}
