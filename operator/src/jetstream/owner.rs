//! Whose a stream is, by its metadata.
//!
//! A resource that was deleted and made again has another uid and the same namespace and name: its stream is its own
//! again, so the uid is recorded and not compared. A stream that says nothing of its owner is taken over only when
//! exactly this webhook's subjects go to it: nobody but this webhook's receivers publishes there, so it cannot be of use
//! to anyone else. It was made by a receiver with `--ensure-stream`, or by hand for this webhook.

use std::collections::HashMap;

use serde_json::Value;

/// The metadata key of the namespace.
pub const NAMESPACE_KEY: &str = "wahook.dev/namespace";
/// The metadata key of the webhook's name.
pub const WEBHOOK_KEY: &str = "wahook.dev/webhook";
/// The metadata key of the resource's uid.
pub const UID_KEY: &str = "wahook.dev/uid";

/// The resource that a stream is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOwner {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

impl StreamOwner {
    /// What the stream's metadata says of this owner.
    pub(super) fn metadata(&self) -> [(&'static str, &str); 3] {
        [
            (NAMESPACE_KEY, &self.namespace),
            (WEBHOOK_KEY, &self.name),
            (UID_KEY, &self.uid),
        ]
    }

    /// Whose the stream with this metadata is.
    pub(super) fn of(&self, metadata: &HashMap<String, String>) -> Ownership {
        let get = |key| metadata.get(key).map(String::as_str);
        match (get(NAMESPACE_KEY), get(WEBHOOK_KEY)) {
            (None, None) => Ownership::Unsaid,
            (Some(namespace), Some(name)) if (namespace, name) == (&*self.namespace, &*self.name) => {
                match get(UID_KEY) {
                    Some(uid) if uid == self.uid => Ownership::Ours,
                    other => Ownership::Predecessor(other.map(str::to_owned)),
                }
            }
            (namespace, name) => Ownership::Other(match (namespace, name) {
                // Of other namespaces a tenant learns nothing.
                (Some(namespace), Some(name)) if namespace == self.namespace => {
                    format!("the webhook {name}")
                }
                (Some(namespace), _) if namespace == self.namespace => "another webhook".to_owned(),
                _ => "a webhook of another namespace".to_owned(),
            }),
        }
    }

    /// The metadata with this owner in it, everything else as it was.
    pub(super) fn sign(&self, metadata: Option<&Value>) -> Value {
        let mut signed = metadata.and_then(Value::as_object).cloned().unwrap_or_default();
        for (key, value) in self.metadata() {
            signed.insert(key.to_owned(), value.into());
        }
        Value::Object(signed)
    }
}

/// Whose a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// This very resource's.
    Ours,
    /// That of a resource of the same namespace and name, with this uid.
    Predecessor(Option<String>),
    /// It does not say.
    Unsaid,
    /// Somebody else's, described for people.
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> StreamOwner {
        StreamOwner {
            namespace: "shop".into(),
            name: "main".into(),
            uid: "1".into(),
        }
    }

    fn of(entries: &[(&str, &str)]) -> Ownership {
        let metadata = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        owner().of(&metadata)
    }

    #[test]
    fn the_namespace_and_the_name_decide() {
        let owner = owner();
        assert_eq!(of(&owner.metadata()), Ownership::Ours);
        let mut again = owner.metadata();
        again[2].1 = "2";
        assert_eq!(of(&again), Ownership::Predecessor(Some("2".into())));
        assert_eq!(of(&again[..2]), Ownership::Predecessor(None));
        assert_eq!(of(&[("_nats.ver", "2.15.2")]), Ownership::Unsaid);
        for (namespace, name, said) in [
            ("shop", "other", "the webhook other"),
            ("bank", "main", "a webhook of another namespace"),
        ] {
            let entries = [(NAMESPACE_KEY, namespace), (WEBHOOK_KEY, name)];
            assert_eq!(of(&entries), Ownership::Other(said.into()));
        }
        assert!(matches!(of(&[(NAMESPACE_KEY, "shop")]), Ownership::Other(_)));
        assert!(matches!(of(&[(WEBHOOK_KEY, "main")]), Ownership::Other(_)));
    }

    #[test]
    fn signing_keeps_what_others_wrote() {
        let signed = owner().sign(Some(&serde_json::json!({"team": "blue", UID_KEY: "0"})));
        assert_eq!(
            signed,
            serde_json::json!({"team": "blue", NAMESPACE_KEY: "shop", WEBHOOK_KEY: "main", UID_KEY: "1"})
        );
    }
}
