//! Asks one receiver for its status page.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use reqwest::redirect::Policy;
use serde::Deserialize;

/// How long one receiver may take. Its answers come from memory.
const LIMIT: Duration = Duration::from_secs(2);
/// The longest page that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// A receiver's status page, as far as it matters here. Receivers of other versions may say more or less.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Page {
    /// Whose receiver it is.
    pub identity: Identity,
    /// Its secrets.
    pub secrets: Secrets,
    /// The last handshake.
    pub last_handshake: Option<Handshake>,
    /// When the last signed delivery of each outcome came.
    pub last_delivery: BTreeMap<String, String>,
    /// Requests with a wrong signature.
    pub signature_mismatches: Mismatches,
}

/// Whose receiver it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// The webhook's namespace.
    pub namespace: String,
    /// Its name.
    pub webhook: String,
}

/// A receiver's secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Secrets {
    /// How many sets it has loaded so far.
    pub generation: i64,
    /// Stands for the loaded set. Receivers with the same set have the same.
    pub fingerprint: Option<String>,
    /// When it was loaded, RFC 3339 in UTC.
    pub loaded_at: Option<Timestamp>,
}

/// The last handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Handshake {
    /// `verified`, or why not.
    pub outcome: String,
}

/// Requests with a wrong signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mismatches {
    /// How many came since the last signed delivery.
    pub since_delivery: u64,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No answer, or not in time.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// An answer that is no status page.
    #[error("the answer is no status page")]
    NotAPage,
}

/// Asks receivers.
#[derive(Clone, Debug)]
pub struct Asker(reqwest::Client);

impl Asker {
    /// A client that goes nowhere but where it is sent, and to no proxy.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, AskError> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(LIMIT)
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self(client))
    }

    /// Reads the status page.
    ///
    /// # Errors
    /// When nobody answers in time, or with something else.
    pub async fn ask(&self, address: SocketAddr) -> Result<Page, AskError> {
        let mut answer = self.0.get(format!("http://{address}/status")).send().await?;
        if !answer.status().is_success() {
            return Err(AskError::NotAPage);
        }
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await? {
            text.extend_from_slice(&part);
            if text.len() > LONGEST {
                return Err(AskError::NotAPage);
            }
        }
        serde_json::from_slice(&text).map_err(|_| AskError::NotAPage)
    }
}
