//! What JetStream says of changes to its streams, whoever asked for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use tokio::task::JoinHandle;

use super::error::Result;

/// What JetStream publishes when a stream is made, changed or deleted: the action, then the stream's name.
const ADVISORIES: &str = "$JS.EVENT.ADVISORY.STREAM.";

/// The changes by action: `CREATED`, `UPDATED`, `DELETED`.
pub(super) type Changes = BTreeMap<String, usize>;

/// Counts until it is dropped.
pub(super) struct Streams {
    changes: Arc<Mutex<Changes>>,
    task: JoinHandle<()>,
    /// What it hears goes through this client's connection.
    client: async_nats::Client,
}

impl Streams {
    pub(super) async fn listen(client: async_nats::Client) -> Result<Self> {
        let mut advisories = client.subscribe(format!("{ADVISORIES}*.>")).await?;
        let changes = Arc::<Mutex<Changes>>::default();
        let noted = Arc::clone(&changes);
        let task = tokio::spawn(async move {
            while let Some(message) = advisories.next().await {
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                *noted.entry(action(&message.subject)).or_default() += 1;
            }
        });
        Ok(Self {
            changes,
            task,
            client,
        })
    }

    /// Those since the last call.
    pub(super) async fn more(&self) -> Changes {
        // What the server sent before its answer has arrived by then.
        let _ = self.client.flush().await;
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *changes)
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn action(subject: &str) -> String {
    let rest = subject.strip_prefix(ADVISORIES).unwrap_or(subject);
    rest.split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advisory_names_the_action() {
        assert_eq!(
            action("$JS.EVENT.ADVISORY.STREAM.CREATED.whatsapp_a_b"),
            "CREATED"
        );
    }
}
