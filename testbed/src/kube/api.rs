//! A small HTTPS client of the API server, as the administrator: what starting and simple checks need.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::error::KubeError;
use super::pki::Pair;

const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// The pause between two questions.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Asks the API server in plain JSON.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    url: String,
}

impl Api {
    pub(crate) fn new(url: String, ca: &Path, login: &Pair) -> Result<Self, KubeError> {
        // The client asks for a provider; an installed one is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let read = |path: &Path| fs::read(path).map_err(KubeError::io("read a certificate"));
        let mut identity = read(&login.certificate)?;
        identity.extend(read(&login.key)?);
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&read(ca)?)?])
            .identity(reqwest::Identity::from_pem(&identity)?)
            .no_proxy()
            .timeout(REQUEST_LIMIT)
            .build()?;
        Ok(Self { http, url })
    }

    /// GET.
    ///
    /// # Errors
    /// [`KubeError::Refused`] on any other status than success, [`KubeError::Http`] without an answer.
    pub async fn get(&self, path: &str) -> Result<Value, KubeError> {
        self.send(Method::GET, path, None).await
    }

    /// POST: creates an object in the collection at `path`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post(&self, path: &str, object: &Value) -> Result<Value, KubeError> {
        self.send(Method::POST, path, Some(object)).await
    }

    /// Server-side apply: makes the object at `path`, or makes it say this.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn apply(&self, path: &str, object: &Value) -> Result<Value, KubeError> {
        let path = format!("{path}?fieldManager=testbed&force=true");
        self.send(Method::PATCH, &path, Some(object)).await
    }

    /// The same for a kind whose definition was made a moment ago: waits until the API server knows it.
    pub(crate) async fn apply_once_known(&self, path: &str, object: &Value) -> Result<(), KubeError> {
        let deadline = Instant::now() + REQUEST_LIMIT;
        loop {
            match self.apply(path, object).await {
                Err(KubeError::Refused { status: 404, .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(ASK_EVERY).await;
                }
                other => return other.map(drop),
            }
        }
    }

    /// DELETE.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn delete(&self, path: &str) -> Result<Value, KubeError> {
        self.send(Method::DELETE, path, None).await
    }

    /// Answers in text, such as those of `/readyz`, come back as a JSON string.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, KubeError> {
        let is_patch = method == Method::PATCH;
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if is_patch {
            // JSON is YAML. What is set first stays.
            request = request.header("content-type", "application/apply-patch+yaml");
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_success() {
            return Ok(value);
        }
        Err(KubeError::Refused {
            path: path.to_owned(),
            status: status.as_u16(),
            message: match &value["message"] {
                Value::String(message) => message.clone(),
                _ => value.to_string(),
            },
        })
    }
}
