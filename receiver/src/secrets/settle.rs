//! When a polled file counts as changed: once it was seen twice in a row with the same content.
//!
//! A file that is being written looks different from one poll to the next, and so does a directory that was
//! swapped between two reads of one poll. Waiting for the second look keeps half a secret out, and its
//! warnings too.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Stands for content, to notice a change. Opaque in `Debug`: a digest of a short password could be guessed
/// from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of a sequence of parts. Where one part ends and the next starts makes a difference.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// Remembers what was seen at the last poll and what was already reported.
#[derive(Debug, Default)]
pub(crate) struct Settle {
    last: Option<Digest>,
    reported: Option<Digest>,
}

impl Settle {
    /// Whether `seen` came twice in a row and was not the last to do so. True once for each content.
    pub(crate) fn is_new(&mut self, seen: Digest) -> bool {
        let settled = self.last.replace(seen) == Some(seen);
        settled && self.reported.replace(seen) != Some(seen)
    }

    /// Counts `seen` as reported: it was used without waiting, at the start.
    pub(crate) fn assume(&mut self, seen: Digest) {
        self.last = Some(seen);
        self.reported = Some(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_counts_once_and_only_when_it_stays() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|content| Digest::of([content.as_slice()]));
        let mut settle = Settle::default();
        let seen = [a, a, a, b, c, c, a, c, c, a, a].map(|digest| settle.is_new(digest));
        let expected = [
            false, true, false, false, false, true, false, false, false, false, true,
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&str]| Digest::of(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
        assert_eq!(format!("{:?}", of(&["a"])), "Digest(..)");
    }
}
