//! The event id: 128 bits of SHA-256 over an event's natural key.
//!
//! The id is what JetStream deduplicates by (`Nats-Msg-Id`), so two deliveries of one event must give one id and two
//! different events must never share one. It is 22 characters, whatever the key holds: a wamid embeds a phone number,
//! a digest of it does not.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Identifies one event inside a stream's duplicate window. Displayed as 22 characters of base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; 16]);

impl EventId {
    /// Length of the displayed id in characters.
    pub const LEN: usize = 22;

    /// An id made of 16 bytes that the caller chose, for events that must never be deduplicated (dashboard tests).
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes behind the id, for maps that remember many of them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id of a dead letter: the digest of its bytes, so that a repeated delivery is stored once.
    pub fn of_dead_letter(bytes: &[u8]) -> Self {
        Self::of_bytes(crate::known::DEAD_LETTER, bytes)
    }

    /// The id of bytes that have no natural key of their own, such as a dead-lettered body.
    pub fn of_bytes(kind: &str, bytes: &[u8]) -> Self {
        Key::new(kind, "", "").bytes(bytes).finish()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; Self::LEN];
        let written = URL_SAFE_NO_PAD
            .encode_slice(self.0, &mut text)
            .unwrap_or_default();
        f.write_str(std::str::from_utf8(&text[..written]).unwrap_or_default())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// Hashes a natural key part by part. Every part is preceded by its length, so that no two lists of parts give the same
/// bytes, and an absent part differs from an empty one.
pub(crate) struct Key(Sha256);

impl Key {
    /// Starts a key with what every key begins with: the version of this scheme, Meta's field, the account the event
    /// belongs to, and the kind of object.
    pub(crate) fn new(field: &str, account: &str, kind: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"wahook/1");
        Self(hasher)
            .text(Some(field))
            .text(Some(account))
            .text(Some(kind))
    }

    /// Adds a part of text; `None` is a part of its own kind.
    pub(crate) fn text(self, part: Option<&str>) -> Self {
        if let Some(text) = part {
            return self.bytes(text.as_bytes());
        }
        let mut hasher = self.0;
        hasher.update([0]);
        Self(hasher)
    }

    /// Adds a part of bytes.
    pub(crate) fn bytes(self, part: &[u8]) -> Self {
        let mut hasher = self.0;
        hasher.update([1]);
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
        Self(hasher)
    }

    /// Adds an object without an id: its digest, and its place among everything in the body, so that two alike stay two.
    pub(crate) fn digest_and_ordinal(self, digest: &[u8; 32], ordinal: usize) -> Self {
        self.bytes(digest).bytes(&(ordinal as u64).to_be_bytes())
    }

    /// The id of the key so far.
    pub(crate) fn finish(self) -> EventId {
        let digest = self.0.finalize();
        let mut id = [0_u8; 16];
        id.copy_from_slice(&digest[..16]);
        EventId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_22_characters_of_base64url() {
        let id = Key::new("messages", "1055501", "message")
            .text(Some("wamid.A"))
            .finish()
            .to_string();
        assert_eq!(id.len(), EventId::LEN);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "{id}"
        );
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        let key = || Key::new("f", "a", "k");
        assert_ne!(
            key().text(Some("ab")).text(Some("c")).finish(),
            key().text(Some("a")).text(Some("bc")).finish()
        );
        assert_ne!(key().text(None).finish(), key().text(Some("")).finish());
        assert_ne!(
            key().text(None).text(Some("x")).finish(),
            key().text(Some("x")).text(None).finish()
        );
    }
}
