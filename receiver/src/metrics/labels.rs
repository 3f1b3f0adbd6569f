//! Label values come from closed lists. Whatever arrives, the number of series stays the same.
//!
//! The lists name what Meta documents (Meta, WhatsApp: Webhooks reference). They need not be
//! complete: something newer is stored all the same, and counted as `other`.

const MESSAGES: &[&str] = &[
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "location",
    "contacts",
    "button",
    "interactive",
    "reaction",
    "order",
    "system",
    "edit",
    "revoke",
    "unsupported",
    "unknown",
    "request_welcome",
    "media_placeholder",
    "errors",
];
const STATUSES: &[&str] = &[
    "sent",
    "delivered",
    "read",
    "failed",
    "played",
    "deleted",
    "warning",
    "pending",
    "captured",
];
const CALLS: &[&str] = &[
    "connect",
    "terminate",
    "call_created",
    "call_recording_available",
    "call_transcription_available",
    "ringing",
    "accepted",
    "rejected",
];
const TEMPLATE_EVENTS: &[&str] = &[
    "approved",
    "archived",
    "deleted",
    "disabled",
    "flagged",
    "in_appeal",
    "limit_exceeded",
    "locked",
    "paused",
    "pending",
    "reinstated",
    "pending_deletion",
    "rejected",
];
const ACCOUNT_EVENTS: &[&str] = &[
    "account_deleted",
    "account_offboarded",
    "account_reconnected",
    "account_restriction",
    "account_violation",
    "ad_account_linked",
    "auth_intl_price_eligibility_update",
    "business_primary_location_country_update",
    "disabled_update",
    "mm_lite_terms_signed",
    "partner_added",
    "partner_app_installed",
    "partner_app_uninstalled",
    "partner_client_certification_status_update",
    "partner_removed",
    "verified_account",
    "volume_based_pricing_tier_update",
];

/// Every family and its types. Each family may also have `none` (no type) and `other`.
const FAMILIES: &[(&str, &[&str])] = &[
    ("messages", MESSAGES),
    ("statuses", STATUSES),
    ("errors", &[]),
    ("user_actions", &[]),
    ("calls", CALLS),
    ("call_statuses", CALLS),
    ("message_echoes", MESSAGES),
    ("smb_message_echoes", MESSAGES),
    ("smb_app_state_sync", &["contact"]),
    ("history", MESSAGES),
    ("standby", MESSAGES),
    ("messaging_handovers", &[]),
    ("consumer_profile", &[]),
    ("group_lifecycle_update", &["group_create", "group_delete"]),
    ("group_participants_update", &[]),
    ("group_settings_update", &[]),
    ("group_status_update", &[]),
    ("user_preferences", &["stop", "resume"]),
    ("user_id_update", &[]),
    ("business_username_update", &[]),
    ("business_username_updates", &[]),
    ("automatic_events", &[]),
    ("tracking_events", &[]),
    ("message_template_status_update", TEMPLATE_EVENTS),
    ("message_template_quality_update", &[]),
    ("message_template_components_update", &[]),
    ("template_category_update", &[]),
    ("template_correct_category_detection", &[]),
    ("template_performance_metrics", &[]),
    ("account_alerts", &[]),
    (
        "account_review_update",
        &["approved", "rejected", "pending", "deferred"],
    ),
    ("account_settings_update", &[]),
    ("account_update", ACCOUNT_EVENTS),
    ("business_capability_update", &[]),
    (
        "phone_number_name_update",
        &["approved", "rejected", "deferred", "pending"],
    ),
    (
        "phone_number_quality_update",
        &["onboarding", "upgrade", "downgrade", "flagged", "unflagged"],
    ),
    ("security", &["pin_changed", "pin_reset_request"]),
    ("payment_configuration_update", &[]),
    ("partner_solutions", &[]),
    ("flows", &[]),
    ("dead_letter", &["not_json", "not_envelope"]),
    ("quarantine", MESSAGES),
    ("test", MESSAGES),
    (OTHER, &[]),
];

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

impl EventLabel {
    /// The label of an event's family and type, `other` where a list does not know them. Letter
    /// case does not matter: Meta shouts some event names. An empty type, or `_`, is `none`.
    pub fn of(family: &str, kind: &str) -> Self {
        let unknown = FAMILIES.len() - 1;
        let family = FAMILIES
            .iter()
            .position(|(name, _)| *name == family)
            .unwrap_or(unknown);
        let mut kinds = FAMILIES[family].1.iter();
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
            listed => FAMILIES[self.family].1[listed - KIND_FIRST],
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
        let row = |kinds: &[&str]| (0..KIND_FIRST + kinds.len()).map(|_| T::default()).collect();
        Self {
            slots: FAMILIES.iter().map(|(_, kinds)| row(kinds)).collect(),
        }
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
        for (family, kinds) in FAMILIES {
            assert!(families.insert(family), "{family} twice");
            let distinct: BTreeSet<_> = kinds.iter().collect();
            assert_eq!(distinct.len(), kinds.len(), "{family}");
            for name in kinds.iter().chain([family]) {
                assert!(
                    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                    "{name}"
                );
                assert!(*name != NONE, "`none` is added to every list");
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
        for (family, kinds) in FAMILIES {
            for kind in kinds.iter().chain(&["_", "invented"]) {
                assert_eq!(slots.get(EventLabel::of(family, kind)), "");
            }
        }
    }
}
