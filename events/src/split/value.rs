//! A change's value, taken apart: the arrays that hold events, the context around them, and whatever else is there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::catalog::List;
use super::shape::{Members, Name, Scalar, elements, scalar};

/// One member of an object: its name and Meta's bytes.
type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// The parts of a value.
#[derive(Default)]
pub(crate) struct Value<'a> {
    pub(crate) phone_number_id: Scalar<'a>,
    pub(crate) display_phone_number: Scalar<'a>,
    /// `metadata`, where it holds anything but the two members above.
    pub(crate) metadata: Option<&'a RawValue>,
    pub(crate) contacts: Vec<&'a RawValue>,
    pub(crate) conversation_context: Option<&'a RawValue>,
    /// The elements of each array the field is split by.
    pub(crate) lists: Vec<(&'static List, Vec<&'a RawValue>)>,
    /// Members that are neither context nor an array the field is split by.
    pub(crate) other: Vec<Member<'a>>,
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

    /// The value inside the member of that name, for a field that nests one level deeper: with the outer context where the
    /// inner has none, and with what else stood in the outer value. Without such an object inside, the value as it is.
    pub(crate) fn unwrap_member(self, name: &str, lists: &'static [List]) -> (Self, Vec<Member<'a>>) {
        let inside = self.other.iter().enumerate().find_map(|(place, (key, raw))| {
            let value = (key == name).then(|| Self::of(raw, lists)).flatten()?;
            Some((place, value))
        });
        let Some((place, mut inner)) = inside else {
            return (self, Vec::new());
        };
        let mut rest = self.other;
        rest.remove(place);
        if inner.phone_number_id.non_empty().is_none() {
            inner.phone_number_id = self.phone_number_id;
        }
        if inner.display_phone_number.non_empty().is_none() {
            inner.display_phone_number = self.display_phone_number;
        }
        inner.metadata = inner.metadata.or(self.metadata);
        inner.conversation_context = inner.conversation_context.or(self.conversation_context);
        inner.contacts.extend(self.contacts);
        inner.lists.extend(self.lists);
        (inner, rest)
    }

    fn member_by_member(members: Members<'a>, lists: &'static [List]) -> Self {
        let mut value = Self::default();
        for (name, raw) in members.0 {
            let list = lists.iter().find(|list| list.name == name);
            match (list, elements(raw)) {
                (Some(list), Some(elements)) => value.lists.push((list, elements)),
                (Some(_), None) => value.other.push((name, raw)),
                (None, _) => value.member(name, raw),
            }
        }
        value
    }

    /// Takes a member that is no list: it gives context to the elements, or is kept with the others when it is not known to or does
    /// not have the shape of context.
    fn member(&mut self, name: Cow<'a, str>, raw: &'a RawValue) {
        let taken = match name.as_ref() {
            "metadata" => self.metadata(raw),
            "contacts" => elements(raw).map(|contacts| self.contacts.extend(contacts)),
            "conversation_context" if self.conversation_context.is_none() => {
                self.conversation_context = Some(raw);
                Some(())
            }
            "phone_number_id" => fill(&mut self.phone_number_id, scalar(raw)),
            "display_phone_number" => fill(&mut self.display_phone_number, scalar(raw)),
            "messaging_product" => scalar(raw).as_str().map(|_| ()),
            _ => None,
        };
        if taken.is_none() {
            self.other.push((name, raw));
        }
    }

    fn metadata(&mut self, raw: &'a RawValue) -> Option<()> {
        let mut understood = true;
        for (name, member) in Members::of(raw)?.0 {
            let taken = match name.as_ref() {
                "phone_number_id" => fill(&mut self.phone_number_id, scalar(member)),
                "display_phone_number" => fill(&mut self.display_phone_number, scalar(member)),
                _ => None,
            };
            understood &= taken.is_some();
        }
        if !understood {
            if self.metadata.is_some() {
                return None;
            }
            self.metadata = Some(raw);
        }
        Some(())
    }
}

/// Sets what has no value yet; `None` when there was nothing to set or no room for it.
fn fill<'a>(slot: &mut Scalar<'a>, value: Scalar<'a>) -> Option<()> {
    value.as_str()?;
    if slot.non_empty().is_some() && slot.as_str() != value.as_str() {
        return None;
    }
    *slot = value;
    Some(())
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
        while let Some(Name(name)) = map.next_key()? {
            match self.lists.iter().find(|list| list.name == name) {
                Some(list) => value.lists.push((list, map.next_value()?)),
                None => value.member(name, map.next_value()?),
            }
        }
        Ok(value)
    }
}
