//! From one body to many: new ids and a new time, everything else unchanged.

use super::Sample;

/// How Meta's ids of messages and calls begin, and the guide's placeholder for one.
const IDS: [&str; 3] = ["\"wamid.", "\"wacid.", "\"MESSAGE_ID"];

/// The keys whose value is the moment of an event; other times (`start_time`, `expiration_timestamp`) stay.
const TIMES: [&str; 2] = ["\"timestamp\"", "\"time\""];

/// The body of a sample as new events: `tag` goes into every id of a message or a call, wherever it stands, so
/// that references inside the body still fit. With `now`, the moments of the events become that number of
/// seconds since 1970.
///
/// The same tag gives the same body. Of the tag only letters, digits, `-` and `_` are used. The test from Meta's
/// dashboard keeps its constant ids, and events that have no id differ in their time only.
pub fn fresh(sample: &Sample, tag: &str, now: Option<i64>) -> String {
    let tag: String = tag
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    let body = IDS.into_iter().fold(sample.body.to_owned(), |body, id| {
        body.replace(id, &format!("{id}{tag}"))
    });
    match now {
        Some(now) => TIMES
            .into_iter()
            .fold(body, |body, key| with_time(&body, key, now)),
        None => body,
    }
}

/// Puts `now` in place of the digits that follow `key` and a colon; a string stays a string.
fn with_time(body: &str, key: &str, now: i64) -> String {
    let mut parts = body.split(key);
    let mut fresh = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        fresh.push_str(key);
        let digits_at = part
            .find(|c: char| !matches!(c, ' ' | ':' | '"'))
            .unwrap_or(part.len());
        let (before, rest) = part.split_at(digits_at);
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        fresh.push_str(before);
        if after.len() < rest.len() {
            fresh.push_str(&now.to_string());
        }
        fresh.push_str(after);
    }
    fresh
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const BODY: &str = r#"{"time": 12,"id":"wamid.AA","context":{"id":"wamid.AA"},"timestamp": "34",
        "call":{"id":"wacid.BB"},"guide":"MESSAGE_ID","start_time":56,"text":"the \"time\" is now"}"#;

    #[test]
    fn ids_become_new_everywhere_and_times_only_on_request() {
        let sample = Sample {
            name: "probe",
            body: BODY,
            about: "",
        };
        let same_time = fresh(&sample, "t-1\" \\", None);
        assert_eq!(same_time.matches("\"wamid.t-1AA\"").count(), 2);
        assert!(same_time.contains("\"wacid.t-1BB\"") && same_time.contains("\"MESSAGE_IDt-1\""));
        assert!(same_time.contains("\"time\": 12") && same_time.contains("\"timestamp\": \"34\""));

        let now = fresh(&sample, "t-1", Some(1_800_000_000));
        assert!(now.contains("\"time\": 1800000000,") && now.contains("\"timestamp\": \"1800000000\""));
        assert!(now.contains("\"start_time\":56") && now.contains(r#"the \"time\" is now"#));
        assert_eq!(fresh(&sample, "", None), BODY);
    }
}
