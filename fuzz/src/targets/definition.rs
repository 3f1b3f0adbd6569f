//! A resource, on its way through the API server, the operator and into the receiver.

use serde_json::Value;
use std::sync::LazyLock;
use wahook_crds::WhatsAppWebhook;
use wahook_operator::build::build;
use wahook_operator::build::configuration::configuration;
use wahook_operator::cli::schema::Schema;
use wahook_operator::settings::{Allow, NatsDefaults, Settings};
use wahook_operator::validate::validate;

use super::{Target, texts};

pub(super) const TARGET: Target = Target {
    name: "definition",
    about: "a resource: what the schema admits has a type, and what the operator accepts the receiver can read",
    seeds,
    run,
};

/// Made once: each input would make them anew.
static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::installed);
static SETTINGS: LazyLock<Settings> = LazyLock::new(settings);

const SMALLEST: &str = include_str!("../../../examples/minimal.yaml");

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        SMALLEST,
        include_str!("../../../examples/full.yaml"),
        include_str!("../../../examples/gateway.yaml"),
        include_str!("../../../examples/external-stream.yaml"),
        "spec: {receiver: {image: a, env: [{name: A, value: B}], logLevel: Debug}}",
        "spec: {endpoint: {host: h.example.com, path: /a}, limits: {bodyBytes: 1Ki, publishDeadline: 15s}}",
        "spec: {nats: {servers: ['nats://[2001:db8::1]:4222'], stream: {maxBytes: 1Mi, maxAge: 100ms}}, suspend: true}",
        "spec: {monitoring: {tracing: {endpoint: 'http://c:4318', sampleRatio: '0.1'}, prometheusRule: {thresholds: {}}}}",
    ])
}

/// The operator, with everything allowed that may be.
fn settings() -> Settings {
    Settings {
        nats: NatsDefaults {
            servers: vec!["nats://nats.nats:4222".to_owned()],
            ..NatsDefaults::default()
        },
        allow: Allow::everything(),
        rollout_batch: 1,
        ..Settings::of("registry.example.com/wahook-receiver:1")
    }
}

fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (Ok(change), Ok(mut resource)) = (
        serde_saphyr::from_str::<Value>(text),
        serde_saphyr::from_str::<Value>(SMALLEST),
    ) else {
        return;
    };
    resource["metadata"]["namespace"] = "shop".into();
    json_patch::merge(&mut resource, &change);
    let Ok(admitted) = SCHEMA.admit(&resource) else {
        return;
    };
    // Metadata is the API server's own, and of its types.
    let Ok(webhook) = serde_json::from_value::<WhatsAppWebhook>(admitted.clone()) else {
        let metadata = serde_json::from_value::<Metadata>(admitted["metadata"].clone());
        return assert!(metadata.is_err(), "admitted, and without a type");
    };
    let settings = &*SETTINGS;
    match validate(&webhook, settings) {
        Err(refusals) => assert!(!refusals.is_empty()),
        Ok(valid) => {
            assert!(!build(&valid, settings).is_empty());
            let text = configuration(&valid, settings).yaml();
            match wahook_receiver::config::parse(&text) {
                Ok((_, unknown)) => assert!(unknown.is_empty(), "{unknown:?}"),
                Err(error) => panic!("the receiver would refuse what the operator accepted: {error}"),
            }
        }
    }
}

type Metadata = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
