//! Any signed body.

use serde::de::IgnoredAny;
use wahook_events::received::EventData;
use wahook_events::{Malformed, split};

use super::{Target, bodies};

pub(super) const TARGET: Target = Target {
    name: "envelope",
    about: "any body: refused as not JSON exactly when it is none; what comes out of it is JSON, and the same each time",
    seeds: bodies,
    run,
};

fn run(data: &[u8]) {
    let json = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let is_json = serde_json::from_slice::<IgnoredAny>(json).is_ok();
    let parts = match split(data) {
        Ok(parts) => parts,
        Err(Malformed::NotJson) => return,
        Err(_) => return assert!(is_json),
    };
    assert!(is_json);
    for event in &parts.events {
        assert!(
            serde_json::from_slice::<IgnoredAny>(&event.data).is_ok(),
            "{event:?}"
        );
        assert!(
            EventData::parse(&event.data).is_ok(),
            "a consumer can read {event:?}"
        );
    }
    assert!(
        parts.events.len() + parts.unusable.len() > 0,
        "a body is never nothing at all"
    );
    let again = split(data).map(|parts| parts.events);
    assert!(
        again.is_ok_and(|events| events == parts.events),
        "it splits the same way twice"
    );
}
