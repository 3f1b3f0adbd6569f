//! Every value set in every supported Kubernetes version is what that version accepts, strictly.

use std::sync::Mutex;
use std::thread;

use serde_json::Value;
use wahook_testbed::kube::{Conformer, Project, VERSIONS};

use crate::support::{EVERYTHING, Helm, NATS, read, yaml};

const SETS: [(&str, &str); 12] = [
    ("nothing", "{}"),
    ("bundled NATS", NATS),
    ("everything", EVERYTHING),
    ("one operator", "replicas: 1"),
    ("no election", "{leaderElection: false, replicas: 1}"),
    ("some namespaces", "watchNamespaces: [shop, books]"),
    (
        "no Secrets",
        "{secretAccess: none, defaults: {nats: {servers: [\"tls://n.example.com:4222\"], credentialsSecret: login}}}",
    ),
    (
        "rights made elsewhere",
        "{rbac: {create: false}, serviceAccount: {create: false, name: mine}}",
    ),
    (
        "nothing optional",
        "{networkPolicy: {enabled: false}, podDisruptionBudget: {enabled: false}, crds: {enabled: false}, test: {enabled: false}}",
    ),
    (
        "monitored",
        "{monitoring: {serviceMonitor: {enabled: true, whenMissing: alwaysRender}, ruleFile: {enabled: true}, dashboards: {enabled: true}}, rbac: {aggregate: true}}",
    ),
    (
        "users of one's own",
        "nats: {enabled: true, auth: {existingSecret: mine}}",
    ),
    (
        "a webhook to test",
        "test: {webhook: {name: shop, namespace: shop}}",
    ),
];

pub(crate) fn definitions() -> Vec<Value> {
    let foreign = Project::ALL
        .into_iter()
        .flat_map(|project| project.definitions().unwrap());
    foreign
        .chain([yaml(&read("crds/whatsappwebhooks.yaml"))])
        .collect()
}

fn problems(version: &'static str, definitions: &[Value]) -> Vec<String> {
    let conformer = Conformer::new(version, definitions).unwrap();
    let mut problems = Vec::new();
    for (name, values) in SETS {
        let rendered = Helm::four().kubernetes(version).render(values);
        let (findings, all) = conformer.check(&rendered.text).unwrap();
        assert_eq!(
            all,
            rendered.objects.len(),
            "{version}, {name}: not all were looked at"
        );
        problems.extend(
            findings
                .iter()
                .map(|finding| format!("{version}, {name}: {finding:?}")),
        );
    }
    problems
}

#[test]
fn every_version_accepts_every_value_set() {
    let definitions = definitions();
    let left = Mutex::new(VERSIONS.to_vec());
    let take = || left.lock().unwrap().pop();
    let problems: Vec<String> = thread::scope(|scope| {
        let work = || {
            scope.spawn(|| {
                let mut found = Vec::new();
                while let Some(version) = take() {
                    found.extend(problems(version, &definitions));
                }
                found
            })
        };
        let workers = [work(), work()];
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(problems.is_empty(), "{problems:#?}");
}
