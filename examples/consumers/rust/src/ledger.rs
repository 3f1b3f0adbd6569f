//! What this bot has done, in a bucket of the broker's: so that a redelivered event is not answered twice, and a late status does
//! not undo a later one.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::{self, kv};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// Somebody is about to reply, or died over it.
const SENDING: &[u8] = b"sending";
/// Replied.
const SENT: &[u8] = b"sent";
/// How long it is remembered: Meta repeats a delivery for seven days.
const KEPT: Duration = Duration::from_secs(8 * 24 * 3600);

/// The bucket cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error(
    "the bucket {bucket}: {reason}; check that the broker is there and that this user may use the bucket"
)]
pub(crate) struct LedgerError {
    bucket: String,
    reason: String,
}

/// Whose it is to reply to an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Ours, written down before the first word is sent.
    Mine(Held),
    /// Somebody has replied.
    Done,
    /// Somebody was about to, at this time, and has not said how it went.
    Open(Opened),
}

/// A claim of ours, as long as nobody has taken it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held(u64);

/// A claim whose outcome is not known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// When it was made, by the broker's clock.
    pub(crate) since: SystemTime,
    revision: u64,
}

/// The bucket.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    store: kv::Store,
}

impl Ledger {
    /// Opens the bucket, or makes it.
    pub(crate) async fn open(
        context: &jetstream::Context,
        bucket: &str,
        replicas: usize,
    ) -> Result<Self, LedgerError> {
        if let Ok(store) = context.get_key_value(bucket).await {
            return Ok(Self { store });
        }
        let made = context.create_key_value(kv::Config {
            bucket: bucket.to_owned(),
            description: "Which events were replied to, and how far each message got".to_owned(),
            max_age: KEPT,
            num_replicas: replicas,
            ..kv::Config::default()
        });
        match made.await {
            Ok(store) => Ok(Self { store }),
            Err(error) => Err(LedgerError {
                bucket: bucket.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Claims the reply to an event.
    pub(crate) async fn claim(&self, event_id: &str) -> Result<Claim, LedgerError> {
        let key = reply_key(event_id);
        loop {
            match self.store.create(&key, Bytes::from_static(SENDING)).await {
                Ok(revision) => return Ok(Claim::Mine(Held(revision))),
                Err(error) if error.kind() == kv::CreateErrorKind::AlreadyExists => {}
                Err(error) => return Err(self.failed(&error)),
            }
            let entry = self
                .store
                .entry(&key)
                .await
                .map_err(|error| self.failed(&error))?;
            match entry {
                Some(entry) if entry.operation == kv::Operation::Put && entry.value == SENT => {
                    return Ok(Claim::Done);
                }
                Some(entry) if entry.operation == kv::Operation::Put => {
                    return Ok(Claim::Open(Opened {
                        since: entry.created.into(),
                        revision: entry.revision,
                    }));
                }
                // Given up between the two questions.
                _ => {}
            }
        }
    }

    /// Makes an open claim ours; `None` if somebody else was first.
    pub(crate) async fn take_over(&self, event_id: &str, open: &Opened) -> Result<Option<Held>, LedgerError> {
        let taken = self
            .store
            .update(reply_key(event_id), Bytes::from_static(SENDING), open.revision)
            .await;
        match taken {
            Ok(revision) => Ok(Some(Held(revision))),
            Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// The reply is out.
    pub(crate) async fn replied(&self, event_id: &str) -> Result<(), LedgerError> {
        let put = self
            .store
            .put(reply_key(event_id), Bytes::from_static(SENT))
            .await;
        put.map(|_| ()).map_err(|error| self.failed(&error))
    }

    /// No reply was sent, for certain: whoever comes next may try. Nothing happens to a claim that somebody else has by now.
    pub(crate) async fn give_up(&self, event_id: &str, Held(revision): Held) -> Result<(), LedgerError> {
        let deleted = self
            .store
            .delete_expect_revision(reply_key(event_id), Some(revision))
            .await;
        match deleted {
            Err(error) if error.kind() != kv::DeleteErrorKind::WrongLastRevision => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    /// Whether an event was replied to; claims nothing.
    pub(crate) async fn has_reply(&self, event_id: &str) -> Result<bool, LedgerError> {
        let value = self
            .store
            .get(reply_key(event_id))
            .await
            .map_err(|error| self.failed(&error))?;
        Ok(value.is_some_and(|value| value == SENT))
    }

    /// Moves a message on to a status; false if it had got that far or farther.
    pub(crate) async fn advance(
        &self,
        message_id: &str,
        status: &str,
        writes: bool,
    ) -> Result<bool, LedgerError> {
        let key = status_key(message_id);
        loop {
            let entry = self
                .store
                .entry(&key)
                .await
                .map_err(|error| self.failed(&error))?;
            let (before, revision) = match &entry {
                Some(entry) => (
                    std::str::from_utf8(&entry.value).unwrap_or_default(),
                    entry.revision,
                ),
                None => ("", 0),
            };
            if rank(status) <= rank(before) {
                return Ok(false);
            }
            if !writes {
                return Ok(true);
            }
            let value = Bytes::copy_from_slice(status.as_bytes());
            match self.store.update(&key, value, revision).await {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> LedgerError {
        LedgerError {
            bucket: self.store.name.clone(),
            reason: error.to_string(),
        }
    }
}

/// How far a message is with a status. Meta promises no order: a status never takes a message back.
fn rank(status: &str) -> u8 {
    match status {
        "sent" => 1,
        "failed" => 2,
        "delivered" => 3,
        "read" => 4,
        "played" => 5,
        "deleted" => 6,
        _ => 0,
    }
}

fn reply_key(event_id: &str) -> String {
    format!("reply.{event_id}")
}

/// A wamid may hold a phone number, and characters that no key may have.
fn status_key(message_id: &str) -> String {
    format!("status.{}", hex::encode(&Sha256::digest(message_id)[..16]))
}
