//! How a type of the model is read from JSON and written back: leniently, and without losing a member.
//!
//! `serde`'s derive can reject a member or ignore it. The model needs a third way: keep what it does not
//! understand. [`Shape`] is that way for a value, [`Member`] for a member of an object, and the `object!` macro
//! declares a struct that follows both and implements `serde`'s traits through them.

use serde_json::{Map, Number, Value};

/// A type that can be read from a JSON value, if the value has its shape.
pub(crate) trait Shape: Sized {
    /// The typed value, or `None` where the shape is another one.
    fn read(value: &Value) -> Option<Self>;

    /// The JSON value, written as Meta writes it.
    fn write(&self) -> Value;
}

/// A type that can be a member of an object: a required value, an `Option` or a list.
pub(crate) trait Member: Sized {
    /// Takes the member out. `None` means that a required member is missing or has another shape.
    fn take(members: &mut Members<'_>, key: &'static str) -> Option<Self>;

    /// Puts the member in, unless it is empty.
    fn put(&self, key: &'static str, object: &mut Map<String, Value>);
}

/// The members of one object while it is read: what was understood is marked, the rest becomes `extra`.
pub(crate) struct Members<'a> {
    object: &'a Map<String, Value>,
    taken: Vec<&'a str>,
}

impl<'a> Members<'a> {
    /// The members of `value`, if it is an object.
    pub(crate) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(|object| Self {
            object,
            taken: Vec::with_capacity(object.len()),
        })
    }

    /// The value of a member, left where it is. `null` counts as absent.
    pub(crate) fn peek(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// The typed value of a member. One of another shape stays behind for [`Members::rest`].
    pub(crate) fn value<T: Shape>(&mut self, key: &str) -> Option<T> {
        let typed = T::read(self.peek(key)?)?;
        self.mark(key);
        Some(typed)
    }

    /// Whether a member has been understood already.
    pub(crate) fn is_taken(&self, key: &str) -> bool {
        self.taken.contains(&key)
    }

    /// Says that a member has been understood.
    pub(crate) fn mark(&mut self, key: &str) {
        if let Some((key, _)) = self.object.get_key_value(key) {
            self.taken.push(key);
        }
    }

    /// Everything that nobody took, apart from `null`s.
    pub(crate) fn rest(self) -> Map<String, Value> {
        let left = |(key, value): &(&String, &Value)| !value.is_null() && !self.is_taken(key);
        self.object
            .iter()
            .filter(left)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl<T: Shape> Member for Option<T> {
    fn take(members: &mut Members<'_>, key: &'static str) -> Option<Self> {
        Some(members.value(key))
    }

    fn put(&self, key: &'static str, object: &mut Map<String, Value>) {
        if let Some(value) = self {
            object.insert(key.to_owned(), value.write());
        }
    }
}

impl<T: Shape> Member for Vec<T> {
    fn take(members: &mut Members<'_>, key: &'static str) -> Option<Self> {
        Some(members.value(key).unwrap_or_default())
    }

    fn put(&self, key: &'static str, object: &mut Map<String, Value>) {
        if !self.is_empty() {
            object.insert(key.to_owned(), self.write());
        }
    }
}

/// Makes a type a required member: without it the whole object has another shape.
macro_rules! required {
    ($($type:ty),+ $(,)?) => {
        $(impl $crate::model::shape::Member for $type {
            fn take(members: &mut $crate::model::shape::Members<'_>, key: &'static str) -> Option<Self> {
                members.value(key)
            }

            fn put(&self, key: &'static str, object: &mut serde_json::Map<String, serde_json::Value>) {
                object.insert(key.to_owned(), $crate::model::shape::Shape::write(self));
            }
        })+
    };
}

required!(String, f64);

impl<T: Shape> Shape for Vec<T> {
    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }

    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }
}

impl<T: Shape> Shape for Box<T> {
    fn read(value: &Value) -> Option<Self> {
        T::read(value).map(Self::new)
    }

    fn write(&self) -> Value {
        T::write(self)
    }
}

impl Shape for Value {
    fn read(value: &Value) -> Option<Self> {
        Some(value.clone())
    }

    fn write(&self) -> Value {
        self.clone()
    }
}

impl Shape for String {
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }

    fn write(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Shape for bool {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Shape for i64 {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Number((*self).into())
    }
}

impl Shape for f64 {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok().filter(|number: &Self| number.is_finite()),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Number::from_f64(*self).map_or(Value::Null, Value::Number)
    }
}

/// Implements `serde`'s traits for a [`Shape`]. The error names the type and never the value.
macro_rules! serde_by_shape {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                $crate::model::shape::Shape::read(&value).ok_or_else(|| {
                    serde::de::Error::custom(concat!(
                        "this JSON does not have the shape of `",
                        stringify!($name),
                        "`"
                    ))
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::model::shape::Shape::write(self).serialize(serializer)
            }
        }
    };
}

pub(crate) use serde_by_shape;

/// Declares an object of Meta's: a struct whose members are read leniently, with what is left in `extra`.
///
/// `name: Type` reads the member of that name, `name: Type = "key"` the member `key`.
macro_rules! object {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $type:ty $(= $key:literal)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* $(#[cfg_attr(feature = "schema", schemars(rename = $key))])? pub $field: $type,)*
            /// What this version does not know, or what does not have its documented shape.
            #[cfg_attr(feature = "schema", schemars(skip))]
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        impl $crate::model::shape::Shape for $name {
            fn read(value: &serde_json::Value) -> Option<Self> {
                let mut members = $crate::model::shape::Members::of(value)?;
                Some(Self {
                    $($field: $crate::model::shape::Member::take(&mut members, object!(@key $field $($key)?))?,)*
                    extra: members.rest(),
                })
            }

            fn write(&self) -> serde_json::Value {
                let mut object = self.extra.clone();
                $($crate::model::shape::Member::put(&self.$field, object!(@key $field $($key)?), &mut object);)*
                serde_json::Value::Object(object)
            }
        }

        serde_by_shape!($name);
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

    use serde_json::{Value, json};

    object! {
        /// An object with a required, an optional and a renamed member and a list.
        pub struct Probe {
            /// Required.
            name: String,
            /// Optional.
            count: Option<i64>,
            /// Renamed.
            kind: Option<String> = "type",
            /// A list.
            marks: Vec<i64>,
        }
    }

    #[test]
    fn what_is_not_understood_is_kept_and_written_back() {
        let given = json!({"name": "a", "count": {"odd": 1}, "type": "t", "marks": ["1", true], "new": [1]});
        let probe: Probe = serde_json::from_value(given.clone()).unwrap();
        assert_eq!(
            (probe.count, probe.kind.as_deref(), probe.marks.len()),
            (None, Some("t"), 0)
        );
        assert_eq!(probe.extra.keys().collect::<Vec<_>>(), ["count", "marks", "new"]);
        assert_eq!(serde_json::to_value(&probe).unwrap(), given);
    }

    #[test]
    fn null_is_absent_and_numbers_may_be_strings() {
        let probe: Probe =
            serde_json::from_value(json!({"name": "a", "count": "7", "type": null, "marks": [1, "2"]}))
                .unwrap();
        assert_eq!(
            (probe.count, probe.kind, probe.marks),
            (Some(7), None, vec![1, 2])
        );
        assert!(probe.extra.is_empty());
    }

    #[test]
    fn a_missing_required_member_fails_and_the_error_holds_no_value() {
        for given in [
            json!({"name": 5, "type": "secret"}),
            json!({}),
            json!("secret"),
            Value::Null,
        ] {
            let error = serde_json::from_value::<Probe>(given).unwrap_err().to_string();
            assert_eq!(error, "this JSON does not have the shape of `Probe`");
        }
    }
}
