//! The WhatsApp Business Account: alerts, reviews and updates.

use super::{Id, Timestamp};

object! {
    /// An alert (Meta, Webhooks reference: `account_alerts`). Meta nests the alert in `alert_info`; other
    /// sources show it flat, which [`AccountAlert::info`] evens out.
    pub struct AccountAlert {
        /// `BUSINESS`, `PHONE_NUMBER` or another kind of thing.
        entity_type: Option<String>,
        /// The portfolio, number or account.
        entity_id: Option<Id>,
        /// The alert.
        alert_info: Option<AlertInfo>,
        /// The severity, where the alert is flat.
        alert_severity: Option<AlertSeverity>,
        /// The state, where the alert is flat.
        alert_status: Option<String>,
        /// The kind, where the alert is flat.
        alert_type: Option<String>,
        /// The text, where the alert is flat.
        alert_description: Option<String>,
    }
}

impl AccountAlert {
    /// The alert itself, from either form.
    pub fn info(&self) -> AlertInfo {
        self.alert_info.clone().unwrap_or_else(|| AlertInfo {
            alert_severity: self.alert_severity.clone(),
            alert_status: self.alert_status.clone(),
            alert_type: self.alert_type.clone(),
            alert_description: self.alert_description.clone(),
            extra: serde_json::Map::new(),
        })
    }
}

object! {
    /// What an alert says (Meta, Webhooks reference: `account_alerts`, `alert_info`).
    pub struct AlertInfo {
        /// How serious it is.
        alert_severity: Option<AlertSeverity>,
        /// `ACTIVE` or `NONE`.
        alert_status: Option<String>,
        /// Such as `OBA_APPROVED` or `PROFILE_PICTURE_LOST`.
        alert_type: Option<String>,
        /// What happened, in a sentence.
        alert_description: Option<String>,
    }
}

words! {
    /// How serious an alert is (Meta, Webhooks reference: `account_alerts`, `alert_severity`).
    pub enum AlertSeverity {
        Informational = "INFORMATIONAL",
        Warning = "WARNING",
        Critical = "CRITICAL",
    }
}

object! {
    /// An account was reviewed (Meta, Webhooks reference: `account_review_update`).
    pub struct AccountReview {
        /// The outcome.
        decision: Option<Decision>,
    }
}

words! {
    /// The outcome of a review (Meta, Webhooks reference: `account_review_update`, `phone_number_name_update`).
    pub enum Decision {
        Approved = "APPROVED",
        Rejected = "REJECTED",
        Pending = "PENDING",
        Deferred = "DEFERRED",
    }
}

object! {
    /// An account changed (Meta, Webhooks reference: `account_update`). Which part is present depends on the
    /// event.
    pub struct AccountUpdate {
        /// What happened.
        event: Option<AccountEvent>,
        /// The business phone number, where one is concerned.
        phone_number: Option<Id>,
        /// The primary business location, as two letters.
        country: Option<String>,
        /// The account and its partners. Where it is present, the entry belongs to a portfolio.
        waba_info: Option<WabaInfo>,
        /// What the account violated.
        violation_info: Option<ViolationInfo>,
        /// From when the rate for international authentication applies.
        auth_international_rate_eligibility: Option<InternationalRate>,
        /// Whether the account is disabled.
        ban_info: Option<BanInfo>,
        /// The tier of volume prices.
        volume_tier_info: Option<VolumeTier>,
        /// Why a coexistence business was disconnected.
        disconnection_info: Option<Disconnection>,
        /// What became of a partner-led verification.
        partner_client_certification_info: Option<Certification>,
        /// What the account may no longer do.
        restriction_info: Vec<Restriction>,
    }
}

words! {
    /// What happened to an account (Meta, Webhooks reference: `account_update`, `event`).
    pub enum AccountEvent {
        AccountDeleted = "ACCOUNT_DELETED",
        AccountOffboarded = "ACCOUNT_OFFBOARDED",
        AccountReconnected = "ACCOUNT_RECONNECTED",
        AccountRestriction = "ACCOUNT_RESTRICTION",
        AccountViolation = "ACCOUNT_VIOLATION",
        AdAccountLinked = "AD_ACCOUNT_LINKED",
        AuthIntlPriceEligibilityUpdate = "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        BusinessPrimaryLocationCountryUpdate = "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
        DisabledUpdate = "DISABLED_UPDATE",
        MmLiteTermsSigned = "MM_LITE_TERMS_SIGNED",
        PartnerAdded = "PARTNER_ADDED",
        PartnerAppInstalled = "PARTNER_APP_INSTALLED",
        PartnerAppUninstalled = "PARTNER_APP_UNINSTALLED",
        PartnerClientCertificationNeeded = "PARTNER_CLIENT_CERTIFICATION_NEEDED",
        PartnerClientCertificationStatusUpdate = "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
        PartnerRemoved = "PARTNER_REMOVED",
        VerifiedAccount = "VERIFIED_ACCOUNT",
        VolumeBasedPricingTierUpdate = "VOLUME_BASED_PRICING_TIER_UPDATE",
    }
}

object! {
    /// An account and its partners (Meta, Webhooks reference: `account_update`, `waba_info`).
    pub struct WabaInfo {
        /// The account.
        waba_id: Option<Id>,
        /// The portfolio that owns it.
        owner_business_id: Option<Id>,
        /// The ad account it is linked with.
        ad_account_linked: Option<Id>,
        /// The same, as the page about marketing messages spells it.
        ad_account_id: Option<Id>,
        /// The app of the partner.
        partner_app_id: Option<Id>,
        /// The solution of several partners.
        solution_id: Option<Id>,
        /// The portfolios of those partners.
        solution_partner_business_ids: Vec<Id>,
    }
}

object! {
    /// What an account violated (Meta, Webhooks reference: `account_update`, `violation_info`).
    pub struct ViolationInfo {
        /// The policy, such as `ADULT`.
        violation_type: Option<String>,
        /// What the business can do.
        remediation: Option<String>,
    }
}

object! {
    /// From when the rate for international authentication applies (Meta, Webhooks reference: `account_update`).
    pub struct InternationalRate {
        /// The moment for every other country.
        start_time: Option<Timestamp>,
        /// Countries with a moment of their own.
        exception_countries: Vec<ExceptionCountry>,
    }
}

object! {
    /// A country with a moment of its own (Meta, Webhooks reference: `account_update`, `exception_countries`).
    pub struct ExceptionCountry {
        /// The country, as two letters.
        country_code: Option<String>,
        /// The moment.
        start_time: Option<Timestamp>,
    }
}

object! {
    /// Whether an account is disabled (Meta, Webhooks reference: `account_update`, `ban_info`).
    pub struct BanInfo {
        /// The state.
        waba_ban_state: Option<BanState>,
        /// The date as Meta words it, such as `April 17, 2025`. A list in some payloads, which is in `extra`.
        waba_ban_date: Option<String>,
    }
}

words! {
    /// Whether an account is disabled (Meta, Webhooks reference: `account_update`, `waba_ban_state`).
    pub enum BanState {
        Disable = "DISABLE",
        Reinstate = "REINSTATE",
        ScheduleForDisable = "SCHEDULE_FOR_DISABLE",
    }
}

object! {
    /// A tier of volume prices (Meta, Pricing: volume tiers; Webhooks reference: `account_update`).
    pub struct VolumeTier {
        /// When the tier changed. Of several notifications the earliest counts.
        tier_update_time: Option<Timestamp>,
        /// The category, such as `UTILITY`.
        pricing_category: Option<String>,
        /// The bounds, such as `25000001:50000000`.
        tier: Option<String>,
        /// The month it applies to, `YYYY-MM`.
        effective_month: Option<String>,
        /// The country or region.
        region: Option<String>,
    }
}

object! {
    /// Why a coexistence business was disconnected (Meta, Onboarding business app users).
    pub struct Disconnection {
        /// Such as `CHANGE_NUMBER` or `PRIMARY_INACTIVITY`.
        reason: Option<String>,
        /// `SYSTEM` or `USER`.
        initiated_by: Option<String>,
    }
}

object! {
    /// What became of a partner-led verification (Meta, Webhooks reference: `account_update`).
    pub struct Certification {
        /// The customer's portfolio.
        client_business_id: Option<Id>,
        /// Such as `APPROVED` or `FAILED`.
        status: Option<String>,
        /// Why it was rejected; `NONE` if it was not.
        rejection_reasons: Vec<String>,
    }
}

object! {
    /// What an account may no longer do (Meta, Webhooks reference: `account_update`, `restriction_info`).
    pub struct Restriction {
        /// Such as `RESTRICTED_BIZ_INITIATED_MESSAGING`.
        restriction_type: Option<String>,
        /// When it ends.
        expiration: Option<Timestamp>,
        /// What the business can do.
        remediation: Option<String>,
    }
}
