//! What a webhook has become, without what differs from one creation to the next.

use std::collections::BTreeMap;

use kube::api::DynamicObject;
use serde_json::{Map, Value};
use wahook_operator::names;

use super::{Lab, Running};

/// The children, the keys of the generated Secret, and what was asked of the stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot(pub BTreeMap<String, Value>);

impl Snapshot {
    pub async fn take(lab: &Lab, operator: &Running, webhook: &str) -> Self {
        let mut found = BTreeMap::new();
        for (kind, object) in lab.all_children(webhook).await {
            found.insert(format!("{kind:?}"), normal(&object));
        }
        if let Some(secret) = lab.secrets().get_opt(&names::child(webhook)).await.unwrap() {
            let keys: Vec<String> = secret.data.unwrap_or_default().into_keys().collect();
            found.insert("generated Secret".to_owned(), keys.into());
        }
        let plan = operator.streams.plan(webhook).unwrap_or_default();
        found.insert("stream".to_owned(), plan.into());
        Self(found)
    }

    /// Without the digests, which cover the owner's uid: for a comparison with what another resource of the same spec
    /// has become. Everything that they are made of is compared.
    #[must_use]
    pub fn of_any_owner(mut self) -> Self {
        for object in self.0.values_mut() {
            let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
            let Some(metadata) = metadata else { continue };
            if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
                annotations.remove(names::APPLIED_ANNOTATION);
            }
        }
        self
    }

    /// Without the names of the webhook and its namespace, which are one text here, and without what is computed from
    /// them: for a comparison with a webhook of another name. The digests' contents are compared.
    #[must_use]
    pub fn of_any_name(self, name: &str) -> Self {
        let mut text = serde_json::to_string(&self.of_any_owner().0).unwrap();
        text = text.replace(name, "NAME");
        let mut all: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
        if let Some(deployment) = all.get_mut("Deployment") {
            for (place, digest) in [
                ("/metadata/annotations", names::TEMPLATE_ANNOTATION),
                ("/spec/template/metadata/annotations", names::CONFIG_ANNOTATION),
            ] {
                if let Some(Value::Object(annotations)) = deployment.pointer_mut(place) {
                    annotations.remove(digest);
                }
            }
        }
        Self(all)
    }

    /// Where two differ, for people.
    pub fn difference(&self, other: &Self) -> String {
        let mut text = String::new();
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        for key in keys {
            let (one, two) = (self.0.get(key), other.0.get(key));
            if one != two {
                differ(
                    &mut text,
                    key,
                    one.unwrap_or(&Value::Null),
                    two.unwrap_or(&Value::Null),
                );
            }
        }
        text
    }
}

fn differ(text: &mut String, path: &str, one: &Value, two: &Value) {
    use std::fmt::Write as _;
    if let (Value::Object(one), Value::Object(two)) = (one, two) {
        let keys: std::collections::BTreeSet<_> = one.keys().chain(two.keys()).collect();
        for key in keys {
            let (one, two) = (&one.get(key), &two.get(key));
            if one != two {
                let null = Value::Null;
                differ(
                    text,
                    &format!("{path}.{key}"),
                    one.unwrap_or(&null),
                    two.unwrap_or(&null),
                );
            }
        }
    } else {
        writeln!(text, "{path}: {one} is not {two}").unwrap();
    }
}

/// An object without what the API server or a controller fills in.
pub fn normal(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).unwrap();
    let root = value.as_object_mut().unwrap();
    root.remove("status");
    let metadata = root["metadata"].as_object_mut().unwrap();
    for field in [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
    ] {
        metadata.remove(field);
    }
    for owner in metadata["ownerReferences"].as_array_mut().unwrap() {
        owner.as_object_mut().unwrap().remove("uid");
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        // The generation grows with each change, and it is part of what the digest is made of.
        annotations.remove("deployment.kubernetes.io/revision");
        if annotations.remove(names::GENERATION_ANNOTATION).is_some() {
            annotations.remove(names::APPLIED_ANNOTATION);
        }
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    if let Some(Value::Object(spec)) = root.get_mut("spec") {
        remove_all(spec, &["clusterIP", "clusterIPs"]);
    }
    value
}

fn remove_all(object: &mut Map<String, Value>, fields: &[&str]) {
    for field in fields {
        object.remove(*field);
    }
}
