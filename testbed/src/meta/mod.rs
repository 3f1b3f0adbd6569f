//! Plays Meta: signs bodies and posts them, asks for the handshake, and sends what Meta never would.

mod load;
mod raw;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use sha2::Sha256;

pub use load::{LoadReport, load};
pub use raw::{RawAnswer, RawConnection, raw_http};

/// The time one request may take. Longer than any limit of the receiver, so that its own answer is seen.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "X-Hub-Signature-256";

/// The value of `X-Hub-Signature-256` for a body: `sha256=` and the HMAC-SHA256 in lower-case hex.
///
/// Source: Meta, Webhooks, "Validating payloads".
pub fn sign(secret: impl AsRef<[u8]>, body: &[u8]) -> String {
    // HMAC takes a key of any length, so there is nothing to fail.
    Hmac::<Sha256>::new_from_slice(secret.as_ref()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(body);
            format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
        },
    )
}

/// What the receiver answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// From the start of the request to the last byte of the answer.
    pub elapsed: Duration,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header, when it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A client that posts to one webhook. Clones share connections.
#[derive(Clone)]
pub struct MetaClient {
    http: reqwest::Client,
    url: String,
    secret: String,
    way: Option<Arc<Way>>,
}

/// How to get to a host that no name server knows and that a public authority does not vouch for.
#[derive(Clone, Debug)]
pub struct Way {
    /// The host.
    pub host: String,
    /// Where it is.
    pub address: SocketAddr,
    /// The authority that its certificate must come from, PEM.
    pub authority: Vec<u8>,
}

impl MetaClient {
    /// A client of the webhook at `url`, such as `http://127.0.0.1:3000/webhook`, that signs with `secret`.
    ///
    /// # Errors
    /// `reqwest`'s, when no client can be built.
    pub fn new(url: impl Into<String>, secret: impl Into<String>) -> reqwest::Result<Self> {
        Ok(Self {
            http: http_client(None)?,
            url: url.into(),
            secret: secret.into(),
            way: None,
        })
    }

    /// The same for `https`, by a way of its own. The certificate is checked as Meta would: chain, host, dates.
    ///
    /// # Errors
    /// `reqwest`'s, when the authority is none or no client can be built.
    pub fn by_way(url: impl Into<String>, secret: impl Into<String>, way: Way) -> reqwest::Result<Self> {
        Ok(Self {
            http: http_client(Some(&way))?,
            url: url.into(),
            secret: secret.into(),
            way: Some(Arc::new(way)),
        })
    }

    /// The same webhook and secret over connections of its own.
    ///
    /// # Errors
    /// `reqwest`'s, when no client can be built.
    pub fn with_new_connections(&self) -> reqwest::Result<Self> {
        Ok(Self {
            http: http_client(self.way.as_deref())?,
            ..self.clone()
        })
    }

    /// The webhook's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The signature of a body with this client's secret.
    pub fn signature(&self, body: &[u8]) -> String {
        sign(&self.secret, body)
    }

    /// Posts a body as Meta does: JSON, signed.
    ///
    /// # Errors
    /// `reqwest`'s, when no whole answer came.
    pub async fn post(&self, body: impl Into<Bytes>) -> reqwest::Result<Answer> {
        let body = body.into();
        let signature = self.signature(&body);
        self.post_with(body, &[(SIGNATURE_HEADER, signature.as_str())])
            .await
    }

    /// Posts a body with exactly these headers beside `Content-Type`: nothing is signed for you.
    ///
    /// # Errors
    /// `reqwest`'s, when a header is not one or no whole answer came.
    pub async fn post_with(
        &self,
        body: impl Into<Bytes>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.post(&self.url).body(body.into());
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()))
        {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Asks for the handshake as Meta does when the webhook is registered.
    ///
    /// # Errors
    /// `reqwest`'s, when no whole answer came.
    pub async fn handshake(&self, token: &str, challenge: &str) -> reqwest::Result<Answer> {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.verify_token", token),
            ("hub.challenge", challenge),
        ];
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        self.get(&query.join("&")).await
    }

    /// GET with this query, which must be escaped already; empty for none.
    ///
    /// # Errors
    /// `reqwest`'s, when no whole answer came.
    pub async fn get(&self, query: &str) -> reqwest::Result<Answer> {
        let mark = if query.is_empty() { "" } else { "?" };
        self.send(self.http.get(format!("{}{mark}{query}", self.url)))
            .await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let started = Instant::now();
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?;
        Ok(Answer {
            status,
            headers,
            body,
            elapsed: started.elapsed(),
        })
    }
}

fn http_client(way: Option<&Way>) -> reqwest::Result<reqwest::Client> {
    // The client is built with TLS, which asks for a provider; an installed one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder();
    let mut authorities = Vec::new();
    if let Some(way) = way {
        builder = builder.resolve(&way.host, way.address);
        authorities.push(reqwest::Certificate::from_pem(&way.authority)?);
    }
    builder
        .tls_certs_only(authorities)
        .user_agent("facebookexternalua")
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(REQUEST_LIMIT)
        .build()
}

/// Escapes everything a query may not hold as it is (RFC 3986, "unreserved").
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push_str(&hex::encode_upper([byte]));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_hmac_sha256() {
        // RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", b"what do ya want for nothing?"), expected);
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(escape("a b&c=d/é~"), "a%20b%26c%3Dd%2F%C3%A9~");
    }
}
