//! Does to a resource what the API server does on admission: defaults, then the schema, then the rules.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod refused;
mod structural;

use kube::core::cel::{Validator, apply_defaults};
use serde_json::{Map, Value};

/// The smallest resource.
pub(crate) const SMALLEST: &str = "
apiVersion: wahook.dev/v1alpha1
kind: WhatsAppWebhook
metadata: {name: shop}
spec:
  endpoint: {host: hooks.example.com}
  meta: {appSecrets: [{name: meta-app, key: app-secret}]}
";

/// YAML as JSON.
pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The schema that is installed.
pub(crate) fn schema() -> Value {
    let crd = serde_json::to_value(wahook_crds::crd()).expect("a definition is JSON");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// The smallest resource with a merge patch (RFC 7386) on top.
pub(crate) fn smallest_with(patch: &str) -> Value {
    let mut object = yaml(SMALLEST);
    merge(&mut object, yaml(patch));
    object
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (key, value) in patch {
        match (value, target.as_object_mut().expect("made one above")) {
            (Value::Null, map) => drop(map.remove(&key)),
            (value, map) => merge(map.entry(key).or_insert(Value::Null), value),
        }
    }
}

/// Fills in the schema's defaults, those within a default too.
pub(crate) fn with_defaults(schema: &Value, object: &Value) -> Value {
    let filled = apply_defaults(schema, object);
    if &filled == object {
        filled
    } else {
        with_defaults(schema, &filled)
    }
}

/// Every reason the object is refused: empty when it is admitted. Rules run only on what fits the schema.
pub(crate) fn refusals(schema: &Value, object: &Value, old: Option<&Value>) -> Vec<String> {
    let object = with_defaults(schema, object);
    let old = old.map(|old| with_defaults(schema, old));
    let misfits = structural::misfits(schema, &object);
    if !misfits.is_empty() {
        return misfits;
    }
    match Validator::new().validate(schema, &object, old.as_ref()) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}
