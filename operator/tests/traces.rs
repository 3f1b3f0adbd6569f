//! Spans of a real reconcile and of its writes, at a collector. The API server is a function here.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::convert::Infallible;
use std::sync::Arc;

use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use kube::core::DeserializeGuard;
use serde_json::{Value, json};
use wahook_crds::WhatsAppWebhook;
use wahook_operator::controller::{Context, Timing, reconcile};
use wahook_operator::jetstream::{Broker, BrokerSettings};
use wahook_operator::leader::Fence;
use wahook_operator::metrics::Metrics;
use wahook_operator::observe::Kinds;
use wahook_operator::settings::Settings;
use wahook_telemetry::trace::{SampleRatio, Service, TraceSettings, Tracing};
use wahook_testbed::collector::{Collector, Span};

/// Without a default broker, this one is refused, which its status has to say.
fn resource() -> Value {
    json!({
        "apiVersion": "wahook.dev/v1alpha1",
        "kind": "WhatsAppWebhook",
        "metadata": { "name": "main", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 1 },
        "spec": {
            "meta": { "appSecrets": [{ "name": "CNRYx-secret", "key": "a" }] },
            "endpoint": { "host": "cnryx.example.com" },
        },
    })
}

/// An API server that holds the resource and answers writes with `status`.
fn api(status: u16) -> Client {
    let answer = move |request: Request<Body>| {
        let (code, body) = match *request.method() {
            Method::GET => (200, resource()),
            _ if status == 200 => (200, resource()),
            _ => (
                status,
                json!({ "kind": "Status", "status": "Failure", "code": status, "message": "CNRYx" }),
            ),
        };
        let response = Response::builder()
            .status(code)
            .body(Body::from(body.to_string().into_bytes()))
            .unwrap();
        std::future::ready(Ok::<_, Infallible>(response))
    };
    Client::new(tower::service_fn(answer), "shop")
}

fn settings() -> Settings {
    Settings::of("registry.example.com/wahook-receiver:1")
}

/// The spans of one look, and whether it succeeded.
async fn look(write_status: u16) -> (Vec<Span>, bool) {
    let collector = Collector::start().await.unwrap();
    let to = TraceSettings {
        endpoint: collector.url().parse().unwrap(),
        sample_ratio: SampleRatio::ALL,
    };
    let service = Service {
        name: "wahook-operator",
        version: "1",
        namespace: Some("house"),
        webhook: None,
        instance: None,
    };
    let tracing = Tracing::start(Some(&to), &service).unwrap();
    let broker = Broker::new(BrokerSettings {
        servers: Vec::new(),
        credentials_dir: None,
        ca_file: None,
    });
    let context = Context::new(
        api(write_status),
        settings(),
        Arc::new(broker),
        Kinds::new(std::collections::BTreeSet::new()),
        Arc::new(Metrics::new().unwrap()),
        Fence::open(),
        None,
        Timing::default(),
    )
    .with_tracing(tracing.clone());
    let resource: WhatsAppWebhook = serde_json::from_value(resource()).unwrap();
    let result = reconcile(Arc::new(DeserializeGuard(Ok(resource))), Arc::new(context)).await;
    tracing.finish().await;
    assert_eq!(collector.problems(), Vec::<String>::new());
    (collector.spans(), result.is_ok())
}

fn reconciles(spans: &[Span]) -> &Span {
    spans
        .iter()
        .find(|span| span.name == "reconcile")
        .expect("a reconcile")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconcile_is_a_trace_and_its_writes_are_in_it() {
    let (spans, done) = look(200).await;
    assert!(done);
    let root = reconciles(&spans);
    assert_eq!((root.parent.as_str(), &root.error), ("", &None));
    assert_eq!(root.attributes["k8s.namespace.name"], "shop");
    assert_eq!(root.attributes["wahook.webhook"], "main");
    assert_eq!(root.attributes["wahook.outcome"], "success");
    assert_eq!(root.resource["service.name"], "wahook-operator");
    let writes: Vec<_> = spans
        .iter()
        .filter(|span| {
            span.attributes
                .get("wahook.verb")
                .is_some_and(|verb| verb == "status")
        })
        .collect();
    // That it was begun, and why it is refused.
    assert_eq!(writes.len(), 2, "{spans:#?}");
    for write in writes {
        assert_eq!(write.name, "write");
        assert_eq!((&write.trace, &write.parent), (&root.trace, &root.id));
        assert_eq!(write.attributes["wahook.kind"], "WhatsAppWebhook");
        assert_eq!(write.error, None);
    }
    for span in &spans {
        assert!(!span.whole.to_lowercase().contains("cnryx"), "{}", span.whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_fails_the_reconcile_in_a_word() {
    let (spans, done) = look(403).await;
    assert!(!done);
    let root = reconciles(&spans);
    assert_eq!(root.attributes["wahook.outcome"], "error");
    assert_eq!(root.error.as_deref(), Some("api_refused"));
    let write = spans.iter().find(|span| span.name == "write").expect("a write");
    assert_eq!(write.error.as_deref(), Some("api_refused"));
    for span in &spans {
        assert!(
            !span.whole.to_lowercase().contains("cnryx"),
            "what the API server says: {}",
            span.whole
        );
    }
}
