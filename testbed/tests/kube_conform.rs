//! kubeconform with schemas made here: what Kubernetes accepts is accepted, everything else is refused by name.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use wahook_testbed::kube::{Conformer, Project, VERSIONS};

const GOOD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: good, labels: {a: b}}
spec:
  selector: {matchLabels: {a: b}}
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 10%}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
        - name: c
          image: i
          resources: {limits: {cpu: 1, memory: 64Mi}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: good}
data: {a: b}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: good}
spec:
  selector: {matchLabels: {a: b}}
  endpoints: [{port: http}]
";

/// A part of what is good, what stands there instead, and what is said about it.
const BAD: [(&str, &str, &str); 8] = [
    (
        "  selector: {matchLabels: {a: b}}\n  strategy",
        "  strategy",
        "selector",
    ),
    ("template:\n", "templates: {}\n  template:\n", "templates"),
    ("image: i", "imagePullpolicy: Always", "imagePullpolicy"),
    ("name: c", "name: 1", "got number, want string"),
    ("{cpu: 1,", "{cpu: [1],", "got array"),
    (
        "{a: b}\n---\napiVersion: mon",
        "{a: 1}\n---\napiVersion: mon",
        "got number, want string",
    ),
    ("kind: ConfigMap", "kind: ConfigMaps", "could not find schema"),
    ("endpoints: [{port: http}]", "endpoints: [{ports: http}]", "ports"),
];

#[test]
fn what_the_oldest_and_the_newest_version_accept_and_refuse() {
    let definitions = Project::PrometheusOperator.definitions().unwrap();
    for version in [VERSIONS[0], VERSIONS[VERSIONS.len() - 1]] {
        let conformer = Conformer::new(version, &definitions).unwrap();
        assert_eq!(conformer.check(GOOD).unwrap(), (Vec::new(), 3), "{version}");
        for (part, instead, message) in BAD {
            let bad = GOOD.replacen(part, instead, 1);
            assert_ne!(bad, GOOD, "{part:?} is not there");
            let (findings, _) = conformer.check(&bad).unwrap();
            let [finding] = findings.as_slice() else {
                panic!("{version}: {instead:?}: {findings:#?}");
            };
            assert!(
                finding.message.contains(message),
                "{version}: {instead:?}: {finding:#?}"
            );
        }
    }
}

#[test]
fn a_field_of_newer_versions_is_refused_by_older_ones() {
    // A field that came with 1.34.
    let pod = "
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  hostnameOverride: h
  containers: [{name: c, image: i}]
";
    let none: [&serde_json::Value; 0] = [];
    let refused = |version| {
        !Conformer::new(version, none)
            .unwrap()
            .check(pod)
            .unwrap()
            .0
            .is_empty()
    };
    assert!(refused(VERSIONS[0]));
    assert!(!refused(VERSIONS[VERSIONS.len() - 1]));
}
