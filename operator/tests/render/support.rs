//! Resources and settings to start from.

use serde_json::{Map, Value};
use wahook_crds::WhatsAppWebhook;
use wahook_operator::build::build;
use wahook_operator::child::{Child, ChildKind};
use wahook_operator::settings::{Allow, NatsDefaults, Pattern, Settings};
use wahook_operator::validate::{Refusal, Validated, validate};

/// The smallest resource, as the API server hands it out.
pub(crate) const SMALLEST: &str = "
apiVersion: wahook.dev/v1alpha1
kind: WhatsAppWebhook
metadata: {name: main, namespace: shop, uid: 5f0c8a3e-6d53-4a0e-9f0e-2f1f0f4c7a11, generation: 3}
spec:
  endpoint: {host: hooks.example.com}
  meta: {appSecrets: [{name: meta-app, key: app-secret}]}
";

/// A resource in which every field is set.
pub(crate) const FULL: &str = include_str!("full.yaml");

/// Text as JSON.
pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A resource with a merge patch (RFC 7386) on top.
pub(crate) fn patched(resource: &str, patch: &str) -> Value {
    let mut object = yaml(resource);
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

/// The smallest resource with a patch on top, read.
pub(crate) fn smallest(patch: &str) -> WhatsAppWebhook {
    parsed(&patched(SMALLEST, patch))
}

pub(crate) fn parsed(object: &Value) -> WhatsAppWebhook {
    serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{object:#}: {error}"))
}

/// An operator with one broker and nothing allowed.
pub(crate) fn settings() -> Settings {
    Settings {
        nats: NatsDefaults {
            servers: vec!["nats://nats.nats:4222".to_owned()],
            ..NatsDefaults::default()
        },
        allow: Allow {
            nats_servers: vec![Pattern::new("*")],
            ..Allow::default()
        },
        operator_namespace: Some("wahook-system".into()),
        ..Settings::of("registry.example.com/wahook-receiver:1.2.3")
    }
}

/// That operator, with everything allowed that may be.
pub(crate) fn generous() -> Settings {
    Settings {
        allow: Allow::everything(),
        ..settings()
    }
}

pub(crate) fn valid(resource: &WhatsAppWebhook, settings: &Settings) -> Validated {
    validate(resource, settings).unwrap_or_else(|refusals| panic!("refused: {refusals:#?}"))
}

pub(crate) fn refused(resource: &WhatsAppWebhook, settings: &Settings) -> Vec<Refusal> {
    match validate(resource, settings) {
        Ok(_) => panic!("not refused: {resource:#?}"),
        Err(refusals) => refusals,
    }
}

/// Every child of a resource.
pub(crate) fn children(resource: &WhatsAppWebhook, settings: &Settings) -> Vec<Child> {
    build(&valid(resource, settings), settings)
}

/// The content of one child.
pub(crate) fn content(children: &[Child], kind: ChildKind) -> Option<Value> {
    children
        .iter()
        .find(|child| child.kind == kind)
        .map(|child| serde_json::to_value(&child.object).unwrap())
}
