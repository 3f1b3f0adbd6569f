//! Registry, digest and pull secrets reach every image.

use serde_json::Value;

use crate::support::{EVERYTHING, NATS, Rendered, render, texts};

const DIGEST: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";

/// Every image that is named anywhere, the receivers' in the operator's flags included.
fn images(rendered: &Rendered) -> Vec<String> {
    let pods = rendered.pods();
    let containers = pods.iter().flat_map(|pod| pod.containers());
    let mut images: Vec<String> = containers
        .map(|container| container["image"].as_str().unwrap().to_owned())
        .collect();
    let flag = texts(&rendered.container()["args"])
        .into_iter()
        .find_map(|word| word.strip_prefix("--receiver-image="));
    images.push(flag.unwrap().to_owned());
    images.sort();
    images
}

fn secrets(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[test]
fn without_values_they_are_those_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let receiver = format!("ghcr.io/wahook/wahook-receiver:{version}");
    let operator = format!("ghcr.io/wahook/wahook-operator:{version}");
    let nats = format!("docker.io/library/nats:{}", wahook_testbed::nats::VERSION);
    assert_eq!(
        images(&render(NATS)),
        [nats, operator, receiver.clone(), receiver]
    );
}

#[test]
fn one_registry_replaces_all() {
    for image in images(&render(&format!(
        "{{global: {{imageRegistry: registry.example.com/mirror}}, {NATS}}}"
    ))) {
        assert!(image.starts_with("registry.example.com/mirror/"), "{image}");
    }
}

#[test]
fn each_registry_and_digest_is_used() {
    let image = |repository: &str| {
        format!("{{registry: r.example.com, repository: {repository}, tag: ignored, digest: \"{DIGEST}\"}}")
    };
    let values = format!(
        "{{image: {}, receiver: {{image: {}}}, nats: {{enabled: true, auth: {{password: abcdefghijklmnopqrstuvwxyz}}, image: {}}}}}",
        image("operator"),
        image("receiver"),
        image("nats")
    );
    let expected =
        ["nats", "operator", "receiver", "receiver"].map(|name| format!("r.example.com/{name}@{DIGEST}"));
    assert_eq!(images(&render(&values)), expected);
}

#[test]
fn pull_secrets_reach_every_pod() {
    let rendered = render(EVERYTHING);
    for (owner, expected) in [
        ("Deployment/wahook-operator", ["parent", "registry"]),
        ("StatefulSet/wahook-nats", ["parent", "docker"]),
        ("Pod/wahook-test-send", ["parent", "receivers"]),
    ] {
        let pods = rendered.pods();
        let pod = pods.iter().find(|pod| pod.owner == owner).unwrap();
        assert_eq!(secrets(&pod.spec["imagePullSecrets"]), expected, "{owner}");
    }
    for pod in render(NATS).pods() {
        assert!(pod.spec.get("imagePullSecrets").is_none(), "{}", pod.owner);
    }
}

#[test]
fn pull_policies_are_used() {
    assert_eq!(render(EVERYTHING).container()["imagePullPolicy"], "Always");
    assert_eq!(render("{}").container()["imagePullPolicy"], "IfNotPresent");
}
