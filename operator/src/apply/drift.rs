//! Whether an object in the cluster is what it should be. Pure.
//!
//! What the API server fills in and what others add does not count. What we set counts, also the length of a
//! list: Kubernetes keeps most lists as one value, so whoever adds an element has changed our field.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::build::quantity::Amount;

/// Lists whose elements have keys, so that others may add some. Paths are written without indexes.
const KEYED_LISTS: [&str; 9] = [
    "metadata.ownerReferences",
    "spec.ports",
    "spec.template.spec.containers",
    "spec.template.spec.containers.env",
    "spec.template.spec.containers.ports",
    "spec.template.spec.containers.volumeMounts",
    "spec.template.spec.imagePullSecrets",
    "spec.template.spec.topologySpreadConstraints",
    "spec.template.spec.volumes",
];

/// A digest of an object that does not depend on the order of its keys.
pub fn digest(value: &Value) -> String {
    let mut hasher = Sha256::new();
    feed(&mut hasher, value);
    hex::encode(&hasher.finalize()[..16])
}

/// Every value begins with its kind and length, so that no two values feed the same bytes.
fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(object) => {
            hasher.update(format!("o{}:", object.len()));
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, value) in entries {
                hasher.update(format!("k{}:{key}", key.len()));
                feed(hasher, value);
            }
        }
        Value::Array(list) => {
            hasher.update(format!("a{}:", list.len()));
            for value in list {
                feed(hasher, value);
            }
        }
        Value::String(text) => hasher.update(format!("s{}:{text}", text.len())),
        Value::Null | Value::Bool(_) | Value::Number(_) => hasher.update(format!("v{value};")),
    }
}

/// The path of the first field that is not as it should be.
pub fn difference(desired: &Value, live: &Value) -> Option<String> {
    let mut path = String::new();
    compare(&mut path, desired, Some(live)).err()
}

/// `Err` with the path of the first difference.
fn compare(path: &mut String, desired: &Value, live: Option<&Value>) -> Result<(), String> {
    // The API server leaves empty values out, or puts them in.
    let Some(live) = live else {
        return if is_empty(desired) {
            Ok(())
        } else {
            Err(path.clone())
        };
    };
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => object(path, desired, live),
        (Value::Array(desired), Value::Array(live)) => list(path, desired, live),
        _ if desired == live => Ok(()),
        _ if is_empty(desired) && is_empty(live) => Ok(()),
        _ if is_amount(path) && same_amount(desired, live) => Ok(()),
        _ => Err(path.clone()),
    }
}

fn object(path: &mut String, desired: &Map<String, Value>, live: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in desired {
        let before = path.len();
        // Writing to a string cannot fail.
        let _ = write!(path, "{}{key}", if before == 0 { "" } else { "." });
        compare(path, value, live.get(key))?;
        path.truncate(before);
    }
    let added = live
        .iter()
        .any(|(key, value)| !desired.contains_key(key) && !is_empty(value));
    if added && is_selector(path) {
        Err(path.clone())
    } else {
        Ok(())
    }
}

fn list(path: &str, desired: &[Value], live: &[Value]) -> Result<(), String> {
    if desired.len() != live.len() && !KEYED_LISTS.contains(&path) {
        return Err(path.to_owned());
    }
    // In order, with elements of others between.
    let mut rest = live.iter();
    for element in desired {
        let found = rest.any(|candidate| compare(&mut path.to_owned(), element, Some(candidate)).is_ok());
        if !found {
            return Err(path.to_owned());
        }
    }
    Ok(())
}

/// Whether the path leads into a selector, which Kubernetes keeps as one value: another label in it selects others.
fn is_selector(path: &str) -> bool {
    path.split('.')
        .any(|key| key == "selector" || key.ends_with("Selector"))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.values().all(is_empty),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether the value at the path is a Kubernetes quantity, which the API server may spell differently.
fn is_amount(path: &str) -> bool {
    path.contains(".resources.requests.") || path.contains(".resources.limits.")
}

fn same_amount(one: &Value, other: &Value) -> bool {
    let read = |value: &Value| match value {
        Value::String(text) => Amount::parse(text),
        Value::Number(number) => Amount::parse(&number.to_string()),
        _ => None,
    };
    read(one).is_some() && read(one) == read(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_add_does_not_count() {
        let desired = json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "replicas": 2 } });
        let live = json!({
            "metadata": { "labels": { "a": "1", "theirs": "2" }, "uid": "u" },
            "spec": { "replicas": 2, "paused": true },
            "status": {},
        });
        assert_eq!(difference(&desired, &live), None);
    }

    #[test]
    fn what_is_ours_counts() {
        let desired = json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "replicas": 2 } });
        for (live, path) in [
            (
                json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "replicas": 3 } }),
                "spec.replicas",
            ),
            (
                json!({ "metadata": { "labels": {} }, "spec": { "replicas": 2 } }),
                "metadata.labels.a",
            ),
            (
                json!({ "metadata": {}, "spec": { "replicas": 2 } }),
                "metadata.labels",
            ),
        ] {
            assert_eq!(difference(&desired, &live).as_deref(), Some(path));
        }
    }

    /// A `NetworkPolicy` with one more rule lets in whom we did not; a container more in a pod is someone's sidecar.
    #[test]
    fn a_list_without_keys_is_one_value() {
        let policy = |rules: &[&str]| json!({ "spec": { "ingress": rules } });
        assert_eq!(difference(&policy(&["a"]), &policy(&["a"])), None);
        for other in [&["a", "b"][..], &["b"], &[]] {
            assert_eq!(
                difference(&policy(&["a"]), &policy(other)).as_deref(),
                Some("spec.ingress")
            );
        }
        let pod = |names: &[&str]| {
            let containers: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
            json!({ "spec": { "template": { "spec": { "containers": containers } } } })
        };
        assert_eq!(
            difference(&pod(&["receiver"]), &pod(&["sidecar", "receiver"])),
            None
        );
        assert!(difference(&pod(&["receiver"]), &pod(&["sidecar"])).is_some());
        assert!(difference(&pod(&["a", "b"]), &pod(&["b", "a"])).is_some());
    }

    #[test]
    fn a_selector_is_one_value() {
        let service = |selector: Value| json!({ "spec": { "selector": selector } });
        let ours = service(json!({ "app": "a" }));
        assert_eq!(difference(&ours, &ours), None);
        let narrower = service(json!({ "app": "a", "version": "2" }));
        assert_eq!(difference(&ours, &narrower).as_deref(), Some("spec.selector"));
        let everyone = json!({ "spec": { "podSelector": {} } });
        let some = json!({ "spec": { "podSelector": { "matchLabels": { "a": "b" } } } });
        assert!(difference(&everyone, &some).is_some());
    }

    #[test]
    fn nothing_is_the_same_as_empty() {
        let empty = json!({ "spec": { "podSelector": {}, "list": [], "text": "", "nested": { "a": {} } } });
        assert_eq!(difference(&empty, &json!({ "spec": {} })), None);
        assert_eq!(difference(&empty, &json!({})), None);
        let full = json!({ "spec": { "podSelector": { "a": "b" }, "list": [1], "text": "t" } });
        assert_eq!(
            difference(&json!({ "spec": { "list": [] } }), &full).as_deref(),
            Some("spec.list")
        );
        assert_eq!(
            difference(&json!({ "spec": { "text": "" } }), &full).as_deref(),
            Some("spec.text")
        );
    }

    #[test]
    fn amounts_are_compared_by_what_they_mean() {
        let pod = |cpu: Value| json!({ "resources": { "requests": { "cpu": cpu } } });
        let at = |one: Value, other: Value| {
            difference(&json!({ "c": pod(one) }), &json!({ "c": pod(other) })).is_none()
        };
        for (one, other) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1e3", "1k"),
            ("100m", "100m"),
        ] {
            assert!(at(json!(one), json!(other)), "{one} {other}");
        }
        assert!(at(json!(2), json!("2")));
        for (one, other) in [("1", "2"), ("1M", "1Mi"), ("1", "x"), ("100m", "101m")] {
            assert!(!at(json!(one), json!(other)), "{one} {other}");
        }
        let text = |value: &str| json!({ "spec": { "name": value } });
        assert!(difference(&text("1000m"), &text("1")).is_some(), "only amounts");
    }

    #[test]
    fn the_digest_ignores_order_and_nothing_else() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":["x","y"]}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b":["x","y"],"a":1}"#).unwrap();
        assert_eq!(digest(&one), digest(&other));
        let values = [
            json!({ "a": 1, "b": ["y", "x"] }),
            json!({ "a": "1", "b": ["x", "y"] }),
            json!({ "a": 1, "b": ["xy"] }),
            json!({ "a": 1, "b": [["x", "y"]] }),
            json!({ "a": 1 }),
            json!({ "a": null }),
            json!({}),
            json!([]),
        ];
        let digests: std::collections::BTreeSet<_> = values.iter().map(digest).collect();
        assert_eq!(digests.len(), values.len());
        assert!(!digests.contains(&digest(&one)));
    }
}
