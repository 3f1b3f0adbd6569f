//! The published JSON object: the account context, then Meta's own bytes under one last key.

use serde_json::value::RawValue;

/// The members every event of a change begins with, written once per change.
pub(crate) struct Context {
    /// `"waba_id":"...","phone_number_id":"...","display_phone_number":"...",` without what Meta did not send.
    head: String,
}

impl Context {
    /// Context from the parts that Meta sent, in the order they are published.
    pub(crate) fn new(parts: &[(&str, Option<&str>)]) -> Self {
        let mut head = String::with_capacity(128);
        for (name, value) in parts {
            if let Some(value) = value {
                // Cannot fail: a string is always JSON.
                let quoted = serde_json::to_string(value).unwrap_or_default();
                member(&mut head, name, &quoted);
            }
        }
        Self { head }
    }

    /// One event's data: context, optional members, and last the object under its family's singular.
    pub(crate) fn data(&self, optional: &[(&str, Option<&str>)], object: &str, raw: &RawValue) -> Vec<u8> {
        let more: usize = optional
            .iter()
            .filter_map(|(k, v)| v.map(|v| k.len() + v.len() + 4))
            .sum();
        let size = self.head.len() + more + object.len() + raw.get().len() + 6;
        let mut data = String::with_capacity(size);
        data.push('{');
        data.push_str(&self.head);
        for (name, value) in optional {
            if let Some(value) = value {
                member(&mut data, name, value);
            }
        }
        data.push('"');
        data.push_str(object);
        data.push_str("\":");
        data.push_str(raw.get());
        data.push('}');
        data.into_bytes()
    }
}

fn member(out: &mut String, name: &str, json: &str) {
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
    out.push_str(json);
    out.push(',');
}
