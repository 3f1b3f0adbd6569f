//! One client of the stand-in: greets it, reads its commands, answers by the script.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::wire::{self, Command};
use super::{Published, Reply, State};
use crate::log::lock;

/// What the writer of a connection is told.
enum Out {
    Frame(Bytes),
    Close,
}

/// A live subscription of the client.
struct Subscription {
    subject: String,
    /// How many more messages it takes, when it said so.
    left: Option<u64>,
}

/// The sending side of a connection; late answers hold a clone.
#[derive(Clone)]
struct Client {
    out: UnboundedSender<Out>,
    subscriptions: Arc<Mutex<BTreeMap<String, Subscription>>>,
}

/// Serves one client until either side ends the connection.
pub(super) async fn serve(socket: TcpStream, state: Arc<State>) {
    let mut hang_up = state.hang_up.subscribe();
    let (reader, writer) = socket.into_split();
    let (out, frames) = unbounded_channel();
    let client = Client {
        out,
        subscriptions: Arc::default(),
    };
    client.send(greeting(&state));
    // Whichever ends first ends the connection: both halves are dropped here.
    tokio::select! {
        () = read(reader, &client, &state) => {}
        () = write(writer, frames) => {}
        _ = hang_up.changed() => {}
    }
}

async fn read(reader: OwnedReadHalf, client: &Client, state: &Arc<State>) {
    let mut reader = BufReader::new(reader);
    loop {
        match wire::read(&mut reader).await {
            Ok(Some(Command::Ping)) => client.send("PONG\r\n".into()),
            Ok(Some(Command::Subscribe { sid, subject })) => {
                lock(&client.subscriptions).insert(sid, Subscription { subject, left: None });
            }
            Ok(Some(Command::Unsubscribe { sid, after: None })) => {
                lock(&client.subscriptions).remove(&sid);
            }
            Ok(Some(Command::Unsubscribe { sid, after })) => {
                if let Some(subscription) = lock(&client.subscriptions).get_mut(&sid) {
                    subscription.left = after;
                }
            }
            Ok(Some(Command::Publish {
                subject,
                reply,
                headers,
                payload,
            })) => {
                if let Some(question) = subject.strip_prefix("$JS.API.") {
                    client.answer_api(state, question, reply.as_deref());
                    continue;
                }
                let published = {
                    let mut seen = lock(&state.seen);
                    let nth = seen.len() as u64 + 1;
                    let published = Published {
                        nth,
                        subject,
                        reply,
                        headers,
                        payload,
                    };
                    seen.push(published.clone());
                    published
                };
                let script = Arc::clone(&lock(&state.script));
                client.act(state, &published, script(&published));
                state.seen_count.send_replace(published.nth);
            }
            Ok(Some(Command::Nothing)) => {}
            Ok(None) => return,
            Err(error) => {
                client.send(format!("-ERR '{error}'\r\n").into());
                return;
            }
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut frames: UnboundedReceiver<Out>) {
    while let Some(Out::Frame(frame)) = frames.recv().await {
        if writer.write_all(&frame).await.is_err() {
            return;
        }
    }
}

impl Client {
    fn send(&self, frame: Bytes) {
        // A closed channel is a closed connection; nobody is left to tell.
        let _ = self.out.send(Out::Frame(frame));
    }

    /// Hands a message to every subscription that takes its subject.
    fn deliver(&self, subject: &str, frame: impl Fn(&str) -> Bytes) {
        let mut subscriptions = lock(&self.subscriptions);
        for (sid, subscription) in subscriptions.iter_mut() {
            if wire::matches(&subscription.subject, subject) && subscription.left != Some(0) {
                subscription.left = subscription.left.map(|left| left - 1);
                self.send(frame(sid));
            }
        }
    }

    fn answer(&self, reply: Option<&str>, payload: &[u8]) {
        if let Some(reply) = reply {
            self.deliver(reply, |sid| wire::message(reply, sid, payload));
        }
    }

    fn answer_json(&self, reply: Option<&str>, value: &Value) {
        self.answer(reply, value.to_string().as_bytes());
    }

    fn no_responders(&self, reply: Option<&str>) {
        if let Some(reply) = reply {
            self.deliver(reply, |sid| wire::no_responders(reply, sid));
        }
    }

    fn answer_api(&self, state: &State, question: &str, reply: Option<&str>) {
        let about_a_stream = ["STREAM.INFO.", "STREAM.CREATE.", "STREAM.UPDATE."];
        let Some(name) = about_a_stream
            .iter()
            .find_map(|prefix| question.strip_prefix(prefix))
        else {
            self.no_responders(reply);
            return;
        };
        let info = lock(&state.stream_info).clone().filter(|_| name == state.stream);
        self.answer_json(reply, &info.unwrap_or_else(not_found));
    }

    fn act(&self, state: &Arc<State>, published: &Published, reply: Reply) {
        let to = published.reply.as_deref();
        match reply {
            Reply::Ack => self.answer_json(to, &ack(state)),
            Reply::Duplicate => {
                let seq = state.sequence.load(Ordering::Acquire).max(1);
                self.answer_json(
                    to,
                    &json!({"stream": state.stream, "seq": seq, "duplicate": true}),
                );
            }
            Reply::NoResponders => self.no_responders(to),
            Reply::ErrorJson {
                code,
                err_code,
                description,
            } => {
                let error = json!({"code": code, "err_code": err_code, "description": description});
                self.answer_json(to, &json!({"error": error, "stream": state.stream, "seq": 0}));
            }
            Reply::Malformed(bytes) => self.answer(to, &bytes),
            Reply::Silence => {}
            Reply::Late(time) => {
                let (client, state, to) = (self.clone(), Arc::clone(state), published.reply.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    client.answer_json(to.as_deref(), &ack(&state));
                });
            }
            Reply::Twice => {
                let ack = ack(state);
                self.answer_json(to, &ack);
                self.answer_json(to, &ack);
            }
            Reply::ForeignStream => {
                self.answer_json(to, &json!({"stream": "of_someone_else", "seq": 1}));
            }
            Reply::AckOfAnotherSubject => {
                let other = to.map(|to| match to.rsplit_once('.') {
                    Some((inbox, _)) => format!("{inbox}.never-asked"),
                    None => "never-asked".to_owned(),
                });
                self.answer_json(other.as_deref(), &ack(state));
            }
            Reply::PermissionViolation => {
                let line = format!(
                    "-ERR 'Permissions Violation for Publish to \"{}\"'\r\n",
                    published.subject
                );
                self.send(line.into());
            }
            Reply::Disconnect => {
                let _ = self.out.send(Out::Close);
            }
            Reply::Sequence(replies) => {
                for reply in replies {
                    self.act(state, published, reply);
                }
            }
        }
    }
}

fn ack(state: &State) -> Value {
    let seq = state.sequence.fetch_add(1, Ordering::AcqRel) + 1;
    json!({"stream": state.stream, "seq": seq})
}

fn not_found() -> Value {
    json!({
        "type": "io.nats.jetstream.api.v1.stream_info_response",
        "error": {"code": 404, "err_code": 10059, "description": "stream not found"},
    })
}

fn greeting(state: &State) -> Bytes {
    let info = json!({
        "server_id": "STANDIN", "server_name": "stand-in", "version": crate::nats::VERSION, "proto": 1,
        "go": "none", "host": "127.0.0.1", "port": state.address.port(), "client_id": 1,
        "headers": true, "max_payload": 1_048_576, "jetstream": true,
    });
    format!("INFO {info}\r\n").into()
}
