//! One connection to the broker: the client, the inbox that acknowledgements come to, and who waits for them.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};
use wahook_stream::connect::{denied_subject, pauses};

use super::diagnosis::Diagnosis;
use super::health::Health;
use super::link::Link;
use super::outgoing::Outgoing;
use super::pending::Pending;
use super::reply::{self, Refusal};

/// Why a connection could not even be prepared. A broker that is down is not an error: the client keeps trying.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The options cannot work (an unreadable credentials or TLS file, a broken address).
    #[error("cannot connect to NATS: {0}. Check nats.servers, the credentials and the TLS files")]
    Connect(#[from] async_nats::ConnectError),
    /// The client stopped before it could subscribe.
    #[error("cannot subscribe to the inbox that acknowledgements come to: {0}")]
    Subscribe(#[from] async_nats::SubscribeError),
}

/// One connection. Dropping it ends the task that reads acknowledgements.
#[derive(Debug)]
pub struct Session {
    client: Client,
    inbox: String,
    pending: Arc<Pending>,
    link: Arc<Link>,
    acknowledgements: JoinHandle<()>,
}

impl Session {
    /// Connects in the background and for ever: until the broker is there, [`Session::is_connected`] is false.
    pub async fn open(
        servers: Vec<ServerAddr>,
        options: ConnectOptions,
        stream: Arc<str>,
        health: Arc<Health>,
    ) -> Result<Self, SessionError> {
        let pending = Arc::new(Pending::default());
        let link = Arc::new(Link::new(health));
        let options = {
            let (pending, link) = (Arc::clone(&pending), Arc::clone(&link));
            let diagnosis = Diagnosis::new(servers.clone(), options.clone());
            let options = options.reconnect_delay_callback(pauses_while_wanted(Arc::clone(&link)));
            options.retry_on_initial_connect().event_callback(move |event| {
                follow(&event, &pending, &link, &diagnosis);
                std::future::ready(())
            })
        };
        let client = options.connect(servers).await?;
        let inbox = client.new_inbox();
        let mut answers = client.subscribe(format!("{inbox}.*")).await?;
        let acknowledgements = {
            let pending = Arc::clone(&pending);
            let skip = inbox.len() + 1;
            tokio::spawn(async move {
                while let Some(message) = answers.next().await {
                    let token = message.subject.get(skip..).unwrap_or_default();
                    pending.answer(token, reply::read(&message, &stream));
                }
            })
        };
        Ok(Self {
            client,
            inbox,
            pending,
            link,
            acknowledgements,
        })
    }

    /// The client, for JetStream's own API.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The subject that reply subjects begin with.
    pub fn inbox(&self) -> &str {
        &self.inbox
    }

    /// Who waits for acknowledgements.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Whether the broker is there at this moment.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Waits until the broker is there.
    pub async fn connected(&self) {
        self.link.becomes(true).await;
    }

    /// Waits until the broker is gone.
    pub async fn disconnected(&self) {
        self.link.becomes(false).await;
    }

    /// From here on this connection's state is the broker's.
    pub(super) fn take_over(&self) {
        self.link.take_over();
    }

    /// Another connection is used: this one answers who waits for it, and is not made again once it is lost.
    pub(super) fn retire(&self) {
        self.link.retire();
    }

    /// The largest message the broker takes, headers included, in bytes.
    pub fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Hands one event to the connection; waits while the connection's queue is full.
    pub async fn send(&self, event: Outgoing, reply: String) -> Result<(), Refusal> {
        let Outgoing {
            subject,
            headers,
            payload,
            ..
        } = event;
        let sent = self
            .client
            .publish_with_reply_and_headers(subject, reply, headers, payload);
        sent.await.map_err(|_| Refusal::NotSent)
    }

    /// Sends what is queued and closes the connection.
    pub async fn drain(&self) {
        // Draining only asks: flushing waits until what was queued before is on the wire.
        if !self.is_connected() {
            return;
        }
        if let Err(error) = self.client.flush().await {
            warn!(%error, "the connection to NATS ended before everything was sent");
        }
        if let Err(error) = self.client.drain().await {
            warn!(%error, "the connection to NATS ended before it was drained");
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.retire();
        self.acknowledgements.abort();
    }
}

/// The library connects again for as long as the process lives, whether or not anybody holds its client. A connection that is
/// over rests instead: its login may be one that the broker no longer knows.
fn pauses_while_wanted(link: Arc<Link>) -> impl Fn(usize) -> Duration + Send + Sync + 'static {
    let pauses = pauses();
    move |attempts| {
        if link.is_retired() {
            Duration::MAX
        } else {
            pauses(attempts)
        }
    }
}

fn follow(event: &Event, pending: &Pending, link: &Arc<Link>, diagnosis: &Diagnosis) {
    match event {
        Event::Connected => {
            pending.connected();
            if !link.is_retired() {
                link.health().logged_in();
            }
            link.set_up(true);
            info!("connected to NATS");
        }
        // Closed by us, not lost.
        Event::Closed => {
            pending.disconnected();
            link.set_up(false);
        }
        Event::Disconnected => {
            pending.disconnected();
            link.set_up(false);
            if link.is_in_use() {
                warn!("the connection to NATS was lost; requests are answered with 503 until it is back");
            }
        }
        // What a connection that is over complains about would hide what the one in use does.
        _ if link.is_retired() => {}
        Event::ServerError(error) => {
            let error = error.to_string();
            if let Some(subject) = link.health().complained(&error) {
                warn!(
                    subject,
                    "the NATS account may not use this subject: grant it, docs/nats-permissions.md lists all"
                );
            } else if denied_subject(&error).is_none() {
                warn!(error, "NATS reported an error");
            }
        }
        Event::ClientError(error) => {
            let error = error.to_string();
            debug!(error, "the NATS client reported an error");
            // Without a connection its own event names the kind of failure only, again and again: the diagnosis says more.
            if link.is_up() {
                link.health().complained(&error);
            } else {
                diagnosis.begin(link);
            }
        }
        Event::SlowConsumer(_) => warn!("acknowledgements arrive faster than they are read"),
        Event::LameDuckMode => info!("the NATS server is about to stop; another one will be used"),
        Event::Draining => {}
    }
}
