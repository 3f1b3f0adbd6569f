//! Every field of the resource changed and changed back, and deletion.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wahook_operator::child::ChildKind;
use wahook_operator::settings::Allow;

use crate::support::{Lab, Options, Snapshot, eventually, settings, spec};

/// A value for each field that is not its default. One change may be of several fields that need each other.
fn changes() -> Vec<(&'static str, Value)> {
    let affinity = json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
        { "matchExpressions": [{ "key": "arch", "operator": "In", "values": ["arm64"] }] },
    ] } });
    vec![
        ("endpoint.host", json!("other.example.com")),
        ("endpoint.path", json!("/other")),
        (
            "endpoint.ingress",
            json!({ "className": "nginx", "annotations": { "example.com/a": "b" } }),
        ),
        (
            "endpoint.gateway",
            json!({ "parentRefs": [{
                "group": "gateway.networking.k8s.io", "kind": "ListenerSet", "name": "public",
                "namespace": "gateways", "sectionName": "https", "port": 443,
            }] }),
        ),
        ("endpoint.tls", json!({ "secretName": "own-certificate" })),
        (
            "endpoint.tls",
            json!({ "issuerRef": { "name": "other", "kind": "ClusterIssuer", "group": "example.com" } }),
        ),
        (
            "meta.appSecrets",
            json!([{ "name": "meta-app", "key": "app-secret" }, { "name": "second", "key": "value" }]),
        ),
        ("meta.verifyToken", json!({ "name": "meta-app", "key": "token" })),
        ("meta.phoneNumberIds", json!(["1234567890"])),
        ("nats.servers", json!(["tls://nats.example.com:4333"])),
        (
            "nats.credentialsSecretRef",
            json!({ "name": "login", "key": "creds" }),
        ),
        (
            "nats.tls",
            json!({
                "required": true, "first": true, "caSecretRef": { "name": "ca", "key": "pem" },
                "clientCertificateSecretRef": { "name": "client" },
            }),
        ),
        (
            "nats.tls",
            json!({ "caConfigMapRef": { "name": "ca", "key": "pem" } }),
        ),
        ("nats.domain", json!("edge")),
        (
            "nats.stream",
            json!({ "management": "External", "name": "EVENTS" }),
        ),
        ("nats.stream.replicas", json!(3)),
        ("nats.stream.maxAge", json!("200h")),
        ("nats.stream.maxBytes", json!("4Gi")),
        ("deduplication.window", json!("48h")),
        ("deduplication.memoryEntries", json!(1000)),
        ("limits.bodyBytes", json!("4Mi")),
        ("limits.bodyMemoryBytes", json!("128Mi")),
        ("limits.headerBytes", json!("64Ki")),
        ("limits.headerTimeout", json!("5s")),
        ("limits.bodyTimeout", json!("6s")),
        ("limits.idleTimeout", json!("80s")),
        ("limits.writeTimeout", json!("7s")),
        ("limits.publishDeadline", json!("8s")),
        ("limits.connections", json!(100)),
        ("limits.inFlightRequests", json!(101)),
        ("limits.inFlightEvents", json!(1000)),
        ("limits.badSignaturesPerMinute", json!(30)),
        ("receiver.replicas", json!(1)),
        (
            "receiver.autoscaling",
            json!({ "minReplicas": 3, "maxReplicas": 7, "targetCpuPercent": 50 }),
        ),
        ("receiver.image", json!("registry.example.com/wahook-receiver:2")),
        ("receiver.imagePullPolicy", json!("Always")),
        ("receiver.imagePullSecrets", json!([{ "name": "registry" }])),
        (
            "receiver.resources.requests",
            json!({ "cpu": "0.25", "memory": "100Mi" }),
        ),
        (
            "receiver.resources.limits",
            json!({ "cpu": "2", "memory": "1024Mi" }),
        ),
        ("receiver.scheduling.nodeSelector", json!({ "disk": "fast" })),
        (
            "receiver.scheduling.tolerations",
            json!([{ "key": "only", "operator": "Equal", "value": "webhooks", "effect": "NoExecute", "tolerationSeconds": 5 }]),
        ),
        ("receiver.scheduling.nodeAffinity", affinity),
        (
            "receiver.scheduling.topologySpread",
            json!([{ "topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule" }]),
        ),
        ("receiver.scheduling.priorityClassName", json!("important")),
        (
            "receiver.podMetadata",
            json!({ "labels": { "team": "shop" }, "annotations": { "example.com/a": "b" } }),
        ),
        ("receiver.logLevel", json!("Debug")),
        ("receiver.env", json!([{ "name": "TUNING", "value": "1" }])),
        ("monitoring.serviceMonitor.enabled", json!(false)),
        ("monitoring.serviceMonitor.interval", json!("15s")),
        (
            "monitoring.serviceMonitor.labels",
            json!({ "release": "prometheus" }),
        ),
        ("monitoring.prometheusRule.enabled", json!(false)),
        (
            "monitoring.prometheusRule.labels",
            json!({ "release": "prometheus" }),
        ),
        (
            "monitoring.prometheusRule.thresholds",
            json!({
                "errorPercent": 2, "slowSeconds": 5, "tooSlowSeconds": 12, "duplicatePercent": 10, "streamPercent": 60,
                "certificateDays": 21, "certificateLastDays": 5,
            }),
        ),
        (
            "monitoring.tracing",
            json!({ "endpoint": "http://collector.observability:4318", "sampleRatio": "0.5" }),
        ),
        ("networkPolicy.enabled", json!(false)),
        (
            "networkPolicy.webhookFromNamespaces",
            json!({ "name": "ingress" }),
        ),
        (
            "networkPolicy.metricsFromNamespaces",
            json!({ "name": "monitoring" }),
        ),
        ("suspend", json!(true)),
    ]
}

/// Fields that cannot be changed back: JetStream keeps them for the life of a stream, and so does the definition.
const FINAL: [&str; 2] = ["nats.stream.storage", "nats.stream.denyDelete"];
/// A type of Kubernetes itself, of which one form stands for all.
const FOREIGN: &str = "receiver.scheduling.nodeAffinity";

fn set(spec: &mut Value, path: &str, value: Value) {
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = spec;
    for key in parents.split('.').filter(|key| !key.is_empty()) {
        at = &mut at[key];
    }
    at[last] = value;
}

/// Every field of the definition, by its path without indexes.
fn fields(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    let properties = schema["properties"].as_object();
    let items = schema["items"]["properties"].as_object();
    let Some(properties) = properties.or(items) else {
        found.insert(path.to_owned());
        return;
    };
    for (name, schema) in properties {
        fields(schema, format!("{path}.{name}").trim_start_matches('.'), found);
    }
}

/// Every field of a value.
fn used(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                used(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            for value in list {
                used(value, path, found);
            }
        }
        _ => {}
    }
    found.insert(path.to_owned());
}

#[test]
fn no_field_is_left_out() {
    let crd = serde_json::to_value(wahook_crds::crd()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut all = BTreeSet::new();
    fields(schema, "", &mut all);
    let mut changed = BTreeSet::new();
    for (path, value) in changes() {
        used(&value, path, &mut changed);
    }
    let left: Vec<_> = all
        .iter()
        .filter(|field| {
            !changed.contains(*field) && !FINAL.contains(&field.as_str()) && !field.starts_with(FOREIGN)
        })
        .collect();
    assert!(all.len() > 60, "{all:?}");
    assert_eq!(left, Vec::<&String>::new());
}

/// What is changed has an effect, the same as if it had always been so; changed back, nothing of it is left.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn every_field_changed_and_changed_back() {
    let lab = Lab::new("change-fields").await;
    let mut settings = settings();
    settings.allow = Allow::everything();
    let operator = lab
        .operator_with(Options {
            settings,
            ..Options::default()
        })
        .await;
    lab.app_secret().await;

    let cases: Vec<(String, &str, Value, Value)> = changes()
        .into_iter()
        .enumerate()
        .map(|(index, (path, value))| {
            let name = format!("field-{index}");
            let base = spec(&name);
            let mut changed = base.clone();
            if path == "endpoint.host" {
                changed["endpoint"]["host"] = format!("other-{name}.example.com").into();
            } else {
                if path == "endpoint.gateway" {
                    changed["endpoint"].as_object_mut().unwrap().remove("tls");
                }
                set(&mut changed, path, value);
            }
            (name, path, base, changed)
        })
        .collect();
    let snapshots = async || {
        let mut all = Vec::new();
        let names: Vec<&str> = cases.iter().map(|(name, ..)| name.as_str()).collect();
        lab.all_settled(&operator, &names).await;
        for (name, ..) in &cases {
            all.push(Snapshot::take(&lab, &operator, name).await);
        }
        all
    };
    let create = async |name: &str, spec: &Value| {
        let webhook = wahook_crds::WhatsAppWebhook::new(name, serde_json::from_value(spec.clone()).unwrap());
        lab.create(&webhook).await;
    };

    for (name, _, base, _) in &cases {
        create(name, base).await;
    }
    let base = snapshots().await;
    for (name, _, _, changed) in &cases {
        lab.set_spec(name, changed).await;
    }
    let changed = snapshots().await;
    for (name, _, base, _) in &cases {
        lab.set_spec(name, base).await;
    }
    let back = snapshots().await;
    for (name, ..) in &cases {
        lab.delete(name).await;
    }
    eventually("the children to go", async || {
        lab.left_of_all().await.is_empty().then_some(())
    })
    .await;
    for (name, _, _, changed) in &cases {
        create(name, changed).await;
    }
    let fresh = snapshots().await;

    let mut problems = String::new();
    for (index, (_, path, ..)) in cases.iter().enumerate() {
        if base[index] == changed[index] {
            problems += &format!("{path}: a change has no effect\n");
        }
        let (changed, fresh) = (changed[index].clone(), fresh[index].clone());
        for (what, one, two) in [
            ("changed back", &back[index], &base[index]),
            ("changed", &changed.of_any_owner(), &fresh.of_any_owner()),
        ] {
            if one != two {
                problems += &format!("{path} {what}:\n{}", one.difference(two));
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
    operator.stop().await;
}

/// Garbage collection takes everything along, and nothing of the stream.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn deletion_leaves_nothing() {
    let lab = Lab::new("change-deletion").await;
    let operator = lab.operator().await;
    lab.app_secret().await;
    lab.create(&crate::support::webhook("main")).await;
    lab.settled(&operator, "main").await;
    assert!(lab.left_of("main").await.len() > 10);
    let plans = operator.streams.plan("main");
    lab.delete("main").await;
    eventually("the children to go", async || {
        lab.left_of("main").await.is_empty().then_some(())
    })
    .await;
    operator.quiet().await;
    assert_eq!(
        lab.left_of("main").await,
        Vec::<String>::new(),
        "nothing comes back"
    );
    assert_eq!(operator.streams.plan("main"), plans);
    assert!(
        lab.secrets().get_opt("meta-app").await.unwrap().is_some(),
        "the user's own Secret stays"
    );
    assert!(lab.child("main", ChildKind::Deployment).await.is_none());
}
