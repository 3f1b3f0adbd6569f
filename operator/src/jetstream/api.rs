//! JetStream's own API for streams, by the JSON it speaks: what an administrator or a newer server put into a stream's
//! configuration must survive a change of ours, also where we have no type for it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, Info};
use bytes::Bytes;
use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::connection::{Connection, Unanswered};

/// JetStream's "stream not found".
const NOT_FOUND: u64 = 10_059;
/// What may grow old between a look and the change that follows it.
const MARGIN: Duration = Duration::from_secs(60);

/// Why JetStream did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The question was not answered.
    Unanswered(Unanswered),
    /// JetStream said no.
    Refused(Refused),
    /// The answer makes no sense to us.
    Unreadable,
}

/// JetStream's no.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Refused {
    /// JetStream's own number of the error.
    #[serde(default, rename = "err_code")]
    pub(super) number: u64,
    /// Its words.
    #[serde(default, rename = "description")]
    pub(super) words: String,
}

/// A stream that is there.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its configuration as the server wrote it.
    pub(super) raw: Value,
    /// The same, typed, and what it holds.
    pub(super) info: Info,
    /// How old the oldest thing in it is, by the server's own clock; `None` when the server did not say.
    pub(super) oldest: Option<Duration>,
}

impl Found {
    /// The settings.
    pub(super) fn config(&self) -> &Config {
        &self.info.config
    }

    /// Whether everything in it is certainly younger than this.
    pub(super) fn is_all_younger_than(&self, age: Duration) -> bool {
        self.info.state.messages == 0 || self.oldest.is_some_and(|oldest| oldest + MARGIN < age)
    }

    /// Whether it is kept by servers that form a cluster.
    pub(super) fn is_clustered(&self) -> bool {
        let cluster = self.info.cluster.as_ref();
        cluster.is_some_and(|cluster| cluster.name.as_ref().is_some_and(|name| !name.is_empty()))
    }
}

/// The API of one JetStream, through one connection.
#[derive(Debug)]
pub(super) struct Api {
    connection: Arc<Connection>,
    prefix: String,
}

impl Api {
    /// The JetStream of `domain`, or of the account.
    pub(super) fn new(connection: Arc<Connection>, domain: Option<&str>) -> Self {
        let prefix = domain.map_or_else(|| "$JS.API".to_owned(), |domain| format!("$JS.{domain}.API"));
        Self { connection, prefix }
    }

    /// Whether the server we talk to is one of a cluster. With a domain JetStream may be elsewhere.
    pub(super) fn is_clustered(&self) -> bool {
        self.connection.is_clustered()
    }

    /// The stream, if it is there.
    pub(super) async fn find(&self, stream: &str) -> Result<Option<Found>, Failure> {
        match self.call("INFO", stream, Bytes::new()).await {
            Ok(found) => Ok(Some(found)),
            Err(Failure::Refused(refused)) if refused.number == NOT_FOUND => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Creates a stream. The same stream made twice is no error.
    pub(super) async fn create(&self, config: &Config) -> Result<Found, Failure> {
        let body = serde_json::to_vec(config).map_err(|_| Failure::Unreadable)?;
        self.call("CREATE", &config.name, body.into()).await
    }

    /// Replaces a stream's whole configuration.
    pub(super) async fn update(&self, stream: &str, raw: &Value) -> Result<Found, Failure> {
        self.call("UPDATE", stream, raw.to_string().into()).await
    }

    async fn call(&self, verb: &str, stream: &str, body: Bytes) -> Result<Found, Failure> {
        let subject = format!("{}.STREAM.{verb}.{stream}", self.prefix);
        let answer = self.connection.ask(&subject, body).await;
        read(&answer.map_err(Failure::Unanswered)?)
    }
}

fn read(answer: &[u8]) -> Result<Found, Failure> {
    let answer: Value = serde_json::from_slice(answer).map_err(|_| Failure::Unreadable)?;
    if let Some(error) = answer.get("error") {
        let refused = Refused::deserialize(error).map_err(|_| Failure::Unreadable)?;
        return Err(Failure::Refused(refused));
    }
    let raw = answer.get("config").cloned().ok_or(Failure::Unreadable)?;
    let oldest = age(&answer);
    let info = serde_json::from_value(answer).map_err(|_| Failure::Unreadable)?;
    Ok(Found { raw, info, oldest })
}

fn age(answer: &Value) -> Option<Duration> {
    let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
    let now = time(answer.get("ts")?)?;
    let first = time(answer.get("state")?.get("first_ts")?)?;
    // A clock that was set back makes nothing younger than it can be.
    Some(Duration::try_from(now.duration_since(first)).unwrap_or_default())
}
