//! The secrets in the form requests need them: keyed hash states, the verify token, the probe key.

use std::fmt;

use crate::signature::Verifier;

/// Everything secret a request is checked with.
pub struct Keys {
    /// Checks signatures; matches nothing when no app secret is configured.
    pub verifier: Verifier,
    /// What Meta must present in the handshake.
    pub verify_token: Option<Vec<u8>>,
    /// What proves to the operator's probe that this receiver answered.
    pub probe_key: Option<Vec<u8>>,
    /// Whether there is an app secret at all.
    pub configured: bool,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("verifier", &self.verifier)
            .field("verify_token", &self.verify_token.is_some())
            .field("probe_key", &self.probe_key.is_some())
            .finish_non_exhaustive()
    }
}
