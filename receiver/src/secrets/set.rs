//! All secrets of one moment.

use crate::config::Problem;

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
}
