//! The names Meta's references use for message types, statuses and events, so that known ones cost no allocation and
//! metric labels stay bounded. A name that is missing here is published all the same.

#[cfg(feature = "split")]
use std::borrow::Cow;

use crate::received::Family;
#[cfg(feature = "split")]
use crate::token::token;

/// Every name known when this was written, sorted. Sources: Meta, WhatsApp Cloud API webhooks reference (messages,
/// statuses, calls, groups, templates, account fields).
pub const NAMES: &[&str] = &[
    "ACCEPTED",
    "ACCOUNT_DELETED",
    "ACCOUNT_OFFBOARDED",
    "ACCOUNT_RECONNECTED",
    "ACCOUNT_RESTRICTION",
    "ACCOUNT_VIOLATION",
    "AD_ACCOUNT_LINKED",
    "APPROVED",
    "ARCHIVED",
    "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
    "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
    "CLIENT_ERROR_RATE",
    "DELETED",
    "DISABLED",
    "DISABLED_UPDATE",
    "ENDPOINT_AVAILABILITY",
    "ENDPOINT_ERROR_RATE",
    "ENDPOINT_LATENCY",
    "FLAGGED",
    "FLOW_STATUS_CHANGE",
    "IN_APPEAL",
    "LIMIT_EXCEEDED",
    "LOCKED",
    "MM_LITE_TERMS_SIGNED",
    "PARTNER_ADDED",
    "PARTNER_APP_INSTALLED",
    "PARTNER_APP_UNINSTALLED",
    "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
    "PARTNER_REMOVED",
    "PAUSED",
    "PENDING",
    "PENDING_DELETION",
    "REINSTATED",
    "REJECTED",
    "RINGING",
    "VERIFIED_ACCOUNT",
    "VOLUME_BASED_PRICING_TIER_UPDATE",
    "_",
    "audio",
    "button",
    "call_created",
    "call_recording_available",
    "call_transcription_available",
    "captured",
    "connect",
    "contact",
    "contacts",
    "deleted",
    "delivered",
    "document",
    "edit",
    "ephemeral",
    "failed",
    "group_create",
    "group_delete",
    "group_join_request_created",
    "group_join_request_revoked",
    "group_participants_add",
    "group_participants_remove",
    "group_settings_update",
    "group_suspend",
    "group_suspend_cleared",
    "image",
    "interactive",
    "location",
    "marketing_messages",
    "media_placeholder",
    "order",
    "pending",
    "phone_number_settings",
    "played",
    "reaction",
    "read",
    "request_welcome",
    "revoke",
    "sent",
    "sticker",
    "system",
    "template",
    "terminate",
    "text",
    "unknown",
    "unsupported",
    "video",
    "voice",
    "warning",
];

/// The families of events: what a subject's fifth token can be, as far as known when this was written, sorted.
pub const FAMILIES: &[&str] = Family::WORDS;

/// The family of a signed body, or a piece of one, that is no event.
pub const DEAD_LETTER: &str = "dead_letter";
/// The family of an event of a phone number that the webhook does not list.
pub const QUARANTINE: &str = "quarantine";
/// The family of a test from Meta's dashboard.
pub const TEST: &str = "test";

/// The families Wahook gives itself; a field of Meta's with such a name gets the prefix `field_`.
#[cfg(feature = "split")]
pub(crate) const OWN_FAMILIES: [&str; 3] = [DEAD_LETTER, QUARANTINE, TEST];

/// A type or event name as a subject token; known names are static.
#[cfg(feature = "split")]
pub(crate) fn kind(name: Option<&str>) -> Cow<'static, str> {
    let Some(name) = name else {
        return Cow::Borrowed(crate::token::ABSENT);
    };
    intern(NAMES, name)
}

/// A field's name as the family token of its events.
#[cfg(feature = "split")]
pub(crate) fn family(field: &str) -> Cow<'static, str> {
    let family = intern(FAMILIES, field);
    if OWN_FAMILIES.contains(&family.as_ref()) {
        Cow::Owned(format!("field_{family}"))
    } else {
        family
    }
}

#[cfg(feature = "split")]
fn intern(names: &'static [&'static str], name: &str) -> Cow<'static, str> {
    match names.binary_search(&name) {
        Ok(found) => Cow::Borrowed(names[found]),
        Err(_) => Cow::Owned(token(name).into_owned()),
    }
}

#[cfg(all(test, feature = "split"))]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_legal() {
        for names in [NAMES, FAMILIES] {
            assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(names.iter().all(|name| token(name) == *name));
        }
        assert!(OWN_FAMILIES.iter().all(|own| FAMILIES.contains(own)));
    }

    #[test]
    fn metas_fields_cannot_take_our_families() {
        assert_eq!(family("test"), "field_test");
        assert_eq!(family("dead.letter"), "field_dead_letter");
        assert_eq!(family("messages"), "messages");
        assert_eq!(family("brand.new"), "brand_new");
    }
}
