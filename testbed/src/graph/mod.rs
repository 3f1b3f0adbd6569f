//! Meta's Graph API, as far as a consumer uses it: messages are sent, media is looked up and fetched. It keeps what was sent.
//!
//! Source of paths, bodies and errors: Meta, Cloud API: messages, media, error codes.

mod media;
mod send;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::log::lock;
use crate::meta::MetaClient;

pub use media::MediaFile;

/// How long the address of a media file is good (Meta, Cloud API: media).
pub const MEDIA_URL_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A message somebody sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The id it was given.
    pub id: String,
    /// The business phone number id in the path.
    pub phone_number_id: String,
    /// The whole body.
    pub body: Value,
}

impl Sent {
    /// The text of a member of the body, by JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }
}

/// What goes wrong with the next message that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 503, and the message is not taken.
    Unavailable,
    /// 429 with error 130429: too many messages; not taken.
    TooMany,
    /// 400 with error 131026: it cannot be delivered, however often it is sent.
    Undeliverable,
    /// 400 with this error of Meta's; not taken.
    Code(u32),
    /// The message is taken, and the connection ends without an answer.
    NoAnswer,
}

/// A Graph API on a port of this machine. It ends when it is dropped.
#[derive(Debug)]
pub struct Graph {
    state: Arc<State>,
    serving: JoinHandle<()>,
}

struct State {
    token: String,
    address: SocketAddr,
    sent: Mutex<Vec<Sent>>,
    faults: Mutex<VecDeque<Fault>>,
    media: Mutex<HashMap<String, MediaFile>>,
    born_expired: Mutex<usize>,
    token_expired: AtomicBool,
    webhook: Mutex<Option<MetaClient>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Graph {
    /// One that takes this access token.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(token: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            token: token.to_owned(),
            address,
            sent: Mutex::default(),
            faults: Mutex::default(),
            media: Mutex::default(),
            born_expired: Mutex::default(),
            token_expired: AtomicBool::default(),
            webhook: Mutex::default(),
        });
        let router = Router::new()
            .route("/{version}/{number}/messages", post(send::send))
            .route("/{version}/{media}", get(media::look_up))
            .route("/whatsapp_business/attachments/", get(media::fetch))
            .with_state(Arc::clone(&state));
        let serving = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { state, serving })
    }

    /// What a consumer puts in front of `/<id>/messages`, version included.
    pub fn url(&self) -> String {
        format!("http://{}/v23.0", self.state.address)
    }

    /// The host and port that media comes from.
    pub fn media_host(&self) -> String {
        self.state.address.to_string()
    }

    /// From now on the status `sent` of every message is posted here, as Meta does.
    pub fn tell(&self, webhook: MetaClient) {
        *lock(&self.state.webhook) = Some(webhook);
    }

    /// Every message that was taken, in order.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.state.sent).clone()
    }

    /// How many messages were taken.
    pub fn count(&self) -> usize {
        lock(&self.state.sent).len()
    }

    /// What happens to the next messages, one after the other.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state.faults).extend(faults);
    }

    /// A media file that a customer sent.
    pub fn put_media(&self, id: &str, file: MediaFile) {
        lock(&self.state.media).insert(id.to_owned(), file);
    }

    /// The next addresses of media that are handed out are as old as if they had waited for five minutes.
    pub fn expire_next_media_urls(&self, count: usize) {
        *lock(&self.state.born_expired) = count;
    }

    /// Whether the access token has expired: then everything is answered with 400 and error 190, and not with 401.
    pub fn expire_token(&self, has_expired: bool) {
        self.state.token_expired.store(has_expired, Ordering::SeqCst);
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    /// Whether the request has the token, else Meta's answer.
    fn authorised(&self, headers: &HeaderMap) -> Result<(), Box<Response>> {
        if self.token_expired.load(Ordering::SeqCst) {
            let message = "Error validating access token: Session has expired";
            return Err(Box::new(refuse(StatusCode::BAD_REQUEST, 190, message, false)));
        }
        let header = headers.get("authorization").and_then(|value| value.to_str().ok());
        if header == Some(&format!("Bearer {}", self.token)) {
            return Ok(());
        }
        Err(Box::new(refuse(
            StatusCode::UNAUTHORIZED,
            190,
            "Invalid OAuth access token",
            false,
        )))
    }
}

/// An error in the Graph API's form.
fn refuse(status: StatusCode, code: u32, message: &str, is_transient: bool) -> Response {
    let error = json!({"error": {
        "message": message,
        "type": "OAuthException",
        "code": code,
        "is_transient": is_transient,
        "fbtrace_id": "AbCdEfGhIjKlMnOp",
    }});
    answer(status, &error)
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}
