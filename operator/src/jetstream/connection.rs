//! One life of the connection to the broker: it ends when the broker is gone, and is never revived. The next one is
//! made with the files as they are then, and its failure is known exactly.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_nats::client::{Request, RequestErrorKind};
use async_nats::{Client, ConnectError, ConnectOptions, Event, ServerAddr};
use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use wahook_stream::connect::denied_subject;

/// The first token of the operator's inbox. No receiver has it: theirs have two underscores after `_INBOX`.
pub const INBOX_PREFIX: &str = "_INBOX_wahook-operator";

/// How long the broker has to answer one question.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The login may not use this subject.
    Denied(String),
    /// Nobody listens: no JetStream in this account or domain.
    Nobody,
    /// Nothing came in time.
    Silence,
    /// The connection ended.
    Lost,
}

/// A connection that was made. It ends with its last owner, or when the broker is gone.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    denied: watch::Sender<BTreeSet<String>>,
    lost: CancellationToken,
}

impl Connection {
    /// Connects once, to the first server that lets us in.
    pub(super) async fn open(
        servers: Vec<ServerAddr>,
        options: ConnectOptions,
    ) -> Result<Arc<Self>, ConnectError> {
        let denied = watch::Sender::new(BTreeSet::new());
        let lost = CancellationToken::new();
        let options = {
            let (denied, lost) = (denied.clone(), lost.clone());
            options
                .custom_inbox_prefix(INBOX_PREFIX)
                // The client's own attempts end soon: the next life begins outside.
                .max_reconnects(servers.len())
                .reconnect_delay_callback(|_| Duration::ZERO)
                .event_callback(move |event| {
                    follow(&event, &denied, &lost);
                    std::future::ready(())
                })
        };
        let client = options.connect(servers).await?;
        Ok(Arc::new(Self { client, denied, lost }))
    }

    /// Waits until the broker is gone.
    pub(super) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// Whether the broker is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Whether the server is one of a cluster.
    pub(super) fn is_clustered(&self) -> bool {
        self.client.server_info().cluster.is_some()
    }

    /// Asks once.
    pub(super) async fn ask(&self, subject: &str, payload: Bytes) -> Result<Bytes, Unanswered> {
        // What was denied before may be granted by now.
        self.denied.send_if_modified(|denied| denied.remove(subject));
        let mut denied = self.denied.subscribe();
        let request = Request::new().payload(payload).timeout(Some(ANSWER_LIMIT));
        // The server does not answer a denied question; it complains beside it.
        let complaint = async {
            // The sender lives in `self`, so the channel cannot close.
            let _ = denied.wait_for(|denied| denied.contains(subject)).await;
        };
        tokio::select! {
            answer = self.client.send_request(subject.to_owned(), request) => match answer {
                Ok(message) => Ok(message.payload),
                Err(error) => Err(match error.kind() {
                    RequestErrorKind::NoResponders => Unanswered::Nobody,
                    RequestErrorKind::TimedOut => self.deaf().unwrap_or(Unanswered::Silence),
                    _ => Unanswered::Lost,
                }),
            },
            () = complaint => Err(Unanswered::Denied(subject.to_owned())),
            () = self.lost.cancelled() => Err(Unanswered::Lost),
        }
    }

    /// Without its inbox a connection hears no answer, and the client subscribes to it only once.
    fn deaf(&self) -> Option<Unanswered> {
        let denied = self.denied.borrow();
        let inbox = denied.iter().find(|subject| subject.starts_with(INBOX_PREFIX))?;
        self.lost.cancel();
        Some(Unanswered::Denied(inbox.clone()))
    }
}

fn follow(event: &Event, denied: &watch::Sender<BTreeSet<String>>, lost: &CancellationToken) {
    match event {
        Event::Disconnected | Event::Closed => lost.cancel(),
        Event::ServerError(error) => {
            let error = error.to_string();
            if let Some(subject) = denied_subject(&error) {
                denied.send_if_modified(|denied| denied.insert(subject.to_owned()));
            } else {
                debug!(error, "NATS reported an error");
            }
        }
        _ => {}
    }
}
