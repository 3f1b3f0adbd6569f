//! All secrets of one moment.

use crate::config::Problem;
use crate::signature::hmac_sha256;

use super::nats::NatsSecrets;
use super::value::Secret;

/// All secrets of one moment. `Debug` shows counts and lengths, never content.
#[derive(Debug, Clone, Default)]
pub struct SecretSet {
    /// The app secrets a signature may come from, in the order of their files; at most four, none twice.
    pub app_secrets: Vec<Secret>,
    /// The token Meta must know at the handshake.
    pub verify_token: Option<Secret>,
    /// Signs the answers to the operator's probes.
    pub probe_key: Option<Secret>,
    /// App secrets that were removed while the receiver ran, newest first. They accept nothing: they tell a
    /// sender that is late from an attacker.
    pub retired: Vec<Secret>,
    /// What the connection to the broker needs.
    pub nats: NatsSecrets,
    /// What is odd about the files but was tolerated.
    pub warnings: Vec<Problem>,
}

impl SecretSet {
    /// Whether requests can be verified: an app secret and the verify token are there. A receiver is not
    /// ready before.
    pub fn is_complete(&self) -> bool {
        !self.app_secrets.is_empty() && self.verify_token.is_some()
    }

    /// Stands for what requests are checked with, so that the operator can tell which receivers have the same. Keyed with
    /// the probe key, without which nothing can be guessed from it; none without that key.
    pub fn fingerprint(&self) -> Option<String> {
        let key = self.probe_key.as_ref()?;
        let secrets = self.app_secrets.iter().chain(&self.verify_token);
        let digests: Vec<[u8; 32]> = secrets
            .map(|secret| hmac_sha256(key.expose(), &[b"wahook-secret-v1:", secret.expose()]))
            .collect();
        let parts: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
        Some(hex::encode(&hmac_sha256(key.expose(), &parts)[..8]))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(app: &[&str], token: &str, key: Option<&str>) -> SecretSet {
        SecretSet {
            app_secrets: app.iter().map(|text| Secret::new(text.as_bytes())).collect(),
            verify_token: Some(Secret::new(token.as_bytes())),
            probe_key: key.map(|text| Secret::new(text.as_bytes())),
            ..SecretSet::default()
        }
    }

    #[test]
    fn a_fingerprint_tells_sets_apart_and_nothing_else() {
        let one = set(&["a", "b"], "t", Some("k")).fingerprint().unwrap();
        assert_eq!(one.len(), 16);
        assert_eq!(
            set(&["a", "b"], "t", Some("k")).fingerprint().as_ref(),
            Some(&one)
        );
        for other in [
            set(&["a"], "t", Some("k")),
            set(&["b", "a"], "t", Some("k")),
            set(&["ab"], "t", Some("k")),
            set(&["a", "b"], "u", Some("k")),
            set(&["a", "b"], "t", Some("l")),
        ] {
            assert_ne!(other.fingerprint().unwrap(), one);
        }
        assert_eq!(set(&["a", "b"], "t", None).fingerprint(), None);
    }
}
