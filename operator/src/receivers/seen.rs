//! What all receivers of a webhook have seen together. Pure.

use super::ask::Page;

/// So many requests with a wrong signature, and none with a right one since, are no accident.
const MANY: u64 = 10;

/// What the requests that arrive are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signatures {
    /// None has arrived, or too few to tell.
    #[default]
    None,
    /// One at least had a right signature.
    Right,
    /// Many have come since, and none of them had.
    Wrong,
}

/// What all receivers of a webhook have seen together. No times and no counts: it changes only when the condition may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether any of them answered.
    pub answered: bool,
    /// Whether Meta has verified the callback URL.
    pub verified: bool,
    /// Why the last handshake failed, when none succeeded.
    pub refused: Option<String>,
    /// What the requests are like.
    pub signatures: Signatures,
    /// The lowest number of secret sets that any of them has loaded.
    pub generation: Option<i64>,
    /// How many of them run the newest secrets that any of them has.
    pub current: Option<Current>,
}

/// How many receivers run the newest secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// So many.
    pub receivers: usize,
    /// Of so many.
    pub of: usize,
}

impl Current {
    /// Nothing when one of them does not say what it has: it is of an older version, or has no secrets yet.
    fn of(pages: &[&Page]) -> Option<Self> {
        let secrets = || pages.iter().map(|page| &page.secrets);
        // Whoever loaded last has read what is there now.
        let newest = secrets().max_by_key(|secrets| secrets.loaded_at)?;
        let all_say = secrets().all(|secrets| secrets.fingerprint.is_some());
        all_say.then(|| Self {
            receivers: secrets()
                .filter(|secrets| secrets.fingerprint == newest.fingerprint)
                .count(),
            of: pages.len(),
        })
    }
}

impl Seen {
    /// Puts together what each one says. Pages of other webhooks do not count: an address may have gone to somebody else.
    pub fn of(namespace: &str, webhook: &str, pages: &[Page]) -> Self {
        let pages: Vec<&Page> = pages
            .iter()
            .filter(|page| page.identity.namespace == namespace && page.identity.webhook == webhook)
            .collect();
        let handshakes: Vec<&str> = pages
            .iter()
            .filter_map(|page| page.last_handshake.as_ref())
            .map(|handshake| handshake.outcome.as_str())
            .collect();
        let verified = handshakes.contains(&"verified");
        let mismatches: u64 = pages
            .iter()
            .map(|page| page.signature_mismatches.since_delivery)
            .sum();
        // Each of them has seen only wrong ones since its last right one. One that has seen neither says nothing.
        let all_wrong = pages
            .iter()
            .all(|page| page.signature_mismatches.since_delivery > 0 || page.last_delivery.is_empty());
        Self {
            answered: !pages.is_empty(),
            verified,
            refused: handshakes.into_iter().find(|_| !verified).map(ToOwned::to_owned),
            signatures: if mismatches >= MANY && all_wrong {
                Signatures::Wrong
            } else if pages.iter().any(|page| !page.last_delivery.is_empty()) {
                Signatures::Right
            } else {
                Signatures::None
            },
            generation: pages.iter().map(|page| page.secrets.generation).min(),
            current: Current::of(&pages),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn page(more: &Value) -> Page {
        let mut page =
            json!({ "identity": { "namespace": "shop", "webhook": "main" }, "secrets": { "generation": 2 } });
        for (key, value) in more.as_object().unwrap() {
            page[key] = value.clone();
        }
        serde_json::from_value(page).unwrap()
    }

    fn seen(pages: &[Value]) -> Seen {
        Seen::of("shop", "main", &pages.iter().map(page).collect::<Vec<_>>())
    }

    #[test]
    fn all_of_them_together() {
        let quiet = json!({ "lastHandshake": null, "lastDelivery": {} });
        let verified = json!({ "lastHandshake": { "at": "x", "outcome": "verified" } });
        let refused = json!({ "lastHandshake": { "at": "x", "outcome": "token_wrong" } });
        let stored = json!({ "lastDelivery": { "stored": "x" } });
        let wrong = |count: u64| json!({ "signatureMismatches": { "last": "x", "sinceDelivery": count } });

        assert_eq!(seen(&[]), Seen::default());
        let one = seen(&[quiet.clone(), verified, refused.clone()]);
        assert!(one.answered && one.verified && one.signatures == Signatures::None);
        assert_eq!((one.refused, one.generation), (None, Some(2)));
        assert_eq!(
            seen(&[quiet.clone(), refused]).refused.as_deref(),
            Some("token_wrong")
        );
        let signatures = |pages: &[Value]| seen(pages).signatures;
        assert_eq!(signatures(&[quiet.clone(), stored.clone()]), Signatures::Right);
        assert_eq!(signatures(&[quiet.clone(), wrong(9)]), Signatures::None);
        assert_eq!(
            signatures(&[quiet.clone(), wrong(9), wrong(1)]),
            Signatures::Wrong
        );
        assert_eq!(
            signatures(&[stored, wrong(100)]),
            Signatures::Right,
            "another one took a right one and no wrong one since"
        );
        let later = json!({ "secrets": { "generation": 7 }, "lastDelivery": { "stored": "x" },
            "signatureMismatches": { "sinceDelivery": 10 } });
        let after = seen(&[later, quiet]);
        assert_eq!(after.signatures, Signatures::Wrong);
        assert_eq!(after.generation, Some(2));
    }

    #[test]
    fn those_who_loaded_last_have_the_newest_secrets() {
        let with = |fingerprint: &str, minute: u32| json!({ "secrets": { "fingerprint": fingerprint, "loadedAt": format!("2026-01-01T00:{minute:02}:00Z") } });
        let current = |pages: &[Value]| {
            let current = seen(pages).current;
            current.map(|current| (current.receivers, current.of))
        };
        assert_eq!(current(&[]), None);
        assert_eq!(current(&[with("a", 1), with("a", 2)]), Some((2, 2)));
        assert_eq!(current(&[with("a", 1), with("b", 3), with("a", 2)]), Some((1, 3)));
        // A new pod reads what is there, however often the others have loaded.
        assert_eq!(current(&[with("b", 3), with("c", 4), with("c", 5)]), Some((2, 3)));
        let silent = json!({ "secrets": { "generation": 1 } });
        assert_eq!(current(&[with("a", 1), silent]), None);
    }

    #[test]
    fn strangers_and_other_versions() {
        let stranger = json!({ "identity": { "namespace": "books", "webhook": "main" }, "lastDelivery": { "stored": "x" } });
        assert_eq!(seen(&[stranger]), Seen::default());
        let older: Page =
            serde_json::from_value(json!({ "identity": { "namespace": "shop", "webhook": "main" } }))
                .unwrap();
        assert!(Seen::of("shop", "main", &[older]).answered);
    }
}
