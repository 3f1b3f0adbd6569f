//! Checks `X-Hub-Signature-256`: nothing that fails here is ever parsed.
//!
//! Meta signs the exact bytes of the body with HMAC-SHA256 under the app secret and sends
//! `sha256=<64 lower-case hex digits>` (Meta, Graph API: Webhooks, "Validating payloads").
//! Several secrets may be active at once, so that an app secret can be rotated without a gap.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// The request header that carries Meta's signature.
pub const HEADER: HeaderName = HeaderName::from_static("x-hub-signature-256");

/// What the header's value begins with.
pub const PREFIX: &str = "sha256=";

/// An HMAC key state that has absorbed its key but no message yet.
type Keyed = Hmac<Sha256>;

/// The block length of SHA-256 in bytes, to which HMAC pads its key (RFC 2104).
const BLOCK: usize = 64;

/// A well-formed signature as the client sent it. Says nothing about whether it is right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignatureHeader([u8; 32]);

impl SignatureHeader {
    /// Reads the one signature header of a request.
    ///
    /// Surrounding white space never gets here: HTTP strips it from header values. Everything else
    /// that is not exactly `sha256=` and 64 lower-case hex digits is refused, because Meta sends
    /// nothing else and leniency here would only help somebody who is probing.
    ///
    /// # Errors
    /// [`SignatureError::Missing`] without the header, [`SignatureError::Malformed`] when it is
    /// repeated or has any other shape.
    pub fn parse(headers: &HeaderMap) -> Result<Self, SignatureError> {
        let mut values = headers.get_all(HEADER).iter();
        let value = values.next().ok_or(SignatureError::Missing)?;
        if values.next().is_some() {
            return Err(SignatureError::Malformed);
        }
        Self::from_value(value.as_bytes()).ok_or(SignatureError::Malformed)
    }

    /// Reads one header value; `None` unless it has exactly Meta's shape.
    pub fn from_value(value: &[u8]) -> Option<Self> {
        let digits = value.strip_prefix(PREFIX.as_bytes())?;
        if !digits
            .iter()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        {
            return None;
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Whether this is the signature of `body` under `secret`, compared in constant time.
    pub fn signs(&self, secret: &[u8], body: &[u8]) -> bool {
        self.equals(&hmac_sha256(secret, &[body])).into()
    }

    fn equals(&self, candidate: &[u8; 32]) -> Choice {
        self.0.as_slice().ct_eq(candidate.as_slice())
    }
}

/// Signature bytes allow a replay, so they are not shown.
impl fmt::Debug for SignatureHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureHeader(..)")
    }
}

/// Why the signature header could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request has no signature header.
    #[error("the request has no X-Hub-Signature-256 header. Check that no proxy strips it")]
    Missing,
    /// The header is repeated, or is not `sha256=` and 64 lower-case hex digits.
    #[error(
        "X-Hub-Signature-256 is not exactly `sha256=` and 64 lower-case hex digits. Check what changes it"
    )]
    Malformed,
}

/// Why a request was refused over its signature, as the metrics count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFailure {
    /// No signature header.
    Missing,
    /// A header of the wrong shape, or several.
    Malformed,
    /// No known secret made this signature.
    Mismatch,
    /// A secret that was active until recently made this signature.
    RetiredSecret,
}

impl SignatureFailure {
    /// Every reason there is.
    pub const ALL: [Self; 4] = [
        Self::Missing,
        Self::Malformed,
        Self::Mismatch,
        Self::RetiredSecret,
    ];

    /// The `reason` label of `whatsapp_webhook_signature_failures_total`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Mismatch => "mismatch",
            Self::RetiredSecret => "retired_secret",
        }
    }
}

impl From<SignatureError> for SignatureFailure {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Missing => Self::Missing,
            SignatureError::Malformed => Self::Malformed,
        }
    }
}

/// What the comparison with every active secret found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The body is Meta's; `index` counts the active secrets from zero.
    Match {
        /// Which active secret signed.
        index: usize,
    },
    /// No active secret made this signature.
    Mismatch,
}

/// Knows the app secrets as precomputed key states. Built once per set of secrets.
#[derive(Clone)]
pub struct Verifier {
    active: Vec<Keyed>,
    retired: Vec<Keyed>,
}

impl Verifier {
    /// Takes the secrets that may sign, and those that might until recently (these only explain a
    /// mismatch, they never accept one).
    ///
    /// A blank secret is left out: everybody knows it. Without any active secret nothing matches.
    pub fn new(active: &[&[u8]], retired: &[&[u8]]) -> Self {
        let keyed = |secrets: &[&[u8]]| {
            secrets
                .iter()
                .filter(|secret| !secret.is_empty())
                .map(|secret| key(secret))
                .collect()
        };
        Self {
            active: keyed(active),
            retired: keyed(retired),
        }
    }

    /// Starts hashing one body under every active secret.
    pub fn start(&self) -> Hashing {
        Hashing {
            candidates: self.active.clone(),
        }
    }

    /// Whether a retired secret signed this body. Costs one more pass over the body per retired
    /// secret, so ask only after a [`Verdict::Mismatch`].
    pub fn was_retired(&self, body: &[u8], header: &SignatureHeader) -> bool {
        let mut hashing = Hashing {
            candidates: self.retired.clone(),
        };
        hashing.update(body);
        hashing.finish(header) != Verdict::Mismatch
    }
}

/// Shows how many secrets there are, never which.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("active", &self.active.len())
            .field("retired", &self.retired.len())
            .finish()
    }
}

/// One body on its way through the hash, chunk by chunk as it arrives.
pub struct Hashing {
    candidates: Vec<Keyed>,
}

impl Hashing {
    /// Adds the next bytes of the body.
    pub fn update(&mut self, chunk: &[u8]) {
        for candidate in &mut self.candidates {
            candidate.update(chunk);
        }
    }

    /// Compares every candidate in constant time. Neither the time nor the order of work tells
    /// which secret matched, or how close a guess was.
    pub fn finish(self, header: &SignatureHeader) -> Verdict {
        let mut matched = Choice::from(0);
        let mut index = 0_u64;
        for (position, candidate) in (0_u64..).zip(self.candidates) {
            let equal = header.equals(&candidate.finalize().into_bytes().into());
            index.conditional_assign(&position, equal & !matched);
            matched |= equal;
        }
        match (bool::from(matched), usize::try_from(index)) {
            (true, Ok(index)) => Verdict::Match { index },
            _ => Verdict::Mismatch,
        }
    }
}

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashing")
            .field("candidates", &self.candidates.len())
            .finish()
    }
}

/// The header value Meta would send for this body: `sha256=<hex>`.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    format!("{PREFIX}{}", hex::encode(hmac_sha256(secret, &[body])))
}

/// Whether the given token is the expected one, in a time that depends on neither's content and
/// does not tell the expected one's length. An empty expectation matches nothing.
pub fn token_matches(expected: &[u8], given: &[u8]) -> bool {
    let equal = Sha256::digest(expected)
        .as_slice()
        .ct_eq(Sha256::digest(given).as_slice());
    bool::from(equal) && !expected.is_empty()
}

/// HMAC-SHA256 over the concatenated parts (RFC 2104).
pub(crate) fn hmac_sha256(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut keyed = key(secret);
    for part in parts {
        keyed.update(part);
    }
    keyed.finalize().into_bytes().into()
}

/// Prepares a key state. Padding to one block here, as RFC 2104 says, leaves no length that could fail.
fn key(secret: &[u8]) -> Keyed {
    let mut block = Zeroizing::new([0_u8; BLOCK]);
    if secret.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    Keyed::new((&*block).into())
}

#[cfg(test)]
mod tests;
