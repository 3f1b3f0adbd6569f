//! The two scalars that Meta writes now as a string and now as a number: a moment and an identifier.

use std::{fmt, ops::Deref};

use serde_json::Value;

use super::shape::Shape;

/// A moment, in whole seconds since 1970-01-01T00:00:00Z.
///
/// Messages carry it as a string, account fields as an integer; both are read, an integer is written
/// (Meta, Webhooks reference: messages, `account_update`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_seconds(self) -> i64 {
        self.0
    }

    /// The moment as RFC 3339 writes it, such as `2025-06-16T16:24:05Z`. `None` where the number lies outside
    /// the years -9999 to 9999 and so was no number of seconds.
    pub fn to_rfc3339(self) -> Option<String> {
        jiff::Timestamp::from_second(self.0)
            .ok()
            .map(|moment| moment.to_string())
    }
}

impl Shape for Timestamp {
    fn read(value: &Value) -> Option<Self> {
        i64::read(value).map(Self)
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

serde_by_shape!(Timestamp);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Whole seconds since 1970-01-01T00:00:00Z, as a number or as its digits.",
            "type": ["integer", "string"],
        })
    }
}

/// An identifier, whether Meta sent it as a string or as a number. It is never empty: before February 2026 Meta
/// sent an empty string for an identifier that it now omits (Meta, Business-scoped user IDs).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier as text, without copying it.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for Id {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Shape for Id {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) if !text.is_empty() => Some(Self(text.clone())),
            Value::Number(number) => Some(Self(number.to_string())),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

serde_by_shape!(Id);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An identifier; Meta writes some as a number. Empty means absent.",
            "type": ["string", "number"],
        })
    }
}
required!(Id);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_moment_is_read_from_a_string_and_from_an_integer() {
        let read = |json| serde_json::from_str::<Timestamp>(json).unwrap();
        assert_eq!(read("1750091045"), read(r#""1750091045""#));
        assert_eq!(read("1750091045").to_rfc3339().unwrap(), "2025-06-16T16:24:05Z");
        assert_eq!(Timestamp(i64::MAX).to_rfc3339(), None);
        assert!(serde_json::from_str::<Timestamp>(r#""soon""#).is_err());
    }

    #[test]
    fn an_id_is_read_from_both_and_is_never_empty() {
        let read = |json| serde_json::from_str::<Id>(json).ok();
        assert_eq!(read("1315502779341834"), read(r#""1315502779341834""#));
        assert_eq!(read("18446744073709551615").unwrap(), "18446744073709551615");
        assert_eq!((read(r#""""#), read("null"), read("true")), (None, None, None));
    }
}
