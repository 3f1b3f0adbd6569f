//! The upper floor: the receiver's job in the fewest lines, with the library's usual way to publish. It verifies, splits,
//! publishes each event with its id through async-nats' `JetStream` context, and answers when all are acknowledged.
//!
//! What it has not is what a receiver needs: limits, deadlines, metrics, a memory of ids, order, unknown events, reloading.

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::{self, Context};
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap as RequestHeaders, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;

type Failure = Box<dyn Error + Send + Sync>;

struct Floor {
    stream: Context,
    key: Hmac<Sha256>,
    subject: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    value: Value<'a>,
}

#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow, default)]
    messages: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    statuses: Vec<&'a RawValue>,
}

/// What the id of an event is made of.
#[derive(Deserialize)]
struct Named<'a> {
    id: &'a str,
    status: Option<&'a str>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let client = async_nats::connect(env::var("NATS_URL")?).await?;
    let floor = Floor {
        stream: jetstream::new(client),
        key: Hmac::new_from_slice(env::var("APP_SECRET")?.as_bytes())?,
        subject: env::var("SUBJECT")?,
    };
    let port: u16 = env::var("PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let app = Router::new()
        .route("/webhook", post(receive))
        .layer(DefaultBodyLimit::max(3 << 20))
        .with_state(Arc::new(floor));
    axum::serve(listener, app).await?;
    Ok(())
}

async fn receive(
    State(floor): State<Arc<Floor>>,
    headers: RequestHeaders,
    body: Bytes,
) -> (StatusCode, &'static str) {
    if !floor.is_signed(&headers, &body) {
        return (StatusCode::UNAUTHORIZED, r#"{"error":"Invalid signature"}"#);
    }
    match floor.store(&body).await {
        Ok(()) => (StatusCode::OK, r#"{"status":"received"}"#),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, ""),
    }
}

impl Floor {
    fn is_signed(&self, headers: &RequestHeaders, body: &[u8]) -> bool {
        let given = headers
            .get("X-Hub-Signature-256")
            .map_or(&b""[..], |value| value.as_bytes());
        let given = given
            .strip_prefix(b"sha256=")
            .and_then(|digits| hex::decode(digits).ok());
        let mut mac = self.key.clone();
        mac.update(body);
        given.is_some_and(|given| mac.verify_slice(&given).is_ok())
    }

    /// Publishes everything, then awaits every acknowledgement.
    async fn store(&self, body: &[u8]) -> Result<(), Failure> {
        let envelope: Envelope<'_> = serde_json::from_slice(body)?;
        let mut acknowledgements = Vec::new();
        for change in envelope.entry.into_iter().flat_map(|entry| entry.changes) {
            for (family, events) in [
                ("messages", change.value.messages),
                ("statuses", change.value.statuses),
            ] {
                for event in events {
                    acknowledgements.push(self.publish(family, event.get()).await?);
                }
            }
        }
        for acknowledgement in acknowledgements {
            acknowledgement.await?;
        }
        Ok(())
    }

    async fn publish(&self, family: &str, event: &str) -> Result<PublishAckFuture, Failure> {
        let named: Named<'_> = serde_json::from_str(event)?;
        let mut headers = HeaderMap::new();
        let id = match named.status {
            Some(status) => format!("{}:{status}", named.id),
            None => named.id.to_owned(),
        };
        headers.insert("Nats-Msg-Id", id);
        let subject = format!("{}.{family}", self.subject);
        let payload = Bytes::copy_from_slice(event.as_bytes());
        Ok(self
            .stream
            .publish_with_headers(subject, headers, payload)
            .await?)
    }
}
