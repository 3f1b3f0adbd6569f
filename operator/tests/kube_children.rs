//! Every child on the real API server: accepted with strict validation, stored as it was written, and a second apply
//! changes nothing. With the definitions of the projects whose kinds are used.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "shared with the tests that need no cluster")]
#[path = "render/support.rs"]
mod support;

use std::path::Path;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, ValidationDirective,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use support::{FULL, generous, patched, settings, yaml};
use wahook_crds::{IssuerRef, WhatsAppWebhook};
use wahook_operator::build::quantity::{Amount, canonical};
use wahook_operator::build::{GeneratedSecret, build, generated_secret};
use wahook_operator::child::{Child, ChildKind};
use wahook_operator::names::FIELD_MANAGER;
use wahook_operator::settings::Settings;
use wahook_operator::validate::validate;
use wahook_testbed::kube::{ControlPlane, Project};

const NAMESPACE: &str = "shop";

async fn client(cluster: &ControlPlane) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&cluster.kubeconfig_text().unwrap()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

async fn install(client: &Client) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let foreign = tokio::task::spawn_blocking(|| Project::ALL.map(|project| project.definitions().unwrap()));
    let foreign = foreign.await.unwrap().into_iter().flatten();
    let mut all = vec![wahook_crds::crd()];
    all.extend(foreign.map(|definition| serde_json::from_value(definition).unwrap()));
    for definition in all {
        let name = definitions
            .create(&PostParams::default(), &definition)
            .await
            .unwrap()
            .metadata
            .name
            .unwrap();
        await_condition(definitions.clone(), &name, is_crd_established())
            .await
            .unwrap();
    }
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(NAMESPACE.into());
    namespace.metadata.labels =
        Some([("pod-security.kubernetes.io/enforce".into(), "restricted".into())].into());
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
}

fn strict() -> PatchParams {
    PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(FIELD_MANAGER).force()
    }
}

fn api(client: &Client, kind: ChildKind) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), NAMESPACE, &kind.resource())
}

/// Everything that was asked for is stored, letter for letter. What the server adds does not count.
fn within(asked: &Value, stored: &Value, path: &str) {
    match (asked, stored) {
        (Value::Object(asked), Value::Object(stored)) => {
            for (key, value) in asked {
                within(
                    value,
                    stored.get(key).unwrap_or(&Value::Null),
                    &format!("{path}.{key}"),
                );
            }
        }
        (Value::Array(asked), Value::Array(stored)) => {
            assert_eq!(asked.len(), stored.len(), "{path}");
            for (index, (asked, stored)) in asked.iter().zip(stored).enumerate() {
                within(asked, stored, &format!("{path}[{index}]"));
            }
        }
        _ => assert_eq!(asked, stored, "{path}"),
    }
}

/// Applies a child twice and looks at what is stored.
async fn apply(client: &Client, child: &Child, what: &str) {
    let name = child.object.metadata.name.as_deref().unwrap();
    let api = api(client, child.kind);
    let path = format!("{what}: {:?}", child.kind);
    let mut stored = Vec::new();
    for _ in 0..2 {
        let answer = api.patch(name, &strict(), &Patch::Apply(&child.object)).await;
        stored.push(answer.unwrap_or_else(|error| panic!("{path}: {error}")));
    }
    within(&json!(child.object), &json!(stored[0]), &path);
    let [first, second] = [&stored[0], &stored[1]].map(without_controllers);
    assert_eq!(first, second, "{path}: the second apply changed something");
}

/// An object without what Kubernetes' own controllers write meanwhile.
fn without_controllers(object: &DynamicObject) -> Value {
    let mut object = json!(object);
    let fields = object.as_object_mut().unwrap();
    fields.remove("status");
    let metadata = fields["metadata"].as_object_mut().unwrap();
    metadata.remove("managedFields");
    metadata.remove("resourceVersion");
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove("deployment.kubernetes.io/revision");
    }
    object
}

/// The pod of the template, as a controller would create it, in a namespace that admits only `restricted` ones.
async fn admit_pod(client: &Client, child: &Child, what: &str) {
    let deployment: Deployment = serde_json::from_value(json!(child.object)).unwrap();
    let template = deployment.spec.unwrap().template;
    let mut pod = Pod {
        metadata: template.metadata.unwrap(),
        spec: template.spec,
        ..Pod::default()
    };
    pod.metadata.name = Some("probe".into());
    // No such class and no such node in this cluster.
    if let Some(spec) = &mut pod.spec {
        spec.priority_class_name = None;
    }
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    if let Err(error) = pods.create(&dry, &pod).await {
        panic!("{what}: the pod is refused: {error}");
    }
}

fn by_issuer() -> Settings {
    let mut settings = settings();
    settings.nats.ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".into();
    settings.receiver.pull_secrets = vec!["registry".into()];
    settings.receiver.trusted_proxies = vec!["10.0.0.0/8".into()];
    settings.route.ingress_class = Some("nginx".into());
    settings.route.issuer = Some(IssuerRef {
        name: "letsencrypt".into(),
        kind: "ClusterIssuer".into(),
        group: "cert-manager.io".into(),
    });
    settings
}

/// Patches of the smallest resource, so that each field of each child is written once at least.
const SWITCHES: [&str; 14] = [
    "{}",
    "metadata: {name: a234567890123456789012345678901234567890}",
    "spec: {endpoint: {gateway: {parentRefs: [{name: public, namespace: edge, sectionName: https, port: 443}, {name: inner, kind: ListenerSet}]}}}",
    "spec: {endpoint: {gateway: {parentRefs: [{name: public}]}, tls: {issuerRef: {name: internal}}}}",
    "spec: {endpoint: {path: /, tls: {secretName: hooks-cert}}, limits: {bodyBytes: 64Mi}}",
    "spec: {receiver: {autoscaling: {maxReplicas: 5}}}",
    "spec: {receiver: {autoscaling: {}}, suspend: true}",
    "spec: {receiver: {replicas: 1}, meta: {verifyToken: {name: meta-app, key: token}}}",
    "spec: {nats: {servers: ['tls://nats.example.com', 'nats://[2001:db8::1]:5222'], credentialsSecretRef: {name: broker}}}",
    "spec: {nats: {tls: {caConfigMapRef: {name: ca}, clientCertificateSecretRef: {name: me}}, domain: '007'}}",
    "spec: {nats: {stream: {management: External, name: '0'}}, meta: {phoneNumberIds: ['0315005501000001']}}",
    "spec: {networkPolicy: {webhookFromNamespaces: {edge: 'true'}, metricsFromNamespaces: {monitoring: 'true'}}}",
    "spec: {monitoring: {serviceMonitor: {interval: 90s, labels: {release: 'on'}}, prometheusRule: {labels: {release: ''}}}}",
    "spec: {receiver: {env: [{name: A}, {name: B, value: 'no'}], resources: {requests: {cpu: '0.5', memory: 0.1Gi}, limits: {cpu: 2000m, memory: 1024Mi}},
        scheduling: {tolerations: [{key: a, operator: Exists, value: '', effect: ''}, {operator: Exists, effect: NoExecute, tolerationSeconds: 0}],
        nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [], requiredDuringSchedulingIgnoredDuringExecution:
        {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists, values: []}], matchFields: []}]}}}}}",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn every_child_is_stored_as_it_was_written() {
    let cluster = ControlPlane::start().await.unwrap();
    let client = client(&cluster).await;
    install(&client).await;
    let webhooks: Api<WhatsAppWebhook> = Api::namespaced(client.clone(), NAMESPACE);
    let mut objects: Vec<(String, Value)> = SWITCHES
        .iter()
        .map(|patch| ((*patch).to_owned(), patched(support::SMALLEST, patch)))
        .collect();
    objects.push(("full".into(), yaml(FULL)));
    for (what, mut object) in objects {
        // The server gives both.
        for given in ["uid", "generation"] {
            object["metadata"].as_object_mut().unwrap().remove(given);
        }
        let resource = serde_json::from_value(object).unwrap();
        let created = webhooks.create(&PostParams::default(), &resource).await;
        let created = created.unwrap_or_else(|error| panic!("{what}: {error}"));
        for mut settings in [settings(), by_issuer()] {
            settings.allow = generous().allow;
            let webhook =
                validate(&created, &settings).unwrap_or_else(|refusals| panic!("{what}: {refusals:#?}"));
            let children = build(&webhook, &settings);
            for child in &children {
                apply(&client, child, &what).await;
                if child.kind == ChildKind::Deployment {
                    admit_pod(&client, child, &what).await;
                }
            }
            for child in &children {
                let name = child.object.metadata.name.as_deref().unwrap();
                let _ = api(&client, child.kind)
                    .delete(name, &DeleteParams::background())
                    .await
                    .unwrap();
            }
        }
        let name = created.metadata.name.as_deref().unwrap();
        let _ = webhooks.delete(name, &DeleteParams::background()).await.unwrap();
    }
}

/// What `render` prints has no owner; it is accepted as a whole and creates nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn what_is_rendered_is_accepted_and_secrets_are_kept() {
    let cluster = ControlPlane::start().await.unwrap();
    let client = client(&cluster).await;
    install(&client).await;
    let settings = by_issuer();
    let resource = support::smallest("metadata: {uid: null, generation: null}");
    let webhook = validate(&resource, &settings).unwrap();
    for child in build(&webhook, &settings) {
        let dry = PatchParams {
            dry_run: true,
            ..strict()
        };
        let name = child.object.metadata.name.as_deref().unwrap();
        let answer = api(&client, child.kind)
            .patch(name, &dry, &Patch::Apply(&child.object))
            .await;
        assert!(answer.is_ok(), "{:?}: {answer:?}", child.kind);
    }
    // The generated Secret is created once; whoever is second is told, and the values stay.
    let secrets = Api::namespaced(client.clone(), NAMESPACE);
    let make = || {
        let values = GeneratedSecret::random().unwrap();
        generated_secret(&webhook, &values.token, &values.probe_key)
    };
    let first = secrets.create(&PostParams::default(), &make()).await.unwrap();
    let second = secrets.create(&PostParams::default(), &make()).await;
    assert!(matches!(second, Err(kube::Error::Api(status)) if status.code == 409));
    let stored = secrets.get("main-webhook").await.unwrap();
    assert_eq!(stored.data, first.data);
    assert_eq!(stored.data.unwrap().len(), 2);
}

/// The manifests of `examples/` and the fullest resource: admitted as resources, and what `render` prints for each is
/// accepted as a whole.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn every_example_is_admitted_and_what_is_rendered_for_it_too() {
    let cluster = ControlPlane::start().await.unwrap();
    let client = client(&cluster).await;
    install(&client).await;
    let mut texts: Vec<(String, String)> = manifests(Path::new(EXAMPLES));
    texts.push(("full.yaml".to_owned(), FULL.to_owned()));
    let mut resources = 0;
    for (path, text) in texts {
        for document in text.split("\n---") {
            if document.trim().is_empty() {
                continue;
            }
            let Ok(mut object) = serde_saphyr::from_str::<Value>(document) else {
                panic!("{path}: not YAML")
            };
            if object["kind"] != "WhatsAppWebhook" {
                continue;
            }
            resources += 1;
            let metadata = object["metadata"].as_object_mut().unwrap();
            for given in ["uid", "generation"] {
                metadata.remove(given);
            }
            metadata.insert("namespace".to_owned(), json!(NAMESPACE));
            let webhooks: Api<DynamicObject> = Api::namespaced_with(
                client.clone(),
                NAMESPACE,
                &ApiResource::erase::<WhatsAppWebhook>(&()),
            );
            let dry = PostParams {
                dry_run: true,
                ..PostParams::default()
            };
            let resource = serde_json::from_value(object.clone()).unwrap();
            let admitted = webhooks.create(&dry, &resource).await;
            let admitted = admitted.unwrap_or_else(|error| panic!("{path}: {error}"));
            let webhook = serde_json::from_value(json!(admitted)).unwrap();
            let mut settings = by_issuer();
            settings.allow = generous().allow;
            let webhook = validate(&webhook, &settings).unwrap_or_else(|all| panic!("{path}: {all:#?}"));
            let dry = PatchParams {
                dry_run: true,
                ..strict()
            };
            for mut child in build(&webhook, &settings) {
                // Nobody owns what `render` prints.
                child.object.metadata.owner_references = None;
                let name = child.object.metadata.name.as_deref().unwrap();
                let answer = api(&client, child.kind)
                    .patch(name, &dry, &Patch::Apply(&child.object))
                    .await;
                assert!(answer.is_ok(), "{path}: {:?}: {answer:?}", child.kind);
            }
        }
    }
    assert!(resources >= 8, "only {resources} resources");
}

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// Every YAML file below a directory, with its text.
fn manifests(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(manifests(&path));
        } else if path.extension().is_some_and(|end| end == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), text));
        }
    }
    found
}

/// An amount in our spelling is kept letter for letter, and means what was written.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn amounts_are_spelled_as_the_server_keeps_them() {
    let cluster = ControlPlane::start().await.unwrap();
    let client = client(&cluster).await;
    let deployments: Api<Deployment> = Api::namespaced(client, "default");
    let stored = async |memory: &str| {
        let object = json!({
            "metadata": {"name": "amounts"},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "a", "image": "a", "resources": {"requests": {"memory": memory}}}]},
                },
            },
        });
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let answer = deployments
            .create(&dry, &serde_json::from_value(object).unwrap())
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{memory}: {error}"));
        let container = answer.spec.unwrap().template.spec.unwrap().containers.remove(0);
        container
            .resources
            .unwrap()
            .requests
            .unwrap()
            .remove("memory")
            .unwrap()
            .0
    };
    for written in AMOUNTS {
        let ours = canonical(&Quantity(written.into())).0;
        assert_eq!(stored(&ours).await, ours, "{written}");
        let theirs = stored(written).await;
        assert_eq!(
            Amount::parse(&theirs),
            Amount::parse(&ours),
            "{written}: {theirs} {ours}"
        );
    }
}

#[rustfmt::skip]
const AMOUNTS: [&str; 41] = [
    "0.5", "1", "1000m", "100m", "1.5", "2000", "1500", "1e3", "1E3", "0.1e3", "12e6", "64Mi", "1024Mi", "1.5Gi", "0.5Ki",
    "1048576", "1000Ki", "0.1Gi", "128M", "1000M", ".5", "5.", "+2", "0.0000000001", "1u", "1500n", "0.0015", "1E", "3Ti",
    "1.25k", "100e-3", "1e-3", "1Ei", "007", "1.50", "1.500", "1023", "1024", "1025Ki", "0.001Ki", "1.0000000001Gi",
];
