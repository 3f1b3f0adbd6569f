//! The business phone number and the limits of a business.

use serde_json::Value;

use super::{Decision, Id, Timestamp};

object! {
    /// A display name was reviewed (Meta, Webhooks reference: `phone_number_name_update`).
    pub struct NameUpdate {
        /// The number. This field carries no phone number id.
        display_phone_number: Option<Id>,
        /// The outcome.
        decision: Option<Decision>,
        /// The name that was asked for.
        requested_verified_name: Option<String>,
        /// Why it was rejected, such as `NAME_FORMAT_UNACCEPTABLE`.
        rejection_reason: Option<String>,
    }
}

object! {
    /// A number's throughput or limit changed (Meta, Webhooks reference: `phone_number_quality_update`).
    pub struct QualityUpdate {
        /// The number. This field carries no phone number id.
        display_phone_number: Option<Id>,
        /// What changed.
        event: Option<NumberEvent>,
        /// The limit before, such as `TIER_2K`. Meta is going to drop it.
        old_limit: Option<Id>,
        /// The limit now. Meta is going to drop it.
        current_limit: Option<Id>,
        /// The limit of the whole business: a tier or a number.
        max_daily_conversations_per_business: Option<Id>,
    }
}

words! {
    /// What changed about a number (Meta, Webhooks reference: `phone_number_quality_update`, `event`).
    pub enum NumberEvent {
        Onboarding = "ONBOARDING",
        ThroughputUpgrade = "THROUGHPUT_UPGRADE",
        Upgrade = "UPGRADE",
        Downgrade = "DOWNGRADE",
        Flagged = "FLAGGED",
        Unflagged = "UNFLAGGED",
    }
}

object! {
    /// The PIN of a number was changed, or is about to be (Meta, Webhooks reference: security).
    pub struct SecurityUpdate {
        /// The number. This field carries no phone number id.
        display_phone_number: Option<Id>,
        /// What happened.
        event: Option<SecurityEvent>,
        /// The user of Meta Business Suite who asked for it.
        requester: Option<Id>,
    }
}

words! {
    /// What happened to a number's PIN (Meta, Webhooks reference: security, `event`).
    pub enum SecurityEvent {
        PinChanged = "PIN_CHANGED",
        PinResetRequest = "PIN_RESET_REQUEST",
        PinRequestSuccess = "PIN_REQUEST_SUCCESS" | "PIN_RESET_SUCCESS",
    }
}

object! {
    /// The limits of a business changed (Meta, Webhooks reference: `business_capability_update`).
    pub struct CapabilityUpdate {
        /// Conversations a day and number; -1 for no limit. Meta is going to drop it.
        max_daily_conversation_per_phone: Option<i64>,
        /// Conversations a day and business: a tier or a number.
        max_daily_conversations_per_business: Option<Id>,
        /// Numbers that the business may have.
        max_phone_numbers_per_business: Option<i64>,
        /// Numbers that an account may have.
        max_phone_numbers_per_waba: Option<i64>,
    }
}

object! {
    /// A number's settings changed (Meta, Calling: call settings; field `account_settings_update`).
    pub struct SettingsUpdate {
        /// Always `whatsapp`.
        messaging_product: Option<String>,
        /// When.
        timestamp: Option<Timestamp>,
        /// `phone_number_settings`.
        kind: Option<String> = "type",
        /// The settings.
        phone_number_settings: Option<NumberSettings>,
    }
}

object! {
    /// The settings of a number (Meta, Calling: call settings).
    pub struct NumberSettings {
        /// The number.
        phone_number_id: Option<Id>,
        /// The settings for calls, as the settings API answers them.
        calling: Option<Value>,
    }
}

object! {
    /// A business username was reserved, approved or deleted (Meta, Business usernames; fields
    /// `business_username_updates` and its other spellings).
    pub struct UsernameUpdate {
        /// The number.
        display_phone_number: Option<Id>,
        /// The username; absent when it was deleted.
        username: Option<String>,
        /// What became of it.
        status: Option<UsernameStatus>,
    }
}

words! {
    /// What became of a business username (Meta, Business usernames, `status`).
    pub enum UsernameStatus {
        Approved = "approved",
        Deleted = "deleted",
        Reserved = "reserved",
    }
}
