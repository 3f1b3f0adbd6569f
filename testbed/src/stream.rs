//! What a JetStream stream holds, read in one go: for tests that compare what was acknowledged with what is stored.

use std::time::{Duration, SystemTime};

use async_nats::HeaderMap;
use async_nats::jetstream::{self, consumer, stream};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

/// The time a consumer may take between two messages that the stream says it has.
const NEXT_LIMIT: Duration = Duration::from_secs(10);

/// One stored message.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The subject.
    pub subject: String,
    /// The headers, empty when there were none.
    pub headers: HeaderMap,
    /// The body.
    pub payload: Bytes,
    /// Its sequence number in the stream.
    pub seq: u64,
    /// When the broker stored it, by the broker's clock.
    pub stored_at: SystemTime,
}

impl Stored {
    /// A message as a consumer hands it over.
    ///
    /// # Errors
    /// When its reply subject, in which the broker says where it is stored, is none of a consumer's.
    pub fn of(message: jetstream::Message) -> Result<Self, async_nats::Error> {
        let (seq, stored_at) = {
            let info = message.info()?;
            (info.stream_sequence, info.published.into())
        };
        let message = message.message;
        Ok(Self {
            subject: message.subject.to_string(),
            headers: message.headers.unwrap_or_default(),
            payload: message.payload,
            seq,
            stored_at,
        })
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(async_nats::HeaderValue::as_str)
    }

    /// The id that JetStream deduplicates by (`Nats-Msg-Id`).
    pub fn id(&self) -> Option<&str> {
        self.header("Nats-Msg-Id")
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// `serde_json`'s, when it is not such JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }
}

/// A stream could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("{doing} stream {stream}: {reason}")]
pub struct StreamError {
    doing: &'static str,
    stream: String,
    reason: String,
}

impl StreamError {
    fn new(doing: &'static str, stream: &str) -> impl Fn(&dyn std::fmt::Display) -> Self {
        move |reason| Self {
            doing,
            stream: stream.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// The settings of a stream as the receiver wants it: file storage, limits retention, `discard: new`, duplicates
/// kept out for 24 h and messages kept for 7 days.
pub fn config(name: &str, subjects: &[&str]) -> stream::Config {
    stream::Config {
        name: name.to_owned(),
        subjects: subjects.iter().map(ToString::to_string).collect(),
        storage: stream::StorageType::File,
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::New,
        duplicate_window: Duration::from_secs(24 * 3600),
        max_age: Duration::from_secs(7 * 24 * 3600),
        num_replicas: 1,
        allow_direct: true,
        ..stream::Config::default()
    }
}

/// Creates a stream with [`config`]'s settings.
///
/// # Errors
/// [`StreamError`] when the server refuses.
pub async fn create(client: &async_nats::Client, name: &str, subjects: &[&str]) -> Result<(), StreamError> {
    create_with(client, config(name, subjects)).await
}

/// Creates a stream with these settings.
///
/// # Errors
/// [`StreamError`] when the server refuses.
pub async fn create_with(client: &async_nats::Client, config: stream::Config) -> Result<(), StreamError> {
    let failed = StreamError::new("create", &config.name);
    jetstream::new(client.clone())
        .create_stream(&config)
        .await
        .map(drop)
        .map_err(|error| failed(&error))
}

/// How many messages the stream holds.
///
/// # Errors
/// [`StreamError`] when there is no such stream.
pub async fn count(client: &async_nats::Client, name: &str) -> Result<u64, StreamError> {
    Ok(open(client, name).await?.cached_info().state.messages)
}

/// Every message the stream holds now, in order.
///
/// # Errors
/// [`StreamError`] when there is no such stream or reading stops in the middle.
pub async fn messages(client: &async_nats::Client, name: &str) -> Result<Vec<Stored>, StreamError> {
    let mut found = Vec::new();
    for_each(client, name, |stored| found.push(stored)).await?;
    Ok(found)
}

/// Hands every message the stream holds now to `each`, in order: for more of them than memory should hold.
///
/// # Errors
/// As [`messages`].
pub async fn for_each(
    client: &async_nats::Client,
    name: &str,
    mut each: impl FnMut(Stored),
) -> Result<(), StreamError> {
    let failed = StreamError::new("read", name);
    let stream = open(client, name).await?;
    let state = &stream.cached_info().state;
    if state.messages == 0 {
        return Ok(());
    }
    let last = state.last_sequence;
    let consumer = stream
        .create_consumer(consumer::pull::OrderedConfig::default())
        .await
        .map_err(|error| failed(&error))?;
    let mut incoming = consumer.messages().await.map_err(|error| failed(&error))?;
    let mut read = 0;
    loop {
        let message = tokio::time::timeout(NEXT_LIMIT, incoming.next())
            .await
            .map_err(|_| failed(&format_args!("nothing came for {NEXT_LIMIT:?}")))?
            .ok_or_else(|| failed(&"the consumer ended"))?
            .map_err(|error| failed(&error))?;
        let pending = message.info().map_err(|error| failed(&error))?.pending;
        let stored = Stored::of(message).map_err(|error| failed(&error))?;
        let seq = stored.seq;
        each(stored);
        read += 1;
        if seq >= last {
            return Ok(());
        }
        if pending == 0 {
            break;
        }
    }
    // The last message was deleted meanwhile; or the consumer is beside a replica that has not caught up, whose end is not the
    // stream's.
    let there = open(client, name).await?.cached_info().state.messages;
    if read < there {
        return Err(failed(&format_args!("only {read} of {there} messages came")));
    }
    Ok(())
}

/// The id of every message that has one, in order, repeated ids repeated.
///
/// # Errors
/// As [`messages`].
pub async fn ids(client: &async_nats::Client, name: &str) -> Result<Vec<String>, StreamError> {
    let all = messages(client, name).await?;
    Ok(all
        .iter()
        .filter_map(|stored| stored.id().map(str::to_owned))
        .collect())
}

async fn open(client: &async_nats::Client, name: &str) -> Result<stream::Stream, StreamError> {
    let failed = StreamError::new("open", name);
    jetstream::new(client.clone())
        .get_stream(name)
        .await
        .map_err(|error| failed(&error))
}
