//! From what the types are to what they read: the rules of [`model`](crate::model) as JSON Schema has them.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

/// Makes every schema as lenient as reading is.
#[derive(Debug, Clone)]
pub(super) struct Loose;

impl Transform for Loose {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        numbers_may_be_strings(schema);
        lists_may_be_absent(schema);
        members_may_be_null(schema);
        plain(schema);
    }
}

fn numbers_may_be_strings(schema: &mut Schema) {
    let mut kinds = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) => vec![kind.clone()],
        None => return,
    };
    let is = |wanted: &[&str]| {
        kinds
            .iter()
            .any(|kind| kind.as_str().is_some_and(|kind| wanted.contains(&kind)))
    };
    if is(&["integer", "number", "boolean"]) && !is(&["string"]) {
        kinds.push("string".into());
        schema.insert("type".to_owned(), kinds.into());
        // Of a type of Rust, not of Meta's.
        schema.remove("format");
    }
}

fn lists_may_be_absent(schema: &mut Schema) {
    let properties = schema.get("properties").cloned().unwrap_or_default();
    let Some(Value::Array(required)) = schema.get_mut("required") else {
        return;
    };
    required.retain(|name| {
        let property = name.as_str().map(|name| &properties[name]);
        property.is_some_and(|property| property["items"].is_null())
    });
    if required.is_empty() {
        schema.remove("required");
    }
}

/// `null` is as good as absent. A required member may not be.
fn members_may_be_null(schema: &mut Schema) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        let is_required = required
            .as_array()
            .is_some_and(|names| names.iter().any(|n| n == name));
        match property.get_mut("type") {
            _ if is_required => {}
            Some(Value::String(kind)) if kind != "null" => {
                let both = json!([kind, "null"]);
                property["type"] = both;
            }
            Some(Value::Array(kinds)) if !kinds.iter().any(|kind| kind == "null") => {
                kinds.push("null".into());
            }
            _ => {}
        }
        if let Some(Value::Array(all)) = property.get_mut("allOf").filter(|_| !is_required)
            && let [shape] = &mut all[..]
        {
            let either = json!([shape, { "type": "null" }]);
            if let Some(property) = property.as_object_mut() {
                property.remove("allOf");
                property.insert("anyOf".to_owned(), either);
            }
        }
    }
}

/// A description without the line breaks of the source.
fn plain(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}
