//! A stand-in for NATS that answers each publish the way a script says: late, wrongly, twice, or not at all.
//!
//! It exists to prove one sentence: the publisher never reports success without a real acknowledgement of every
//! event. It speaks enough of the protocol for an unchanged client to connect, publish and ask for stream
//! information, and stores nothing.

mod connection;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::log::lock;

/// One message a client published, other than a question to the JetStream API.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its place among all such messages, over every connection; the first is 1.
    pub nth: u64,
    /// The subject.
    pub subject: String,
    /// Where the client expects the acknowledgement.
    pub reply: Option<String>,
    /// The headers, empty when there were none.
    pub headers: HeaderMap,
    /// The body.
    pub payload: Bytes,
}

impl Published {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(async_nats::HeaderValue::as_str)
    }
}

/// What the broker does about one published message.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Acknowledges it with the next sequence number.
    Ack,
    /// Acknowledges it as one it has already.
    Duplicate,
    /// Says that nobody listens on the subject: no stream, or a stream without a leader.
    NoResponders,
    /// Answers with a JetStream error.
    ErrorJson {
        /// Shaped like an HTTP status.
        code: u16,
        /// JetStream's own error number.
        err_code: u64,
        /// The text.
        description: String,
    },
    /// Answers with these bytes.
    Malformed(Vec<u8>),
    /// Answers nothing.
    Silence,
    /// Acknowledges it after this time.
    Late(Duration),
    /// Acknowledges it two times.
    Twice,
    /// Acknowledges it in the name of another stream.
    ForeignStream,
    /// Sends the acknowledgement to another address of the same client, one it never asked at.
    AckOfAnotherSubject,
    /// Refuses it as a missing permission is refused: an `-ERR` line and no answer.
    PermissionViolation,
    /// Closes the connection. What was answered before is still delivered.
    Disconnect,
    /// Does one after the other.
    Sequence(Vec<Reply>),
}

type Script = Arc<dyn Fn(&Published) -> Reply + Send + Sync>;

/// The running stand-in. Dropping it closes every connection.
pub struct HostileBroker {
    state: Arc<State>,
    accept: JoinHandle<()>,
}

/// What every connection shares.
struct State {
    address: SocketAddr,
    stream: String,
    script: Mutex<Script>,
    stream_info: Mutex<Option<Value>>,
    seen: Mutex<Vec<Published>>,
    seen_count: watch::Sender<u64>,
    sequence: AtomicU64,
    connections: AtomicU64,
    refusing: AtomicBool,
    /// Every connection ends when this changes or its sender goes away.
    hang_up: watch::Sender<u64>,
}

impl HostileBroker {
    /// Starts on a free loopback port. It claims to hold the stream `stream`, with the subjects `>`.
    ///
    /// # Errors
    /// The operating system's, when no socket can be had.
    pub async fn start(
        stream: &str,
        script: impl Fn(&Published) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let state = Arc::new(State {
            address: listener.local_addr()?,
            stream: stream.to_owned(),
            script: Mutex::new(Arc::new(script)),
            stream_info: Mutex::new(Some(stream_info(stream)?)),
            seen: Mutex::default(),
            seen_count: watch::Sender::new(0),
            sequence: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            refusing: AtomicBool::new(false),
            hang_up: watch::Sender::new(0),
        });
        let accept = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self { state, accept })
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("nats://{}", self.state.address)
    }

    /// Replaces the script, from the next message on.
    pub fn set_script(&self, script: impl Fn(&Published) -> Reply + Send + Sync + 'static) {
        *lock(&self.state.script) = Arc::new(script);
    }

    /// Replaces the answer to questions about the stream; `None` is "stream not found".
    pub fn set_stream_info(&self, info: Option<Value>) {
        *lock(&self.state.stream_info) = info;
    }

    /// The answer to questions about the stream, to change a part of it.
    pub fn stream_info(&self) -> Option<Value> {
        lock(&self.state.stream_info).clone()
    }

    /// Every message published so far, in the order of arrival.
    pub fn seen(&self) -> Vec<Published> {
        lock(&self.state.seen).clone()
    }

    /// Waits until `count` messages were published; false when that takes longer than `limit`.
    pub async fn wait_for(&self, count: u64, limit: Duration) -> bool {
        let mut seen = self.state.seen_count.subscribe();
        matches!(
            tokio::time::timeout(limit, seen.wait_for(|seen| *seen >= count)).await,
            Ok(Ok(_))
        )
    }

    /// How many connections were accepted so far, reconnects included.
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Acquire)
    }

    /// Closes every connection now.
    pub fn disconnect_all(&self) {
        self.state.hang_up.send_modify(|count| *count += 1);
    }

    /// While true, closes every new connection at once.
    pub fn refuse_connections(&self, refuse: bool) {
        self.state.refusing.store(refuse, Ordering::Release);
    }
}

impl Drop for HostileBroker {
    fn drop(&mut self) {
        self.accept.abort();
        self.disconnect_all();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((socket, _)) = listener.accept().await {
        if state.refusing.load(Ordering::Acquire) {
            continue;
        }
        state.connections.fetch_add(1, Ordering::AcqRel);
        tokio::spawn(connection::serve(socket, Arc::clone(&state)));
    }
}

/// A stream as the receiver would have made it, empty.
fn stream_info(name: &str) -> io::Result<Value> {
    let config = serde_json::to_value(crate::stream::config(name, &[">"]))?;
    Ok(json!({
        "type": "io.nats.jetstream.api.v1.stream_info_response",
        "config": config,
        "created": "2026-01-01T00:00:00Z",
        "ts": "2026-01-01T00:00:00Z",
        "state": {
            "messages": 0, "bytes": 0, "consumer_count": 0,
            "first_seq": 0, "first_ts": "0001-01-01T00:00:00Z",
            "last_seq": 0, "last_ts": "0001-01-01T00:00:00Z",
        },
    }))
}
