//! Bodies of every family, changed where they can be changed and still be JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use wahook_events::{Event, split};

use super::{Target, bodies};

pub(super) const TARGET: Target = Target {
    name: "families",
    about: "a body of any family with values exchanged: its spelling changes no id, and it costs its neighbour nothing",
    seeds: bodies,
    run,
};

/// What values are exchanged for.
const ODD: [&str; 12] = [
    "null",
    "0",
    "-1",
    "1.5",
    "\"\"",
    "\"x\"",
    "[]",
    "{}",
    "[null]",
    "[[]]",
    "18446744073709551616",
    "\"\\u0000\"",
];

/// A neighbour that nothing is wrong with.
const NEIGHBOUR: &str = "text";

fn run(data: &[u8]) {
    let Ok(mut body) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    // Some inputs are changed at a place that they choose themselves; all else is the mutator's.
    let chosen = data.iter().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    if let Some(odd) = ODD.get(chosen % (2 * ODD.len())) {
        let count = body.to_string().matches([':', '[', ',']).count().max(1);
        let mut left = chosen / (2 * ODD.len()) % count;
        exchange(&mut body, &mut left, odd);
    }
    let (compact, spaced) = (body.to_string(), pretty(&body));
    let (Ok(compact_split), Ok(spaced_split)) = (split(compact.as_bytes()), split(spaced.as_bytes())) else {
        assert_eq!(
            split(compact.as_bytes()).is_ok(),
            split(spaced.as_bytes()).is_ok()
        );
        return;
    };
    assert_eq!(
        keys(&compact_split.events),
        keys(&spaced_split.events),
        "white space means nothing"
    );
    beside_a_neighbour(&body, &compact_split.events);
}

/// The neighbour's event is the same, whatever stands before it.
fn beside_a_neighbour(body: &Value, events: &[Event]) {
    let Some(good) = wahook_events::samples::get(NEIGHBOUR) else {
        return;
    };
    let Ok(neighbour) = serde_json::from_str::<Value>(good.body) else {
        return;
    };
    let (Some(entries), Some(more)) = (body["entry"].as_array(), neighbour["entry"].as_array()) else {
        return;
    };
    let together: Vec<_> = entries.iter().chain(more).collect();
    let text = json!({ "object": "whatsapp_business_account", "entry": together }).to_string();
    let alone = neighbour.to_string();
    let (Ok(together), Ok(alone)) = (split(text.as_bytes()), split(alone.as_bytes())) else {
        panic!("a body with a good entry was refused");
    };
    let last = together.events.len() - alone.events.len();
    assert!(
        together.events[last..] == alone.events[..],
        "the neighbour changed"
    );
    assert!(
        last <= events.len(),
        "{last} events before the neighbour, and {} alone",
        events.len()
    );
}

/// What says which event it is and where it goes.
fn keys(events: &[Event]) -> Vec<String> {
    let key = |event: &Event| {
        let mut key = String::new();
        // What Meta gave no id is told apart by the body it came in.
        if event.natural_id.is_some() {
            let _ = write!(key, "{} ", event.id);
        }
        let _ = write!(key, "{} {} {}", event.account.token, event.family, event.kind);
        let _ = write!(
            key,
            " {} {:?} {:?}",
            event.lane.as_char(),
            event.time,
            event.natural_id
        );
        key
    };
    events.iter().map(key).collect()
}

/// Replaces the value that is the `left`-th to be met.
fn exchange(value: &mut Value, left: &mut usize, odd: &str) -> bool {
    if *left == 0 {
        *value = serde_json::from_str(odd).unwrap_or_default();
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(list) => list.iter_mut().any(|value| exchange(value, left, odd)),
        Value::Object(members) => members.values_mut().any(|value| exchange(value, left, odd)),
        _ => false,
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
