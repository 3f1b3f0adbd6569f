//! From the name of a webhook field to the type of its value.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    AccountAlert, AccountReview, AccountUpdate, CapabilityUpdate, ChangeValue, FlowUpdate, Handover,
    NameUpdate, PartnerSolution, PaymentConfigurationUpdate, QualityUpdate, SecurityUpdate, SettingsUpdate,
    TemplateCategoryDetection, TemplateCategoryUpdate, TemplateComponentsUpdate, TemplateQualityUpdate,
    TemplateStatusUpdate, UsernameUpdate, shape::Shape,
};

/// Declares the fields: which names lead to which type.
macro_rules! fields {
    ($($(#[$meta:meta])* $variant:ident($type:ty) = $($name:literal)|+,)+) => {
        /// The value of a change, by its field (Meta, Webhooks overview: fields).
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum FieldValue {
            $($(#[$meta])* $variant(Box<$type>),)+
            /// A field that this version does not know or whose shape Meta does not document, such as
            /// `tracking_events`, and a value of another shape: as Meta sent it.
            Unknown(Value),
        }

        impl FieldValue {
            /// The value as the type of `field`. Never fails: what cannot be read becomes
            /// [`FieldValue::Unknown`].
            pub fn of(field: &str, value: &Value) -> Self {
                let typed = match field {
                    $($($name)|+ => Shape::read(value).map(Self::$variant),)+
                    _ => None,
                };
                typed.unwrap_or_else(|| Self::Unknown(value.clone()))
            }
        }

        /// The shape of a field's whole value; `None` for a field whose shape nobody documents.
        #[cfg(feature = "schema")]
        pub(crate) fn schema_of(field: &str, generator: &mut schemars::SchemaGenerator) -> Option<schemars::Schema> {
            match field {
                $($($name)|+ => Some(generator.subschema_for::<$type>()),)+
                _ => None,
            }
        }

        impl Serialize for FieldValue {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(value) => value.serialize(serializer),)+
                    Self::Unknown(value) => value.serialize(serializer),
                }
            }
        }
    };
}

fields! {
    /// Any field of a phone number: messages, calls, history, groups and others.
    PhoneNumber(ChangeValue) = "messages" | "message_echoes" | "smb_message_echoes" | "smb_app_state_sync"
        | "history" | "calls" | "standby" | "user_preferences" | "user_id_update" | "automatic_events"
        | "group_lifecycle_update" | "group_participants_update" | "group_settings_update"
        | "group_status_update",
    /// `messaging_handovers`
    Handover(Handover) = "messaging_handovers",
    /// `message_template_status_update`
    TemplateStatus(TemplateStatusUpdate) = "message_template_status_update",
    /// `message_template_quality_update`
    TemplateQuality(TemplateQualityUpdate) = "message_template_quality_update",
    /// `message_template_components_update`
    TemplateComponents(TemplateComponentsUpdate) = "message_template_components_update",
    /// `template_category_update`
    TemplateCategory(TemplateCategoryUpdate) = "template_category_update",
    /// `template_correct_category_detection`
    TemplateCategoryDetection(TemplateCategoryDetection) = "template_correct_category_detection",
    /// `account_alerts`
    AccountAlert(AccountAlert) = "account_alerts",
    /// `account_review_update`
    AccountReview(AccountReview) = "account_review_update",
    /// `account_update`
    AccountUpdate(AccountUpdate) = "account_update",
    /// `account_settings_update`
    Settings(SettingsUpdate) = "account_settings_update",
    /// `business_capability_update`
    Capability(CapabilityUpdate) = "business_capability_update",
    /// `business_username_updates`, and the two names it had before.
    Username(UsernameUpdate) = "business_username_updates" | "business_username_update"
        | "phone_number_username_update",
    /// `phone_number_name_update`
    Name(NameUpdate) = "phone_number_name_update",
    /// `phone_number_quality_update`
    Quality(QualityUpdate) = "phone_number_quality_update",
    /// `security`
    Security(SecurityUpdate) = "security",
    /// `payment_configuration_update`
    PaymentConfiguration(PaymentConfigurationUpdate) = "payment_configuration_update",
    /// `partner_solutions`
    PartnerSolution(PartnerSolution) = "partner_solutions",
    /// `flows`
    Flow(FlowUpdate) = "flows",
}
