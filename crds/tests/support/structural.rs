//! The part of JSON Schema that the definition uses, as the API server understands it.

use std::fmt::Display;

use serde_json::Value;

/// Everything about `value` that does not fit, each with its path.
pub(crate) fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    visit(schema, value, "", &mut found);
    found
}

fn visit(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let mut refuse = |problem: &dyn Display| found.push(format!("{path}: {problem}"));
    if schema["x-kubernetes-int-or-string"] == true {
        if !(value.is_i64() || value.is_string()) {
            refuse(&"must be of type int or string");
        }
        return;
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        other => panic!("{path} has type {other:?}, which this check does not know"),
    };
    if !fits {
        return refuse(&format!("must be of type {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        refuse(&"is not one of the supported values");
    }
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    let number = value.as_f64().unwrap_or_default();
    for (keyword, measured, smallest) in [
        ("minimum", number, true),
        ("maximum", number, false),
        ("minLength", count(length), true),
        ("maxLength", count(length), false),
        ("minItems", count(length), true),
        ("maxItems", count(length), false),
        ("maxProperties", count(length), false),
    ] {
        if let Some(bound) = schema[keyword].as_f64()
            && (if smallest {
                measured < bound
            } else {
                measured > bound
            })
        {
            refuse(&format!("breaks {keyword} {bound}"));
        }
    }
    match value {
        Value::Object(fields) => {
            for name in schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                if !fields.contains_key(name) {
                    found.push(format!("{}: Required value", join(path, name)));
                }
            }
            for (name, field) in fields {
                let known = schema["properties"]
                    .get(name)
                    .or_else(|| schema.get("additionalProperties"));
                if let Some(known) = known {
                    visit(known, field, &join(path, name), found);
                }
            }
        }
        Value::Array(items) => {
            let identities: Vec<Value> = match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => items.clone(),
                Some("map") => items.iter().map(|item| identity(schema, item)).collect(),
                _ => Vec::new(),
            };
            for (index, identity) in identities.iter().enumerate() {
                if identities[..index].contains(identity) {
                    refuse(&format!("duplicate value at {index}"));
                }
            }
            for (index, item) in items.iter().enumerate() {
                visit(&schema["items"], item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

#[allow(clippy::cast_precision_loss, reason = "test objects are small")]
fn count(length: usize) -> f64 {
    length as f64
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn identity(schema: &Value, item: &Value) -> Value {
    let keys = schema["x-kubernetes-list-map-keys"]
        .as_array()
        .into_iter()
        .flatten();
    keys.filter_map(Value::as_str)
        .map(|key| item[key].clone())
        .collect()
}
