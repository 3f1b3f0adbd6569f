//! Sample webhook bodies, written the way Meta writes them: for tests, demonstrations and load.
//!
//! All numbers and ids are fictional. The bodies keep Meta's habits: message timestamps are strings, account
//! times are integers, text outside ASCII is escaped, in some bodies `/` is too, and the order of keys varies.

mod contract;
mod fresh;
mod indent;

pub use contract::{Generated, generated, golden};
pub use fresh::fresh;

/// A webhook body and what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The name, which is also the name of the file without `.json`.
    pub name: &'static str,
    /// The body, byte for byte as it would be signed.
    pub body: &'static str,
    /// What the body shows, in a few words.
    pub about: &'static str,
}

/// The sample of that name.
pub fn get(name: &str) -> Option<&'static Sample> {
    ALL.iter().find(|sample| sample.name == name)
}

/// Declares the samples: the name of each file and what its body shows.
macro_rules! samples {
    ($($name:literal => $about:literal,)+) => {
        /// Every sample.
        pub const ALL: &[Sample] = &[
            $(Sample {
                name: $name,
                body: include_str!(concat!("../samples/", $name, ".json")),
                about: $about,
            },)+
        ];
    };
}

samples! {
    "guide" => "The guide's own message, ids as placeholders",
    "guide_status" => "The guide's own status, in an envelope",
    "dashboard_test" => "The Test button of Meta's dashboard: constant ids, entry id 0",
    "text" => "A text",
    "text_escapes" => "A text with every escape that Meta uses",
    "text_context_referral" => "An answer that began with an ad",
    "text_forwarded" => "A text forwarded many times",
    "text_group" => "A text in a group",
    "text_username" => "A customer with a username: no phone number at all",
    "text_identity" => "A text with the identity check turned on",
    "image" => "A picture with a caption",
    "video" => "A video",
    "audio" => "A voice note",
    "voice" => "A voice note of the old type",
    "document" => "A document",
    "sticker" => "An animated sticker",
    "location" => "A place",
    "contacts" => "Two address cards, one without a phone number",
    "button" => "A tap on a template's quick reply",
    "interactive_list_reply" => "A row of a list",
    "interactive_button_reply" => "A reply button",
    "interactive_nfm_reply" => "A finished Flow",
    "interactive_call_permission_reply" => "The business may call",
    "interactive_payment_method" => "An answer of a type without a page: kept as it came",
    "reaction" => "A reaction",
    "reaction_removed" => "A reaction taken back: no emoji",
    "reaction_removed_empty" => "A reaction taken back: an empty emoji",
    "order" => "A shopping cart",
    "system" => "A customer changed the number: no contacts",
    "system_user_id" => "A customer changed the business-scoped id",
    "edit" => "The change of an earlier message",
    "revoke" => "The withdrawal of an earlier message",
    "unsupported" => "A message that the API cannot show",
    "unknown" => "The same in an older payload",
    "media_too_large" => "A video above the limit: only an error is left",
    "request_welcome" => "A customer opened the chat for the first time",
    "new_message_type" => "A message type that did not exist when this was written",
    "odd_text" => "A text whose object is no object",
    "numbers" => "Strings where numbers are usual, and numbers where strings are",
    "unknown_members" => "Members that did not exist when this was written, on every level",
    "messages_several" => "Three messages of two customers in one change",
    "conversation_context" => "A message with a summary of what was said before",
    "status_sent" => "Sent, in a conversation of a free entry point",
    "status_delivered" => "Delivered, with its price",
    "status_read" => "Read",
    "status_failed" => "Failed: no contacts and no user id",
    "status_failed_no_storage" => "Failed: the content was dropped after an hour (131035)",
    "status_played" => "A voice message was played",
    "status_deleted" => "The message was deleted",
    "status_group" => "Delivered to one member of a group, the price inside the conversation",
    "status_group_other_spelling" => "Read by another member, as other pages spell it",
    "status_username" => "Delivered to a customer with a username: no phone number",
    "status_payment_pending" => "A payment has begun",
    "status_payment_captured" => "A payment has succeeded, and a part was paid back",
    "status_payment_failed" => "A payment has failed",
    "status_new" => "A status that did not exist when this was written",
    "errors" => "Two errors that belong to no message",
    "user_actions" => "A click on a marketing message",
    "call_connect" => "A customer calls",
    "call_terminate" => "The call is over",
    "call_failed" => "A call of the business failed, with an error beside it",
    "call_created" => "A call over SIP was placed",
    "call_recording_available" => "A recording can be fetched",
    "call_transcription_available" => "A transcript can be fetched",
    "call_status_ringing" => "A call rings at the customer's",
    "call_status_accepted" => "The customer took the call",
    "call_status_rejected" => "The customer declined the call",
    "history" => "A chunk of history: two conversations",
    "history_declined" => "The business does not share its history",
    "history_media" => "The media of a placeholder, with the same id",
    "smb_message_echoes" => "A message sent from the WhatsApp Business app",
    "smb_message_echoes_revoke" => "A message taken back in the WhatsApp Business app",
    "message_echoes" => "A message sent by another app of the business",
    "smb_app_state_sync" => "Two changes of the address book",
    "group_lifecycle_update" => "A group was made",
    "group_lifecycle_update_failed" => "A group could not be deleted",
    "group_participants_update" => "A participant came by the invite link",
    "group_participants_update_removed" => "One participant was removed, another could not be",
    "group_join_request" => "A customer asks to join",
    "group_settings_update" => "Subject and picture of a group",
    "group_status_update" => "A group was suspended",
    "standby_messages" => "Standby: a message for another responder",
    "standby_statuses" => "Standby: a status of what the owner of the thread sent",
    "standby_message_echoes" => "Standby: what the owner of the thread sent",
    "messaging_handovers" => "A thread was passed to the business",
    "messaging_handovers_taken" => "A thread was taken from the business",
    "user_preferences" => "A customer stopped marketing messages",
    "user_id_update" => "The business-scoped id of a customer changed",
    "automatic_events" => "Meta detected a purchase and a lead",
    "consumer_profile" => "A field whose shape Meta does not document: kept as it came",
    "message_template_status_update" => "A template was approved",
    "message_template_status_update_rejected" => "A template was rejected",
    "message_template_status_update_paused" => "A template was paused",
    "message_template_quality_update" => "The quality of a template fell",
    "message_template_components_update" => "The components of a template changed",
    "template_category_update_impending" => "A template is going to change its category",
    "template_category_update" => "A template has changed its category",
    "template_correct_category_detection" => "A template is in the wrong category",
    "account_alerts" => "An alert",
    "account_alerts_flat" => "An alert in the flat form",
    "account_review_update" => "An account was approved",
    "account_update_violation" => "An account broke a rule and may no longer start conversations",
    "account_update_partner_added" => "An account was shared with a partner: the entry is a portfolio",
    "account_update_ad_account_linked" => "An ad account was linked",
    "account_update_disabled" => "An account was reinstated",
    "account_update_international_rate" => "The rate for international authentication",
    "account_update_volume_tier" => "A tier of volume prices",
    "account_update_certification" => "A partner-led verification",
    "account_update_partner_removed" => "A coexistence business was disconnected",
    "account_update_country" => "The primary business location",
    "account_settings_update" => "The settings for calls",
    "business_capability_update" => "The limits of a business",
    "business_username_updates" => "A business username was approved",
    "phone_number_name_update" => "A display name was rejected",
    "phone_number_quality_update" => "The throughput of a number grew",
    "security" => "Somebody asked to reset the PIN",
    "payment_configuration_update" => "A payment configuration works",
    "partner_solutions" => "A solution of several partners: the entry is a portfolio",
    "flows_status" => "A Flow was published",
    "flows_endpoint_error_rate" => "Too many errors of a Flow",
    "flows_endpoint_latency" => "A slow Flow",
    "tracking_events" => "A field without any page: kept as it came",
    "template_performance_metrics" => "A field known only from an old changelog: kept as it came",
    "unknown_field" => "A field that did not exist when this was written",
    "no_changes" => "A notification without values: Meta sends the names of the fields only",
    "batch" => "One body with every message type and every status, errors and calls, in four entries",
}
