//! Message templates: their status, quality, category and components.

use super::{Id, Timestamp};

object! {
    /// A template's status changed (Meta, Webhooks reference: `message_template_status_update`).
    pub struct TemplateStatusUpdate {
        /// The new status.
        event: Option<TemplateEvent>,
        /// The template. Meta sends a number.
        message_template_id: Option<Id>,
        /// Its name.
        message_template_name: Option<String>,
        /// Its language, such as `en_US`.
        message_template_language: Option<String>,
        /// Its category.
        message_template_category: Option<TemplateCategory>,
        /// Why, such as `INVALID_FORMAT` or `NONE`.
        reason: Option<String>,
        /// When it was disabled.
        disable_info: Option<DisableInfo>,
        /// Why it was paused or locked.
        other_info: Option<TemplateNote>,
        /// Why it was rejected.
        rejection_info: Option<RejectionInfo>,
    }
}

words! {
    /// The status of a template (Meta, Webhooks reference: `message_template_status_update`, `event`).
    pub enum TemplateEvent {
        Approved = "APPROVED",
        Archived = "ARCHIVED",
        Unarchived = "UNARCHIVED",
        Deleted = "DELETED",
        Disabled = "DISABLED",
        Flagged = "FLAGGED",
        InAppeal = "IN_APPEAL",
        LimitExceeded = "LIMIT_EXCEEDED",
        Locked = "LOCKED",
        Paused = "PAUSED",
        Pending = "PENDING",
        PendingDeletion = "PENDING_DELETION",
        Reinstated = "REINSTATED",
        Rejected = "REJECTED",
    }
}

words! {
    /// The category of a template (Meta, Template categorization).
    pub enum TemplateCategory {
        Authentication = "AUTHENTICATION",
        Marketing = "MARKETING",
        Utility = "UTILITY",
    }
}

object! {
    /// When a template was disabled (Meta, Webhooks reference: `message_template_status_update`).
    pub struct DisableInfo {
        /// The moment. Some pages print a date in words, which is then in `extra`.
        disable_date: Option<Timestamp>,
    }
}

object! {
    /// Why a template was paused or locked (Meta, Webhooks reference: `message_template_status_update`).
    pub struct TemplateNote {
        /// Such as `FIRST_PAUSE` or `RATE_LIMITING_PAUSE`.
        title: Option<String>,
        /// The reason, in a sentence.
        description: Option<String>,
    }
}

object! {
    /// Why a template was rejected (Meta, Webhooks reference: `message_template_status_update`).
    pub struct RejectionInfo {
        /// What is wrong.
        reason: Option<String>,
        /// How to mend it.
        recommendation: Option<String>,
    }
}

object! {
    /// A template's quality changed (Meta, Webhooks reference: `message_template_quality_update`).
    pub struct TemplateQualityUpdate {
        /// The quality before.
        previous_quality_score: Option<QualityScore>,
        /// The quality now.
        new_quality_score: Option<QualityScore>,
        /// The template. Meta sends a number.
        message_template_id: Option<Id>,
        /// Its name.
        message_template_name: Option<String>,
        /// Its language, such as `en_US`.
        message_template_language: Option<String>,
    }
}

words! {
    /// How customers receive a template (Meta, Template quality).
    pub enum QualityScore {
        Green = "GREEN",
        Yellow = "YELLOW",
        Red = "RED",
        /// Not rated yet.
        Unknown = "UNKNOWN",
    }
}

object! {
    /// A template's components changed (Meta, Webhooks reference: `message_template_components_update`).
    pub struct TemplateComponentsUpdate {
        /// The template. Meta sends a number.
        message_template_id: Option<Id>,
        /// Its name.
        message_template_name: Option<String>,
        /// Its language, such as `en_US`.
        message_template_language: Option<String>,
        /// The body.
        message_template_element: Option<String>,
        /// The header, if it is a text.
        message_template_title: Option<String>,
        /// The footer.
        message_template_footer: Option<String>,
        /// The buttons.
        message_template_buttons: Vec<TemplateButton>,
    }
}

object! {
    /// A button of a template (Meta, Webhooks reference: `message_template_components_update`).
    pub struct TemplateButton {
        /// Such as `URL`, `PHONE_NUMBER` or `QUICK_REPLY`.
        message_template_button_type: Option<String>,
        /// The label.
        message_template_button_text: Option<String>,
        /// Where a link leads.
        message_template_button_url: Option<String>,
        /// Whom a call reaches.
        message_template_button_phone_number: Option<String>,
    }
}

object! {
    /// A template changes its category (Meta, Webhooks reference: `template_category_update`): soon, with
    /// `correct_category`, or already, with `previous_category`.
    pub struct TemplateCategoryUpdate {
        /// The template. Meta sends a number.
        message_template_id: Option<Id>,
        /// Its name.
        message_template_name: Option<String>,
        /// Its language, such as `en_US`.
        message_template_language: Option<String>,
        /// The category before.
        previous_category: Option<TemplateCategory>,
        /// The category now, before a change to come as well.
        new_category: Option<TemplateCategory>,
        /// The category that a change to come leads to.
        correct_category: Option<TemplateCategory>,
        /// When a change to come takes place.
        category_update_timestamp: Option<Timestamp>,
    }
}

impl TemplateCategoryUpdate {
    /// Whether the change is still to come.
    pub const fn is_impending(&self) -> bool {
        self.correct_category.is_some()
    }
}

object! {
    /// Meta finds a template in the wrong category (Meta, Direct Send: integrity and content guidelines; field
    /// `template_correct_category_detection`).
    pub struct TemplateCategoryDetection {
        /// The template. Meta sends a number.
        message_template_id: Option<Id>,
        /// Its name.
        message_template_name: Option<String>,
        /// Its language, such as `en_US`.
        message_template_language: Option<String>,
        /// The category it was sent in.
        category: Option<TemplateCategory>,
        /// The category it belongs to.
        correct_category: Option<TemplateCategory>,
    }
}
