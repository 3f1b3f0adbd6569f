//! The derived schema made tidy: what the derive adds without need is taken out again.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use schemars::Schema;
use serde_json::{Value, json};

/// Tidies a schema and all below it.
///
/// * No `nullable`: a `null` then counts as absent everywhere, and `has()` in a rule means what it says.
/// * No `title`, which repeats the name of a type.
///
/// Defaults of objects stay as long as they are: the API server evaluates rules on a default as it is written,
/// before the defaults within, so `{}` would be refused where a rule looks at a field.
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
