//! The families of events, in one list for those who publish and those who read.

use crate::model::words::words;

words! {
    /// The family of an event: what kind of thing it tells. An account field's family is the field's name (Meta, Webhooks:
    /// fields); a field that did not exist when this was written is `Other`. Sorted by word.
    pub enum Family {
        /// An alert about an account.
        AccountAlerts = "account_alerts",
        /// An account was reviewed.
        AccountReviewUpdate = "account_review_update",
        /// The settings of a phone number changed.
        AccountSettingsUpdate = "account_settings_update",
        /// An account changed.
        AccountUpdate = "account_update",
        /// Meta detected a purchase or a lead.
        AutomaticEvents = "automatic_events",
        /// The limits of a business changed.
        BusinessCapabilityUpdate = "business_capability_update",
        /// A business username, as some pages spell it.
        BusinessUsernameUpdate = "business_username_update",
        /// A business username was approved, reserved or deleted.
        BusinessUsernameUpdates = "business_username_updates",
        /// A call, or what became of one.
        Calls = "calls",
        /// Names of fields that changed, sent without the values.
        ChangedFields = "changed_fields",
        /// A customer's profile.
        ConsumerProfile = "consumer_profile",
        /// A signed body, or a piece of one, that could not be split.
        DeadLetter = "dead_letter",
        /// An error that belongs to no message.
        Errors = "errors",
        /// A Flow changed or is unwell.
        Flows = "flows",
        /// A group was made or deleted.
        GroupLifecycleUpdate = "group_lifecycle_update",
        /// Somebody joined or left a group, or asks to.
        GroupParticipantsUpdate = "group_participants_update",
        /// The settings of a group changed.
        GroupSettingsUpdate = "group_settings_update",
        /// A group was suspended or released.
        GroupStatusUpdate = "group_status_update",
        /// An earlier conversation.
        History = "history",
        /// A message the business sent from another place.
        MessageEchoes = "message_echoes",
        /// The components of a template changed.
        TemplateComponents = "message_template_components_update",
        /// The quality of a template changed.
        TemplateQuality = "message_template_quality_update",
        /// A template's status.
        TemplateStatus = "message_template_status_update",
        /// A customer's message.
        Messages = "messages",
        /// A thread changed its owner.
        MessagingHandovers = "messaging_handovers",
        /// A solution of several partners changed.
        PartnerSolutions = "partner_solutions",
        /// A payment configuration changed.
        PaymentConfigurationUpdate = "payment_configuration_update",
        /// A display name was reviewed.
        PhoneNumberNameUpdate = "phone_number_name_update",
        /// The throughput of a number changed.
        PhoneNumberQualityUpdate = "phone_number_quality_update",
        /// A business username, by its former name.
        PhoneNumberUsernameUpdate = "phone_number_username_update",
        /// An event of a phone number that the webhook does not list.
        Quarantine = "quarantine",
        /// The security of a number, such as its PIN.
        Security = "security",
        /// A change of the app's address book.
        SmbAppStateSync = "smb_app_state_sync",
        /// A message the business sent from the WhatsApp Business app.
        SmbMessageEchoes = "smb_message_echoes",
        /// A copy for a partner that does not own the thread.
        Standby = "standby",
        /// What became of a message or a payment.
        Statuses = "statuses",
        /// A template's category.
        TemplateCategory = "template_category_update",
        /// A template is in the wrong category.
        TemplateCategoryDetection = "template_correct_category_detection",
        /// How a template performs.
        TemplatePerformanceMetrics = "template_performance_metrics",
        /// A test from Meta's dashboard.
        Test = "test",
        /// A field that dashboards name and no page describes.
        TrackingEvents = "tracking_events",
        /// A click on a marketing message.
        UserActions = "user_actions",
        /// A customer's user id changed.
        UserIdUpdate = "user_id_update",
        /// A customer stopped or resumed marketing messages.
        UserPreferences = "user_preferences",
    }
}
