//! A change's value, taken apart: the arrays that hold events, the context around them, and whatever else is there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::catalog::{List, is_context};
use super::shape::{Members, Scalar, elements};

/// The parts of a value.
#[derive(Default)]
pub(crate) struct Value<'a> {
    pub(crate) phone_number_id: Scalar<'a>,
    pub(crate) display_phone_number: Scalar<'a>,
    pub(crate) contacts: Vec<&'a RawValue>,
    pub(crate) conversation_context: Option<&'a RawValue>,
    /// The elements of each array the field is split by.
    pub(crate) lists: Vec<(&'static List, Vec<&'a RawValue>)>,
    /// Members that are neither context nor an array the field is split by.
    pub(crate) other: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Value<'a> {
    /// Takes `raw` apart by the arrays of its field; `None` when it is not an object.
    pub(crate) fn of(raw: &'a RawValue, lists: &'static [List]) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(raw.get());
        match (Seed { lists }).deserialize(&mut reader) {
            Ok(value) => Some(value),
            // An array that is no array, say: once more, each member by itself.
            Err(_) => Some(Self::member_by_member(Members::of(raw)?, lists)),
        }
    }

    /// How many elements the arrays hold.
    pub(crate) fn count(&self) -> usize {
        self.lists.iter().map(|(_, elements)| elements.len()).sum()
    }

    fn member_by_member(members: Members<'a>, lists: &'static [List]) -> Self {
        let mut value = Self::default();
        for (name, raw) in members.0 {
            let list = lists.iter().find(|list| list.name == name);
            match (list, elements(raw)) {
                (Some(list), Some(elements)) => value.lists.push((list, elements)),
                (None, _) if is_context(&name) => value.context(name, raw),
                _ => value.other.push((name, raw)),
            }
        }
        value
    }

    fn context(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        match name.as_ref() {
            "metadata" => {
                let members = Members::of(raw).unwrap_or_default();
                self.phone_number_id = members.scalar("phone_number_id");
                self.display_phone_number = members.scalar("display_phone_number");
            }
            "contacts" => match elements(raw) {
                Some(contacts) => self.contacts.extend(contacts),
                None => self.other.push((name, raw)),
            },
            "conversation_context" => self.conversation_context = Some(raw),
            "phone_number_id" => self.phone_number_id = super::shape::scalar(raw),
            "display_phone_number" => self.display_phone_number = super::shape::scalar(raw),
            _ => {}
        }
    }
}

struct Seed {
    lists: &'static [List],
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut value = Value::default();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match self.lists.iter().find(|list| list.name == name) {
                Some(list) => value.lists.push((list, map.next_value()?)),
                None if is_context(&name) => value.context(name, map.next_value()?),
                None => value.other.push((name, map.next_value()?)),
            }
        }
        Ok(value)
    }
}
