//! Label values come from closed lists. Whatever arrives, the number of series stays the same.

use super::known::FAMILIES;

/// Stands for everything that no list names.
pub const OTHER: &str = "other";

/// Stands for a type that is absent.
const NONE: &str = "none";

/// The family and type of an event as bounded label values: positions in the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventLabel {
    family: usize,
    kind: usize,
}

/// Positions in a family's types; its own list follows.
const KIND_NONE: usize = 0;
const KIND_OTHER: usize = 1;
const KIND_FIRST: usize = 2;

/// The listed types of the family at this position.
fn kinds(family: usize) -> impl Iterator<Item = &'static str> {
    FAMILIES[family].1.iter().flat_map(|list| list.iter().copied())
}

impl EventLabel {
    /// The label of an event's family and type, `other` where a list does not know them. Letter
    /// case does not matter: Meta shouts some event names. An empty type, or `_`, is `none`.
    pub fn of(family: &str, kind: &str) -> Self {
        let unknown = FAMILIES.len() - 1;
        let family = FAMILIES
            .iter()
            .position(|(name, _)| *name == family)
            .unwrap_or(unknown);
        let mut kinds = kinds(family);
        let kind = match kind {
            "" | "_" | NONE => KIND_NONE,
            _ => kinds
                .position(|name| name.eq_ignore_ascii_case(kind))
                .map_or(KIND_OTHER, |at| at + KIND_FIRST),
        };
        Self { family, kind }
    }

    /// The `family` label.
    pub fn family(self) -> &'static str {
        FAMILIES[self.family].0
    }

    /// The `type` label.
    pub fn kind(self) -> &'static str {
        match self.kind {
            KIND_NONE => NONE,
            KIND_OTHER => OTHER,
            listed => kinds(self.family).nth(listed - KIND_FIRST).unwrap_or(OTHER),
        }
    }

    /// A message is known by its type and a status by its name, everything else by its family.
    fn request_type(self) -> &'static str {
        match self.family() {
            "messages" | "statuses" => self.kind(),
            family => family,
        }
    }
}

/// What a whole request held: the `type` label of `whatsapp_webhook_requests_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestType {
    /// Nothing that was read: unsigned, refused, or empty.
    #[default]
    None,
    /// A subscription handshake.
    Verification,
    /// Events of one type only.
    One(EventLabel),
    /// Events of several types.
    Mixed,
}

impl RequestType {
    /// The type of the request once it also held this event.
    #[must_use]
    pub fn and(self, event: EventLabel) -> Self {
        match self {
            Self::One(seen) if seen.request_type() != event.request_type() => Self::Mixed,
            Self::Mixed => Self::Mixed,
            _ => Self::One(event),
        }
    }

    /// The `type` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => NONE,
            Self::Verification => "verification",
            Self::One(event) => event.request_type(),
            Self::Mixed => "mixed",
        }
    }
}

/// One slot for each label there can be, so that a hot path finds its counter without hashing.
pub(super) struct ByEvent<T> {
    slots: Vec<Vec<T>>,
}

impl<T: Default> ByEvent<T> {
    pub(super) fn new() -> Self {
        let row = |family| {
            (0..KIND_FIRST + kinds(family).count())
                .map(|_| T::default())
                .collect()
        };
        let slots = (0..FAMILIES.len()).map(row).collect();
        Self { slots }
    }

    pub(super) fn get(&self, event: EventLabel) -> &T {
        &self.slots[event.family][event.kind]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;

    use super::*;

    fn names(family: &str, kind: &str) -> (&'static str, &'static str) {
        let label = EventLabel::of(family, kind);
        (label.family(), label.kind())
    }

    #[test]
    fn known_names_are_kept_and_others_are_other() {
        assert_eq!(names("messages", "text"), ("messages", "text"));
        assert_eq!(names("statuses", "delivered"), ("statuses", "delivered"));
        assert_eq!(names("messages", "delivered"), ("messages", "other"));
        assert_eq!(
            names("message_template_status_update", "APPROVED"),
            ("message_template_status_update", "approved")
        );
        assert_eq!(names("account_alerts", "_"), ("account_alerts", "none"));
        assert_eq!(names("errors", ""), ("errors", "none"));
        assert_eq!(names("invented", "text"), ("other", "other"));
        assert_eq!(names("invented", "_"), ("other", "none"));
        assert_eq!(names("other", "none"), ("other", "none"));
    }

    #[test]
    fn the_lists_hold_tokens_without_repetition() {
        let mut families = BTreeSet::new();
        for (position, (family, _)) in FAMILIES.iter().enumerate() {
            assert!(families.insert(family), "{family} twice");
            let distinct: BTreeSet<_> = kinds(position).collect();
            assert_eq!(distinct.len(), kinds(position).count(), "{family}");
            for name in kinds(position).chain([*family]) {
                assert!(
                    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                    "{name}"
                );
                assert!(name != NONE, "`none` is added to every list");
            }
        }
        assert_eq!(FAMILIES.last().unwrap().0, OTHER);
    }

    #[test]
    fn a_request_is_named_after_what_it_held() {
        let of = |events: &[(&str, &str)]| {
            let label = |(family, kind): &(&str, &str)| EventLabel::of(family, kind);
            events
                .iter()
                .map(label)
                .fold(RequestType::default(), RequestType::and)
                .as_str()
        };
        assert_eq!(of(&[]), "none");
        assert_eq!(of(&[("messages", "text")]), "text");
        assert_eq!(of(&[("messages", "text"), ("messages", "text")]), "text");
        assert_eq!(of(&[("messages", "text"), ("messages", "image")]), "mixed");
        assert_eq!(
            of(&[("messages", "text"), ("messages", "image"), ("messages", "text")]),
            "mixed"
        );
        assert_eq!(of(&[("statuses", "read")]), "read");
        assert_eq!(
            of(&[("account_update", "VERIFIED_ACCOUNT"), ("account_update", "x")]),
            "account_update"
        );
    }

    #[test]
    fn every_label_has_its_slot() {
        let slots = ByEvent::<String>::new();
        for (position, (family, _)) in FAMILIES.iter().enumerate() {
            for kind in kinds(position).chain(["_", "invented"]) {
                assert_eq!(slots.get(EventLabel::of(family, kind)), "");
            }
        }
    }
}
