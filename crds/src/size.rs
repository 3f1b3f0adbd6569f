//! A number of bytes as the resource spells it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A number of bytes, with or without a binary suffix: `3Mi`, `64Ki`, `2Gi`, `1048576`.
///
/// A part of what Kubernetes accepts as a quantity: no fractions, no decimal suffixes. Like
/// [`Duration`](crate::Duration) it holds the text; [`Size::to_bytes`] says what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Size(String);

/// A text that is not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size: write a number of bytes, or one with Ki, Mi, Gi or Ti, for example 64Mi")]
pub struct SizeError(String);

/// The suffixes and their bytes.
const SUFFIXES: [(&str, i64); 4] = [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40)];

impl Size {
    /// Wraps a text without looking at it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the text means, in bytes.
    ///
    /// # Errors
    /// When it is empty, not a whole number, has an unknown suffix or does not fit.
    pub fn to_bytes(&self) -> Result<i64, SizeError> {
        parse(&self.0).ok_or_else(|| SizeError(self.0.clone()))
    }
}

fn parse(text: &str) -> Option<i64> {
    let (digits, unit) = SUFFIXES
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
        .unwrap_or((text, 1));
    // The parser would accept a sign.
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(digits)?
        .parse::<i64>()
        .ok()?
        .checked_mul(unit)
}

impl From<&str> for Size {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    /// Only the length is bounded here; the grammar and the range are part of each field's rule
    /// (`rules::size`).
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 16 })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_and_what_they_mean() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("3Mi", 3 << 20),
            ("64Ki", 64 << 10),
            ("2Gi", 2 << 30),
            ("1024Ti", 1 << 50),
        ] {
            assert_eq!(Size::from(text).to_bytes().unwrap(), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_size() {
        for text in [
            "",
            "Mi",
            "-1",
            "+1",
            "1.5Mi",
            "3M",
            "3 Mi",
            "3mi",
            "1e6",
            "9999999999Ti",
        ] {
            let error = Size::from(text).to_bytes().unwrap_err();
            assert!(error.to_string().contains("for example 64Mi"), "{text}");
        }
    }
}
