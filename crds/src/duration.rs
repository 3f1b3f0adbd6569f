//! A length of time as the resource spells it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration as StdDuration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A length of time: hours, minutes, seconds and milliseconds in this order, such as `24h`, `1h30m` or
/// `250ms`.
///
/// It holds the text. The API server refuses a wrong one, but an object stored before a rule was tightened
/// still has to be read: what it means is asked for with [`Duration::to_std`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(String);

/// A text that is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a length of time: write hours, minutes, seconds, milliseconds, for example 1h30m")]
pub struct DurationError(String);

/// The units in the order they are written, in milliseconds.
const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

impl Duration {
    /// Wraps a text without looking at it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the text means.
    ///
    /// # Errors
    /// When it is empty, has an unknown unit or units out of order, or is too long to count.
    pub fn to_std(&self) -> Result<StdDuration, DurationError> {
        parse(&self.0).ok_or_else(|| DurationError(self.0.clone()))
    }
}

fn parse(text: &str) -> Option<StdDuration> {
    let mut rest = (!text.is_empty()).then_some(text)?;
    // Searching on from the last unit found refuses units out of order.
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = tail;
    }
    Some(StdDuration::from_millis(millis))
}

impl From<&str> for Duration {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    /// Only the length is bounded here. The grammar is part of each field's rule (`rules::duration`), which
    /// has a message.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 32 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_and_what_they_mean() {
        for (text, millis) in [
            ("24h", 86_400_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("5m", 300_000),
            ("1h2m3s4ms", 3_723_004),
            ("0s", 0),
            ("90s", 90_000),
        ] {
            assert_eq!(
                Duration::from(text).to_std().unwrap().as_millis(),
                millis,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_a_length_of_time() {
        for text in [
            "",
            "10",
            "h",
            "7d",
            "-5s",
            "1.5h",
            "30m1h",
            "5s5s",
            "1h 30m",
            "5S",
            "99999999999999999999h",
        ] {
            let error = Duration::from(text).to_std().unwrap_err();
            assert!(error.to_string().contains("for example 1h30m"), "{text}");
        }
    }
}
