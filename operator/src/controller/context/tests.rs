//! Whose host is whose among the resources that were read, and what is forgotten of them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::convert::Infallible;

use http::Response;
use kube::client::Body;
use kube::runtime::{reflector, watcher};
use serde_json::{Value, json};
use wahook_crds::conditions::Reason;

use super::*;
use crate::jetstream::{Broker, BrokerSettings};
use crate::probe::Outcome;
use crate::settings::NatsDefaults;
use crate::status::Truth;

fn settings() -> Settings {
    Settings {
        nats: NatsDefaults {
            servers: vec!["nats://nats:4222".to_owned()],
            ..NatsDefaults::default()
        },
        ..Settings::of("registry.example.com/wahook-receiver:1")
    }
}

/// A context that has read these resources, and an API server that is never asked.
pub(in super::super) fn context(resources: &[WhatsAppWebhook]) -> Context {
    let never = |_| std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())));
    let broker = Broker::new(BrokerSettings {
        servers: Vec::new(),
        credentials_dir: None,
        ca_file: None,
    });
    let context = Context::new(
        Client::new(tower::service_fn(never), "shop"),
        settings(),
        Arc::new(broker),
        Kinds::new(BTreeSet::new()),
        Arc::new(Metrics::new().unwrap()),
        Fence::open(),
        None,
        Timing::default(),
    );
    let (reader, mut writer) = reflector::store();
    for resource in resources {
        writer.apply_watcher_event(&watcher::Event::Apply(Guarded {
            0: Ok(resource.clone()),
        }));
    }
    context.set_stores(vec![reader]);
    context
}

fn webhook(name: &str, host: &str, url: Option<&str>, spec: &Value) -> WhatsAppWebhook {
    let mut resource = json!({
        "apiVersion": "wahook.dev/v1alpha1", "kind": "WhatsAppWebhook",
        "metadata": { "namespace": "shop", "name": name, "uid": name },
        "spec": {
            "endpoint": { "host": host },
            "meta": { "appSecrets": [{ "name": "meta-app", "key": "app-secret" }] },
        },
        "status": { "callbackUrl": url },
    });
    for (key, value) in spec.as_object().unwrap() {
        resource["spec"][key] = value.clone();
    }
    serde_json::from_value(resource).unwrap()
}

#[tokio::test]
async fn a_refused_resource_keeps_the_host_it_has() {
    let refused = json!({ "receiver": { "image": "elsewhere.example.com/receiver" } });
    let had = Some("https://old.example.com/webhook");
    let stays = webhook("stays", "new.example.com", had, &refused);
    let newcomer = |host: &str| webhook("newcomer", host, None, &json!({}));
    let context = context(&[stays, newcomer("old.example.com"), newcomer("new.example.com")]);
    assert!(
        validate(
            &webhook("stays", "new.example.com", had, &refused),
            &context.settings
        )
        .is_err()
    );
    let claim = |host: &str| {
        let newcomer = newcomer(host);
        let validated = validate(&newcomer, &context.settings).unwrap();
        context.claim(&newcomer, &validated)
    };
    assert_eq!(claim("old.example.com"), Claim::LostTo("stays".to_owned()));
    // What is refused is no claim to the host that it asks for.
    assert_eq!(claim("new.example.com"), Claim::Held);
}

#[tokio::test]
async fn what_was_seen_of_a_url_is_forgotten_when_nobody_looks_at_it() {
    let url = |name: &str| format!("https://{name}.example.com/webhook");
    let of = |name: &str, url: Option<&str>, suspended: bool| {
        webhook(
            name,
            &format!("{name}.example.com"),
            url,
            &json!({ "suspend": suspended }),
        )
    };
    let context = context(&[
        of("looked-at", Some(&url("looked-at")), false),
        of("suspended", Some(&url("suspended")), true),
        of("without", None, false),
        of("moved", Some("https://new.example.com/webhook"), false),
    ]);
    for name in ["looked-at", "suspended", "without", "moved", "gone"] {
        let due = Due {
            namespace: "shop".to_owned(),
            webhook: name.to_owned(),
            url: url(name),
            generation: 1,
        };
        let outcome = Outcome {
            truth: Truth::True,
            reason: Reason::Reachable,
            message: String::new(),
            not_after: None,
            carried: None,
            took: Duration::ZERO,
        };
        context.probes.note(&due, outcome, Duration::from_secs(300));
    }
    context.forget_gone();
    let left: Vec<String> = context.probes.all().into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, ["shop/looked-at"]);
}
