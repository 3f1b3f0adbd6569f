//! The smallest resource, and what is filled in.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::refused::ADMITTED;
use support::{SMALLEST, schema, smallest_with, with_defaults};
use wahook_crds::{LogLevel, StreamManagement, WhatsAppWebhook};

fn parse(object: &Value) -> WhatsAppWebhook {
    serde_json::from_value(object.clone()).unwrap()
}

#[test]
fn the_smallest_resource_is_complete() {
    let webhook: WhatsAppWebhook = serde_saphyr::from_str(SMALLEST).unwrap();
    let spec = &webhook.spec;
    assert_eq!(spec.endpoint.path, "/webhook");
    assert_eq!(spec.endpoint.ingress, None);
    assert_eq!(spec.meta.verify_token, None);
    assert!(spec.meta.phone_number_ids.is_empty());
    assert!(spec.nats.servers.is_empty());
    assert_eq!(spec.nats.stream.management, StreamManagement::Managed);
    assert_eq!(
        spec.nats.stream.max_age.to_std().unwrap().as_secs(),
        7 * 24 * 3600
    );
    assert_eq!(spec.nats.stream.max_bytes.to_bytes().unwrap(), 2 << 30);
    assert_eq!(spec.nats.stream.replicas, None);
    assert_eq!(spec.deduplication.window.to_std().unwrap().as_secs(), 24 * 3600);
    assert_eq!(spec.limits.body_bytes.to_bytes().unwrap(), 3 << 20);
    assert_eq!(spec.receiver.replicas, 2);
    assert_eq!(spec.receiver.log_level, LogLevel::Info);
    assert!(spec.monitoring.service_monitor.enabled && spec.network_policy.enabled && !spec.suspend);
}

/// The API server fills in the schema's defaults, this crate serde's. They must never differ.
#[test]
fn the_schema_and_the_types_have_the_same_defaults() {
    let schema = schema();
    for patch in ADMITTED {
        let object = smallest_with(patch);
        let mut by_schema = with_defaults(&schema, &object);
        let mut by_types = serde_json::to_value(parse(&object)).unwrap();
        // An amount given as a number is text for the types.
        for filled in [&mut by_schema, &mut by_types] {
            for amount in [
                "/spec/receiver/resources/requests/cpu",
                "/spec/receiver/resources/limits/cpu",
            ] {
                if let Some(value) = filled.pointer_mut(amount)
                    && let Some(number) = value.as_i64()
                {
                    *value = json!(number.to_string());
                }
            }
        }
        assert_eq!(without_empty(by_schema), without_empty(by_types), "{patch}");
    }
}

/// An empty object or list means the same as an absent one everywhere in the spec.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_empty(value)))
            .filter(|(_, value)| *value != json!({}) && *value != json!([]))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        other => other,
    }
}

/// What a person did not write is not sent: server-side apply would take it over.
#[test]
fn an_absent_choice_stays_absent() {
    let written = serde_json::to_value(parse(&smallest_with("{}"))).unwrap();
    for absent in [
        "/spec/endpoint/ingress",
        "/spec/endpoint/gateway",
        "/spec/endpoint/tls",
        "/spec/meta/verifyToken",
        "/spec/nats/servers",
        "/spec/nats/credentialsSecretRef",
        "/spec/nats/stream/name",
        "/spec/nats/stream/replicas",
        "/spec/receiver/autoscaling",
        "/spec/receiver/image",
        "/status",
    ] {
        assert_eq!(written.pointer(absent), None, "{absent}");
    }
}
