//! What the connection to the broker needs: one credential at most, and the files of its TLS.

use std::fmt;
use std::path::PathBuf;

use super::settle::Digest;
use super::value::Secret;

/// The secrets of the connection to the broker.
#[derive(Debug, Clone, Default)]
pub struct NatsSecrets {
    /// How to log in. `None`: with the URL's own user, or not at all.
    pub credential: Option<NatsCredential>,
    /// Certificates to trust, PEM.
    pub ca_file: Option<PathBuf>,
    /// The client certificate, PEM; present exactly when `key_file` is.
    pub cert_file: Option<PathBuf>,
    /// The client certificate's key, PEM.
    pub key_file: Option<PathBuf>,
    pub(super) digest: Option<Digest>,
}

impl NatsSecrets {
    /// Stands for the content of all these files. When it changes, connect again.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }
}

/// One way to log in to the broker.
#[derive(Clone, PartialEq, Eq)]
pub enum NatsCredential {
    /// The text of a credentials file: a user's JWT and its nkey seed.
    Credentials(Secret),
    /// An nkey seed.
    Nkey(Secret),
    /// A user name and its password.
    UserPassword {
        /// The name.
        user: Secret,
        /// The password.
        password: Secret,
    },
    /// A token.
    Token(Secret),
}

/// The method only: `NatsCredential(nkey)`.
impl fmt::Debug for NatsCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credentials(_) => "NatsCredential(credentials)",
            Self::Nkey(_) => "NatsCredential(nkey)",
            Self::UserPassword { .. } => "NatsCredential(user and password)",
            Self::Token(_) => "NatsCredential(token)",
        })
    }
}
