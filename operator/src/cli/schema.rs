//! What the API server would do to a resource, without one: defaults, then the schema, then the rules.

use std::fmt::Display;

use kube::core::cel::{Validator, apply_defaults};
use serde_json::Value;

/// The definition's schema.
pub struct Schema {
    root: Value,
}

impl Schema {
    /// That of the definition this program brings along.
    pub fn installed() -> Self {
        let crd = serde_json::json!(wahook_crds::crd());
        let root = crd.pointer("/spec/versions/0/schema/openAPIV3Schema");
        Self {
            root: root.cloned().unwrap_or_default(),
        }
    }

    /// Fills in the defaults.
    ///
    /// # Errors
    /// Every reason why the API server would refuse the resource. Rules run only on what fits the schema.
    pub fn admit(&self, resource: &Value) -> Result<Value, Vec<String>> {
        let mut filled = apply_defaults(&self.root, resource);
        // Defaults within a default.
        loop {
            let again = apply_defaults(&self.root, &filled);
            if again == filled {
                break;
            }
            filled = again;
        }
        let mut misfits = Vec::new();
        for section in ["spec", "status"] {
            if let Some(value) = filled.get(section) {
                visit(&self.root["properties"][section], value, section, &mut misfits);
            } else if section == "spec" {
                misfits.push("spec: is needed".to_owned());
            }
        }
        if !misfits.is_empty() {
            return Err(misfits);
        }
        match Validator::new().validate(&self.root, &filled, None) {
            Ok(()) => Ok(filled),
            // The message of a rule names its field.
            Err(errors) => Err(errors.iter().map(|error| error.message.clone()).collect()),
        }
    }
}

/// Notes everything about `value` that does not fit, each with its path.
fn visit(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let mut refuse = |problem: &dyn Display| found.push(format!("{path}: {problem}"));
    if schema["x-kubernetes-int-or-string"] == true {
        if !(value.is_i64() || value.is_string()) {
            refuse(&"must be a number or a text");
        }
        return;
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        let kind = schema["type"].as_str().unwrap_or_default();
        return refuse(&format!("must be of type {kind}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        refuse(&format!("must be one of {}", words.join(", ")));
    }
    bounds(schema, value, &mut refuse);
    match value {
        Value::Object(fields) => {
            let needed = schema["required"].as_array().into_iter().flatten();
            for name in needed.filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    found.push(format!("{path}.{name}: is needed"));
                }
            }
            for (name, field) in fields {
                let path = format!("{path}.{name}");
                let properties = schema.get("properties").and_then(|all| all.get(name));
                match properties.or_else(|| schema.get("additionalProperties")) {
                    Some(known) => visit(known, field, &path, found),
                    None => found.push(format!("{path}: there is no such field")),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let identity = identity(schema, item);
                if identity.is_some()
                    && items[..index]
                        .iter()
                        .any(|other| identity == self::identity(schema, other))
                {
                    found.push(format!("{path}[{index}]: repeats an earlier item"));
                }
                visit(&schema["items"], item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn bounds(schema: &Value, value: &Value, refuse: &mut dyn FnMut(&dyn Display)) {
    let number = value.as_i64();
    let length = match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(fields) => Some(fields.len()),
        _ => None,
    };
    let length = length.and_then(|length| i64::try_from(length).ok());
    for (keyword, measured, words) in [
        ("minimum", number, "must be at least"),
        ("minLength", length, "must have at least"),
        ("minItems", length, "must have at least"),
        ("maximum", number, "must be at most"),
        ("maxLength", length, "must have at most"),
        ("maxItems", length, "must have at most"),
        ("maxProperties", length, "must have at most"),
    ] {
        // The derive writes bounds as 1.0.
        #[allow(clippy::cast_possible_truncation, reason = "bounds are small whole numbers")]
        let bound = schema[keyword].as_f64().map(|bound| bound as i64);
        if let (Some(bound), Some(measured)) = (bound, measured)
            && (if keyword.starts_with("min") {
                measured < bound
            } else {
                measured > bound
            })
        {
            let unit = match keyword {
                "minLength" | "maxLength" => " characters",
                "minItems" | "maxItems" | "maxProperties" => " entries",
                _ => "",
            };
            refuse(&format!("{words} {bound}{unit}"));
        }
    }
}

/// What makes an item of a set or a map itself.
fn identity(schema: &Value, item: &Value) -> Option<Vec<Value>> {
    match schema["x-kubernetes-list-type"].as_str()? {
        "set" => Some(vec![item.clone()]),
        "map" => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array()?.iter();
            Some(
                keys.filter_map(Value::as_str)
                    .map(|key| item[key].clone())
                    .collect(),
            )
        }
        _ => None,
    }
}
