//! The derived schema made tidy: what the derive adds without need is taken out again.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// Tidies a schema and all below it.
///
/// * No `nullable`: a `null` then counts as absent everywhere, and `has()` in a rule means what it says.
/// * No `title`, which repeats the name of a type.
/// * An object's default is `{}` where its fields have defaults themselves, so that each default is written
///   once.
pub(crate) fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.title = None;
    for child in schema.properties.iter_mut().flat_map(|all| all.values_mut()) {
        tidy(child);
    }
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => tidy(items),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(tidy),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        tidy(values);
    }
    if schema.default.is_some() && schema.default.as_ref().map(|JSON(value)| value) == Some(&filled(schema)) {
        schema.default = Some(JSON(Value::Object(Map::new())));
    }
}

/// What the API server makes of `{}`: an object with the default of every field that has one.
fn filled(schema: &JSONSchemaProps) -> Value {
    let fields = schema.properties.iter().flatten().filter_map(|(name, field)| {
        let JSON(default) = field.default.as_ref()?;
        let value = match default {
            Value::Object(map) if map.is_empty() => filled(field),
            value => value.clone(),
        };
        Some((name.clone(), value))
    });
    Value::Object(fields.collect())
}

/// Bounds the values of a map to the length of a label's value.
pub(crate) fn short_values(schema: &mut Schema) {
    bound_values(schema, 63);
}

/// Bounds the values of a map to what an annotation reasonably holds.
pub(crate) fn long_values(schema: &mut Schema) {
    bound_values(schema, 4096);
}

/// Without a bound the API server must assume the worst when it estimates what a rule costs.
fn bound_values(schema: &mut Schema, longest: u32) {
    if let Some(Value::Object(values)) = schema.get_mut("additionalProperties") {
        values.insert("maxLength".to_owned(), json!(longest));
    }
}
