//! Events larger than the broker takes in one message: the data goes to the object store, the event carries a reference
//! (CloudEvents claim check, `dataref`).
//!
//! The object is named by the event's id, so that a repeated delivery finds the object of the first or takes its place.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream;
use async_nats::jetstream::object_store::{ObjectStore, PutErrorKind};
use tokio::time::{Instant, timeout_at};
use tracing::warn;
use wahook_events::contract::MSG_ID;

use super::outgoing::Outgoing;
use super::reply::Refusal;
use super::session::Session;

/// How long an object serves repeated deliveries before it is written again: for the two copies of one moment, and no longer.
const REUSED_FOR: Duration = Duration::from_secs(60);

/// Where large events go.
#[derive(Debug, Clone)]
pub struct ClaimCheck {
    bucket: String,
    domain: Option<String>,
}

impl ClaimCheck {
    /// A claim check in a bucket, by way of a JetStream domain if there is one.
    pub fn new(bucket: String, domain: Option<String>) -> Self {
        Self { bucket, domain }
    }

    /// Stores the event's data and puts a reference in its place.
    pub async fn park(
        &self,
        session: &Session,
        event: &mut Outgoing,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        let Some(name) = event.headers.get(MSG_ID).map(|id| id.as_str().to_owned()) else {
            return Err(Refusal::NotSent);
        };
        let stored = async {
            tokio::select! {
                stored = self.store(session, &name, &event.payload) => Some(stored),
                () = session.disconnected() => None,
            }
        };
        match timeout_at(deadline, stored).await {
            Ok(None) => Err(Refusal::Disconnected),
            Ok(Some(Ok(()))) => {
                let reference = format!("nats-object:{}/{name}", self.bucket);
                *event = event.clone().with_data_ref(reference);
                Ok(())
            }
            Ok(Some(Err(error))) => {
                warn!(
                    bucket = self.bucket,
                    error, "an event's data could not be stored as an object"
                );
                Err(Refusal::ObjectStore)
            }
            Err(_) => Err(Refusal::TimedOut),
        }
    }

    async fn store(&self, session: &Session, name: &str, data: &[u8]) -> Result<(), String> {
        let store = self.open(session).await?;
        let now = seconds(SystemTime::now());
        let there = store.info(name).await.is_ok_and(|info| {
            let recent = info
                .modified
                .is_some_and(|at| is_recent(at.unix_timestamp(), now));
            !info.deleted && info.size == data.len() && recent
        });
        if there {
            return Ok(());
        }
        let mut reader = data;
        match store.put(name, &mut reader).await {
            Ok(_) => Ok(()),
            // The new object is complete; what an older one left behind ages out.
            Err(error) if error.kind() == PutErrorKind::PurgeOldChunks => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn open(&self, session: &Session) -> Result<ObjectStore, String> {
        let context = context(session, self.domain.as_deref());
        context
            .get_object_store(&self.bucket)
            .await
            .map_err(|error| error.to_string())
    }
}

/// Whether an object of that time will be there for as long as an event of now, both in seconds since 1970. Objects age from
/// when they were written, and an older one may belong to a delivery that was not stored: it would be gone before the event.
fn is_recent(modified: i64, now: i64) -> bool {
    now.abs_diff(modified) < REUSED_FOR.as_secs()
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// JetStream's API on a connection.
pub(super) fn context(session: &Session, domain: Option<&str>) -> jetstream::Context {
    let client = session.client().clone();
    let mut context = match domain {
        Some(domain) => jetstream::with_domain(client, domain),
        None => jetstream::new(client),
    };
    context.set_timeout(Duration::from_secs(3));
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_serves_the_copies_of_its_moment_only() {
        let now = seconds(SystemTime::now());
        assert!(is_recent(now, now) && is_recent(now - 59, now));
        // The clock of who wrote it may be ahead.
        assert!(is_recent(now + 30, now) && !is_recent(now + 3600, now));
        assert!(!is_recent(now - 60, now) && !is_recent(0, now));
        assert!(now > 1_700_000_000);
    }
}
