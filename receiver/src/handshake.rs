//! Answers Meta's subscription handshake, and proves to a probe whose answer it got.
//!
//! Before Meta delivers anything it sends `GET ?hub.mode=subscribe&hub.verify_token=…&hub.challenge=…`
//! and expects the challenge back (Meta, Graph API: Webhooks, "Validating verification requests").
//! Pure decisions over the query string; the caller turns them into HTTP.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode;

use crate::signature::{hmac_sha256, token_matches};

/// The longest challenge that is echoed, in bytes. Meta's are about ten; the cap keeps strangers
/// from using the endpoint as a mirror.
pub const MAX_CHALLENGE: usize = 4096;

/// The response header that carries [`probe_answer`].
pub const PROBE_HEADER: http::HeaderName = http::HeaderName::from_static("x-wahook-probe");

/// The longest probe nonce, in bytes.
const MAX_NONCE: usize = 64;

/// The three parameters of a handshake, decoded to bytes. There is no `Debug`: one is a secret.
pub struct Handshake {
    mode: Option<Vec<u8>>,
    token: Option<Vec<u8>>,
    challenge: Option<Vec<u8>>,
}

impl Handshake {
    /// Decides what a GET on the webhook path is answered.
    ///
    /// `query` is the raw query string. Names and values are percent-decoded to bytes and `+` is a
    /// space; parameters other than the three are ignored, because proxies like to add some.
    /// `verify_token` is `None` until one is configured, which refuses everything.
    pub fn decide(query: Option<&str>, verify_token: Option<&[u8]>) -> HandshakeOutcome {
        match Self::parse(query).and_then(|handshake| handshake.check(verify_token)) {
            Ok(challenge) => HandshakeOutcome::Verified { challenge },
            Err(refusal) => HandshakeOutcome::Refused(refusal),
        }
    }

    /// Whether the query has any of a handshake's parameters, right or wrong.
    pub fn is_attempted(query: Option<&str>) -> bool {
        parameters(query).any(|(name, _)| name.starts_with(b"hub."))
    }

    /// Picks the three parameters out of the query.
    fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let mut found = Self {
            mode: None,
            token: None,
            challenge: None,
        };
        for (name, value) in parameters(query) {
            let slot = match &*name {
                b"hub.mode" => &mut found.mode,
                b"hub.verify_token" => &mut found.token,
                b"hub.challenge" => &mut found.challenge,
                _ => continue,
            };
            // Which of two values counts differs between servers; a proxy that checks one must not
            // be fooled by the other.
            if slot.replace(value.into_owned()).is_some() {
                return Err(Refusal::RepeatedParameter);
            }
        }
        Ok(found)
    }

    /// The challenge, if everything is right.
    fn check(self, verify_token: Option<&[u8]>) -> Result<Vec<u8>, Refusal> {
        if self.mode.ok_or(Refusal::ModeMissing)? != b"subscribe" {
            return Err(Refusal::ModeWrong);
        }
        let expected = verify_token
            .filter(|token| !token.is_empty())
            .ok_or(Refusal::NotConfigured)?;
        let token = self.token.ok_or(Refusal::TokenMissing)?;
        if !token_matches(expected, &token) {
            return Err(Refusal::TokenWrong);
        }
        let challenge = self
            .challenge
            .filter(|given| !given.is_empty())
            .ok_or(Refusal::ChallengeMissing)?;
        if challenge.len() > MAX_CHALLENGE {
            return Err(Refusal::ChallengeTooLong);
        }
        Ok(challenge)
    }
}

/// What a handshake comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum HandshakeOutcome {
    /// Answer 200 `text/plain` with exactly these bytes.
    Verified {
        /// The decoded challenge, never parsed.
        challenge: Vec<u8>,
    },
    /// Answer 403 `Verification failed`.
    Refused(Refusal),
}

impl HandshakeOutcome {
    /// The `reason` label of `whatsapp_webhook_handshakes_total`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::Refused(refusal) => refusal.as_str(),
        }
    }
}

/// Why a handshake was refused. Goes to metrics and logs, never to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No `hub.mode`: usually a browser or a scanner.
    ModeMissing,
    /// `hub.mode` is not `subscribe`.
    ModeWrong,
    /// No `hub.verify_token`.
    TokenMissing,
    /// `hub.verify_token` is not the configured one.
    TokenWrong,
    /// No `hub.challenge`, or an empty one.
    ChallengeMissing,
    /// `hub.challenge` is longer than [`MAX_CHALLENGE`].
    ChallengeTooLong,
    /// One of the three parameters came twice.
    RepeatedParameter,
    /// No verify token is configured yet.
    NotConfigured,
}

impl Refusal {
    /// The `reason` label of `whatsapp_webhook_handshakes_total`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModeMissing => "mode_missing",
            Self::ModeWrong => "mode_wrong",
            Self::TokenMissing => "token_missing",
            Self::TokenWrong => "token_wrong",
            Self::ChallengeMissing => "challenge_missing",
            Self::ChallengeTooLong => "challenge_too_long",
            Self::RepeatedParameter => "repeated_parameter",
            Self::NotConfigured => "not_configured",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a prober sends as `wahook.nonce`: 1 to 64 characters of `[A-Za-z0-9_-]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeNonce(String);

impl ProbeNonce {
    /// Reads the nonce of a query; `None` when there is none, several, or one of another shape.
    pub fn from_query(query: Option<&str>) -> Option<Self> {
        let mut values = parameters(query).filter(|(name, _)| &**name == b"wahook.nonce");
        let (_, value) = values.next()?;
        if values.next().is_some() || !(1..=MAX_NONCE).contains(&value.len()) {
            return None;
        }
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !value.iter().all(allowed) {
            return None;
        }
        String::from_utf8(value.into_owned()).ok().map(Self)
    }
}

/// Proves to whoever shares the probe key that this very receiver answered, and not a proxy's or a
/// stranger's 403: `sha256=<hex HMAC-SHA256(key, "wahook-probe-v1:" || nonce)>`.
pub fn probe_answer(key: &[u8], nonce: &ProbeNonce) -> String {
    let answer = hmac_sha256(key, &[b"wahook-probe-v1:", nonce.0.as_bytes()]);
    format!("sha256={}", hex::encode(answer))
}

/// What the operator sends along with a `POST` of its probe, in [`PROBE_HEADER`]: proves that it has the probe key, for this
/// nonce, and is worth nothing as an answer to a `GET`.
pub fn probe_post(key: &[u8], nonce: &ProbeNonce) -> String {
    let proof = hmac_sha256(key, &[b"wahook-probe-post-v1:", nonce.0.as_bytes()]);
    format!("sha256={}", hex::encode(proof))
}

/// Whether `proof` is what [`probe_post`] gives. In constant time.
pub fn is_probe_post(key: &[u8], nonce: &ProbeNonce, proof: &[u8]) -> bool {
    token_matches(probe_post(key, nonce).as_bytes(), proof)
}

/// The name-value pairs of a query string as bytes: what a challenge decodes to need not be UTF-8.
fn parameters(query: Option<&str>) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
}

fn decode(text: &str) -> Cow<'_, [u8]> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        Cow::Owned(percent_decode(spaced.as_bytes()).collect())
    } else {
        percent_decode(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests;
