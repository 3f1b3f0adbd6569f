//! Which keys a Secret has. Never what is in it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{GetParams, Request};
use kube::{Client, Resource};
use serde::de::{Deserialize, Deserializer, Visitor};

use zeroize::Zeroizing;

use crate::api_error::ApiError;
use crate::apply::is_controller;

/// What was found under the name of a Secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SecretState {
    /// Nobody looked: it is not needed, or the operator was told to read no Secrets.
    #[default]
    Unread,
    /// Nothing.
    Absent,
    /// Its keys, and whether each has a value.
    Keys {
        /// The keys.
        keys: BTreeMap<String, bool>,
        /// Whose it is.
        owners: Vec<OwnerReference>,
        /// The Certificate that cert-manager keeps in it.
        certificate: Option<String>,
    },
    /// A Secret that had to be the webhook's own and is someone else's.
    Foreign,
    /// The API server does not let the operator look.
    Refused(String),
}

impl SecretState {
    /// The same, seen as a Secret that has to belong to the resource with this uid.
    #[must_use]
    pub fn owned_by(self, uid: &str) -> Self {
        match self {
            Self::Keys { owners, .. } if !is_controller(&owners, uid) => Self::Foreign,
            other => other,
        }
    }

    /// The same, seen as the Secret that cert-manager keeps this Certificate in.
    #[must_use]
    pub fn kept_for(self, name: &str) -> Self {
        match self {
            Self::Keys { certificate, .. } if certificate.as_deref() != Some(name) => Self::Foreign,
            other => other,
        }
    }

    /// Whether a key is there and has a value; `None` without the key.
    pub fn key(&self, key: &str) -> Option<bool> {
        match self {
            Self::Keys { keys, .. } => keys.get(key).copied(),
            _ => None,
        }
    }
}

/// A Secret without its values. Nor with its annotations, but for one: `kubectl apply` repeats the values in another.
#[derive(serde::Deserialize)]
struct Keys {
    metadata: Owners,
    #[serde(default)]
    data: Option<BTreeMap<String, HasValue>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owners {
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Default, serde::Deserialize)]
struct Annotations {
    #[serde(default, rename = "cert-manager.io/certificate-name")]
    certificate: Option<String>,
}

/// Whether a value is more than white space. The value itself is dropped while it is read.
struct HasValue(bool);

impl<'de> Deserialize<'de> for HasValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl Visitor<'_> for Look {
            type Value = bool;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }
            fn visit_str<E>(self, text: &str) -> Result<bool, E> {
                let bytes = STANDARD.decode(text).unwrap_or_default();
                Ok(bytes.iter().any(|byte| !byte.is_ascii_whitespace()))
            }
            fn visit_unit<E>(self) -> Result<bool, E> {
                Ok(false)
            }
        }
        deserializer.deserialize_any(Look).map(HasValue)
    }
}

/// Looks at one Secret by its name.
///
/// # Errors
/// Only such that may be gone at the next try.
pub async fn read(client: &Client, namespace: &str, name: &str) -> Result<SecretState, ApiError> {
    let request = Request::new(Secret::url_path(&(), Some(namespace))).get(name, &GetParams::default());
    let request = request.map_err(kube::Error::BuildRequest)?;
    // Not `Client::request`, which logs a body that it cannot read.
    match client.request_text(request).await.map_err(ApiError::from) {
        Ok(text) => parse(&text),
        Err(ApiError::NotFound) => Ok(SecretState::Absent),
        Err(error @ ApiError::Refused { .. }) => Ok(SecretState::Refused(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Reads one value of the Secret that the operator itself made, for its probes. Nothing when it is not there.
pub async fn read_own_value(
    client: &Client,
    namespace: &str,
    name: &str,
    key: &str,
) -> Option<Zeroizing<Vec<u8>>> {
    let request = Request::new(Secret::url_path(&(), Some(namespace))).get(name, &GetParams::default());
    // Not `Client::request`, which logs a body that it cannot read.
    let text = Zeroizing::new(client.request_text(request.ok()?).await.ok()?);
    let secret: Values = serde_json::from_str(&text).ok()?;
    let mut wanted = None;
    for (name, value) in secret.data {
        let value = Zeroizing::new(value);
        if name == key {
            wanted = STANDARD.decode(value.as_bytes()).ok().map(Zeroizing::new);
        }
    }
    wanted
}

#[derive(serde::Deserialize)]
struct Values {
    #[serde(default)]
    data: BTreeMap<String, String>,
}

fn parse(text: &str) -> Result<SecretState, ApiError> {
    let secret: Keys = serde_json::from_str(text).map_err(|_| ApiError::Unreadable)?;
    let keys = secret.data.unwrap_or_default();
    Ok(SecretState::Keys {
        keys: keys.into_iter().map(|(key, value)| (key, value.0)).collect(),
        owners: secret.metadata.owner_references,
        certificate: secret.metadata.annotations.certificate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_and_values_are_not() {
        let value = STANDARD.encode("very-private");
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Secret",
                "metadata":{{"name":"meta-app","annotations":{{"last-applied":"{value}"}}}},
                "data":{{"full":"{value}","empty":"","blank":"Cg==","null":null}}}}"#
        );
        let state = parse(&text).unwrap();
        assert_eq!(state.key("full"), Some(true));
        assert_eq!(state.key("empty"), Some(false));
        assert_eq!(state.key("blank"), Some(false), "a newline is no secret");
        assert_eq!(state.key("null"), Some(false));
        assert_eq!(state.key("absent"), None);
        let shown = format!("{state:?}");
        assert!(!shown.contains(&value) && !shown.contains("private"), "{shown}");
        assert_eq!(state.clone().owned_by("u"), SecretState::Foreign);
        assert_eq!(state.kept_for("main-webhook"), SecretState::Foreign);
        let kept = r#"{"metadata":{"annotations":{"cert-manager.io/certificate-name":"main-webhook"}}}"#;
        let kept = parse(kept).unwrap();
        assert_ne!(kept.clone().kept_for("main-webhook"), SecretState::Foreign);
        assert_eq!(kept.kept_for("other-webhook"), SecretState::Foreign);
        assert!(matches!(
            parse(r#"{"metadata":{}}"#).unwrap(),
            SecretState::Keys { .. }
        ));
        assert!(parse("{").is_err());
    }
}
