//! The generated Secret: the verify token of the handshake and the key that answers to probes are signed
//! with. It is created once, never applied and never generated again.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use rand::TryRngCore as _;
use rand::rand_core::OsError;
use rand::rngs::OsRng;

use super::{labels, owner};
use crate::names;
use crate::validate::Validated;

/// The values of a generated Secret. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct GeneratedSecret {
    /// The verify token: 32 random bytes in base64url.
    pub token: String,
    /// The probe key: as many.
    pub probe_key: String,
}

impl GeneratedSecret {
    /// New values.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random() -> Result<Self, OsError> {
        Ok(Self {
            token: random()?,
            probe_key: random()?,
        })
    }
}

impl fmt::Debug for GeneratedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedSecret(..)")
    }
}

fn random() -> Result<String, OsError> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The Secret to create.
pub fn generated_secret(webhook: &Validated, token: &str, probe_key: &str) -> Secret {
    let value = |key: &str, text: &str| (key.to_owned(), ByteString(text.as_bytes().to_vec()));
    Secret {
        metadata: ObjectMeta {
            name: Some(names::child(&webhook.name)),
            namespace: Some(webhook.namespace.clone()),
            labels: Some(labels::common(&webhook.name)),
            owner_references: owner(webhook),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".to_owned()),
        data: Some(BTreeMap::from([
            value(names::VERIFY_TOKEN_KEY, token),
            value(names::PROBE_KEY, probe_key),
        ])),
        ..Secret::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_long_different_and_never_shown() {
        let (one, other) = (
            GeneratedSecret::random().unwrap(),
            GeneratedSecret::random().unwrap(),
        );
        let all = [&one.token, &one.probe_key, &other.token, &other.probe_key];
        for (index, value) in all.iter().enumerate() {
            assert_eq!(URL_SAFE_NO_PAD.decode(value).unwrap().len(), 32);
            assert!(!all[..index].contains(value));
            assert!(!format!("{one:?}{other:?}").contains(value.as_str()));
        }
    }
}
