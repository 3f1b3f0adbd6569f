//! Values that are refused, and the key that is named. A misspelt key is never ignored in silence.

use crate::support::{Helm, NATS};

/// Values, and what the message has to name.
const BAD: [(&str, &str); 51] = [
    ("replica: 3", "replica"),
    ("replicas: -1", "replicas"),
    ("replicas: two", "replicas"),
    ("{leaderElection: false, replicas: 2}", "leaderElection"),
    ("image: {tagg: latest}", "tagg"),
    ("image: {digest: latest}", "digest"),
    ("image: {pullPolicy: Sometimes}", "pullPolicy"),
    ("image: {pullSecrets: registry}", "pullSecrets"),
    ("receiver: {image: {repository: \"\"}}", "repository"),
    ("watchNamespaces: shop", "watchNamespaces"),
    ("watchNamespaces: [Shop]", "watchNamespaces"),
    ("secretAccess: all", "secretAccess"),
    ("logLevel: verbose", "logLevel"),
    ("logFormat: xml", "logFormat"),
    ("concurrency: 0", "concurrency"),
    ("rolloutBatch: 0", "rolloutBatch"),
    ("resync: 5 minutes", "resync"),
    ("defaults: {subjectPrefix: a.b}", "subjectPrefix"),
    ("defaults: {nats: {servers: [\"http://n:4222\"]}}", "servers"),
    (
        "defaults: {nats: {servers: [\"nats://user:word@n:4222\"]}}",
        "servers",
    ),
    (
        "defaults: {nats: {ca: {configMap: a, secret: b}}}",
        "defaults.nats.ca.configMap",
    ),
    ("defaults: {trustedProxies: [10.0.0.1]}", "trustedProxies"),
    (
        "defaults: {gateway: {namespace: gateways}}",
        "defaults.gateway.name",
    ),
    ("allow: {hosts: {shop: hooks.example.com}}", "hosts"),
    ("allow: {everything: true}", "everything"),
    ("allow: {natsServers: nats://nats:4222}", "natsServers"),
    ("allow: {maxStreamBytes: much}", "maxStreamBytes"),
    ("allow: {issuers: [letsencrypt]}", "issuers"),
    ("tracing: {endpoint: \"grpc://collector:4317\"}", "endpoint"),
    (
        "tracing: {endpoint: \"http://user:word@collector:4318\"}",
        "endpoint",
    ),
    ("tracing: {sampleRatio: \"2\"}", "sampleRatio"),
    (
        "allow: {tracingEndpoints: http://collector:4318}",
        "tracingEndpoints",
    ),
    ("crds: {install: true}", "install"),
    ("nats: {enabled: true}", "nats.auth.password"),
    ("nats: {enabled: true, auth: {password: short}}", "password"),
    (
        "nats: {enabled: true, auth: {password: abcdefghijklmnopqrstuvwxyz, existingSecret: mine}}",
        "nats.auth.existingSecret",
    ),
    (
        "nats: {enabled: true, auth: {existingSecret: mine, namespaces: [shop]}}",
        "nats.auth.namespaces",
    ),
    ("nats: {persistence: {size: 10GB}}", "size"),
    ("nats: {jetstream: {syncInterval: never}}", "syncInterval"),
    ("nats: {maxPayload: 1}", "maxPayload"),
    ("nats: {goMemoryLimit: 410Mi}", "goMemoryLimit"),
    (
        "monitoring: {serviceMonitor: {enabled: true, whenMissing: failIfMissing}}",
        "monitoring.serviceMonitor.whenMissing",
    ),
    (
        "monitoring: {serviceMonitor: {whenMissing: ignore}}",
        "whenMissing",
    ),
    (
        "monitoring: {prometheusRule: {enabled: true, whenMissing: failIfMissing}}",
        "monitoring.prometheusRule.whenMissing",
    ),
    (
        "defaults: {probeCa: {configMap: one, secret: two}}",
        "defaults.probeCa.configMap",
    ),
    ("networkPolicy: {apiServerPorts: [70000]}", "apiServerPorts"),
    ("networkPolicy: {extraPorts: [0]}", "extraPorts"),
    ("test: {webhook: {path: webhook}}", "path"),
    (
        "terminationGracePeriodSeconds: 0",
        "terminationGracePeriodSeconds",
    ),
    ("extraObjects: [1]", "extraObjects"),
    ("serviceAccount: {annotations: {a: 1}}", "annotations"),
];

#[test]
fn each_is_refused_by_the_name_of_its_key() {
    for (values, key) in BAD {
        let complaint = Helm::four().refusal(values);
        // Helm repeats neither the values nor the templates before the error itself.
        assert!(
            complaint.contains(key),
            "{values}: {key} is not named in:\n{complaint}"
        );
    }
}

#[test]
fn helm_3_refuses_them_too() {
    for (values, key) in BAD.iter().step_by(5) {
        let complaint = Helm::three().refusal(values);
        assert!(
            complaint.contains(key),
            "{values}: {key} is not named in:\n{complaint}"
        );
    }
}

#[test]
fn a_parents_globals_are_not_refused() {
    Helm::four().render("global: {somethingOfTheParent: true}");
}

#[test]
fn the_password_is_not_repeated() {
    let short = "nats: {enabled: true, auth: {password: Tr0ub4dor}}";
    assert!(
        !Helm::four()
            .refusal(short)
            .contains("at '/nats/auth/password': 'Tr0ub4dor' is valid")
    );
    Helm::four().render(NATS);
}
