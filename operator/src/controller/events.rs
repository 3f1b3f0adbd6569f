//! Kubernetes Events: one for each condition that turned, none for what stays.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::events::{Event, EventType};
use tracing::warn;
use wahook_crds::{WhatsAppWebhook, WhatsAppWebhookStatus};

use super::context::Context;
use crate::api_error::{ApiError, shorten};
use crate::status::transitions;

/// Kubernetes takes a note of 1 KiB.
const LONGEST_NOTE: usize = 1000;

/// Tells what turned. An Event that cannot be written is no reason to do anything again: the condition says the same.
pub(super) async fn tell(
    context: &Context,
    metadata: &ObjectMeta,
    before: &WhatsAppWebhookStatus,
    after: &WhatsAppWebhookStatus,
) {
    let about = ObjectReference {
        api_version: Some(WhatsAppWebhook::api_version(&()).into_owned()),
        kind: Some(WhatsAppWebhook::kind(&()).into_owned()),
        name: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        uid: metadata.uid.clone(),
        ..ObjectReference::default()
    };
    for turned in transitions(before, after) {
        let event = Event {
            type_: if turned.is_warning {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: turned.reason,
            note: Some(shorten(&turned.message, LONGEST_NOTE)),
            action: turned.condition.as_str().to_owned(),
            secondary: None,
        };
        if let Err(error) = context.recorder.publish(&event, &about).await {
            context.metrics.event_lost();
            warn!(error = %ApiError::from(error), "an Event could not be written");
        }
    }
}
