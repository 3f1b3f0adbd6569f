//! Meta's Graph API: sends a reply.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use crate::options::Secret;

/// How long a request may take, and how long an answer may be silent.
const LIMIT: Duration = Duration::from_secs(10);

/// Errors of Meta's that pass, also where the status is 400: no login or no right now (0, 10, 190), and too much at a time (Meta, Cloud
/// API: error codes).
const PASSING: [i64; 7] = [0, 4, 10, 190, 80007, 130_429, 131_056];

/// A client of the Graph API.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    http: reqwest::Client,
    url: String,
    token: Secret,
}

/// Whom a reply goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A phone number.
    Phone(String),
    /// A business-scoped user id, where the phone number is hidden.
    User(String),
}

/// A message was not sent, or may not have been.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// Meta will not take it, however often it is asked: its error code.
    Refused(i64),
    /// Meta did not take it now, and why not: the status and Meta's error code, or that nobody was there.
    Later(String),
    /// Nobody said. It may have been taken.
    Unknown,
}

impl Graph {
    pub(crate) fn new(url: &str, token: &Secret) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            // A redirect would carry the token away.
            .redirect(reqwest::redirect::Policy::none())
            .read_timeout(LIMIT)
            .build()?;
        Ok(Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            token: token.clone(),
        })
    }

    /// Replies to `message_id`. `event_id` comes back with every status of the reply (Meta: `biz_opaque_callback_data`).
    pub(crate) async fn reply(
        &self,
        phone_number_id: &str,
        to: &Address,
        text: &str,
        message_id: &str,
        event_id: &str,
    ) -> Result<(), NotSent> {
        let (key, to) = match to {
            Address::Phone(number) => ("to", number),
            Address::User(id) => ("recipient", id),
        };
        let body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            key: to,
            "type": "text",
            "text": {"body": text},
            "context": {"message_id": message_id},
            "biz_opaque_callback_data": event_id,
        });
        let request = self.http.post(format!("{}/{phone_number_id}/messages", self.url));
        let request = request.bearer_auth(&self.token.0).timeout(LIMIT);
        match request.json(&body).send().await {
            Ok(answer) => outcome(answer).await,
            // It never got there.
            Err(error) if error.is_connect() => Err(NotSent::Later("there is no connection".to_owned())),
            Err(_) => Err(NotSent::Unknown),
        }
    }

    /// What the Graph API says of an object.
    pub(crate) async fn look_up(&self, id: &str) -> reqwest::Result<reqwest::Response> {
        let request = self.http.get(format!("{}/{id}", self.url)).timeout(LIMIT);
        request.bearer_auth(&self.token.0).send().await
    }

    /// What is at an address that the Graph API named. A large file takes its time: only silence ends it.
    pub(crate) async fn download(&self, url: Url) -> reqwest::Result<reqwest::Response> {
        self.http.get(url).bearer_auth(&self.token.0).send().await
    }
}

async fn outcome(answer: reqwest::Response) -> Result<(), NotSent> {
    let status = answer.status();
    let Ok(body) = answer.json::<Value>().await else {
        return Err(NotSent::Unknown);
    };
    if status == StatusCode::OK {
        return Ok(());
    }
    Err(judge(status, &body))
}

/// What an answer means that is not 200.
pub(crate) fn judge(status: StatusCode, body: &Value) -> NotSent {
    let error = &body["error"];
    match error["code"].as_i64() {
        // Without an error of Meta's it is somebody in between who answers.
        None => NotSent::Unknown,
        Some(code) if is_transient(status, code, error) => {
            NotSent::Later(format!("status {}, code {code}", status.as_u16()))
        }
        Some(code) => NotSent::Refused(code),
    }
}

/// Whether the same request may be taken later. A token that has expired is not the event's fault: somebody has to mend that, and
/// until then everything waits.
fn is_transient(status: StatusCode, code: i64, error: &Value) -> bool {
    let is_ours = matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    );
    is_ours || status.is_server_error() || PASSING.contains(&code) || error["is_transient"] == true
}
