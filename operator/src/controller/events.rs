//! Kubernetes Events: one for each condition that turned, none for what stays.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::events::{Event, EventType};
use tracing::warn;
use wahook_crds::conditions::ConditionType;
use wahook_crds::{WhatsAppWebhook, WhatsAppWebhookStatus};

use super::context::Context;
use crate::api_error::{ApiError, shorten};
use crate::status::transitions;

/// Kubernetes takes a note of 1 KiB.
const LONGEST_NOTE: usize = 1000;

/// Tells what turned.
pub(super) async fn tell(
    context: &Context,
    metadata: &ObjectMeta,
    before: &WhatsAppWebhookStatus,
    after: &WhatsAppWebhookStatus,
) {
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
        publish(context, metadata, &event).await;
    }
}

/// Tells that a generated verify token is another now. The old one is lost with its Secret, so there was no way to keep it.
pub(super) async fn tell_regenerated(context: &Context, metadata: &ObjectMeta, secret: &str) {
    let event = Event {
        type_: EventType::Warning,
        reason: "VerifyTokenRegenerated".to_owned(),
        note: Some(format!(
            "The Secret {secret} was deleted, and its values with it. It was made again with another verify token: enter \
             that in Meta's dashboard before the callback URL is verified the next time."
        )),
        action: ConditionType::SecretsReady.as_str().to_owned(),
        secondary: None,
    };
    publish(context, metadata, &event).await;
}

/// Tells what was created or changed of the stream.
pub(super) async fn tell_written(context: &Context, metadata: &ObjectMeta, written: &[String]) {
    for change in written {
        let event = Event {
            type_: EventType::Normal,
            reason: "StreamChanged".to_owned(),
            note: Some(shorten(change, LONGEST_NOTE)),
            action: ConditionType::StreamReady.as_str().to_owned(),
            secondary: None,
        };
        publish(context, metadata, &event).await;
    }
}

/// An Event that cannot be written is no reason to do anything again: the condition says the same.
async fn publish(context: &Context, metadata: &ObjectMeta, event: &Event) {
    let about = ObjectReference {
        api_version: Some(WhatsAppWebhook::api_version(&()).into_owned()),
        kind: Some(WhatsAppWebhook::kind(&()).into_owned()),
        name: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        uid: metadata.uid.clone(),
        ..ObjectReference::default()
    };
    if let Err(error) = context.recorder.publish(event, &about).await {
        context.metrics.event_lost();
        warn!(error = %ApiError::from(error), "an Event could not be written");
    }
}
