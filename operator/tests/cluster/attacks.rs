//! A tenant who may only create and patch the resource tries to get more through the operator, on a real API server.
//! What counts is what is in the cluster afterwards.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use wahook_crds::WhatsAppWebhook;
use wahook_operator::child::ChildKind;
use wahook_operator::settings::Pattern;

use crate::support::{Lab, Options, Running, client, eventually, settings, spec, webhook};

const VICTIM: &str = "attacks-victim";
const USER: &str = "mallory";

/// Each is merged into the spec of a resource of its own. What must not come of it stands in it as `evil` or `victim`.
fn attempts() -> Vec<(&'static str, Value)> {
    let annotation = |key: &str| json!({ "endpoint": { "ingress": { "annotations": { key: "evil" } } } });
    vec![
        (
            "image",
            json!({ "receiver": { "image": "evil.example.com/miner:1" } }),
        ),
        (
            "image-prefix",
            json!({ "receiver": { "image": "registry.example.com.evil/wahook-receiver:1" } }),
        ),
        (
            "snippet",
            annotation("nginx.ingress.kubernetes.io/server-snippet"),
        ),
        (
            "location-snippet",
            annotation("nginx.ingress.kubernetes.io/configuration-snippet"),
        ),
        (
            "middleware",
            annotation("traefik.ingress.kubernetes.io/router.middlewares"),
        ),
        ("host", json!({ "endpoint": { "host": "victim.example.com" } })),
        (
            "host-line",
            json!({ "endpoint": { "host": "a.example.com\nevil" } }),
        ),
        (
            "path",
            json!({ "endpoint": { "path": "/a\r\nX-Injected: evil" } }),
        ),
        (
            "path-rule",
            json!({ "endpoint": { "path": "/a` || Host(`evil.example.com`)" } }),
        ),
        (
            "stream",
            json!({ "nats": { "stream": { "name": "whatsapp_attacks-victim_victim" } } }),
        ),
        (
            "stream-subject",
            json!({ "nats": { "stream": { "management": "External", "name": "a.>evil" } } }),
        ),
        ("prefix", json!({ "nats": { "subjectPrefix": "evil" } })),
        ("domain", json!({ "nats": { "domain": "a.evil.>" } })),
        (
            "secret-path",
            json!({ "meta": { "appSecrets": [{ "name": "../attacks-victim/evil", "key": "app-secret" }] } }),
        ),
        (
            "secret-namespace",
            json!({ "meta": { "appSecrets": [{ "name": "meta-app", "key": "app-secret", "namespace": "evil" }] } }),
        ),
        (
            "secret-key",
            json!({ "meta": { "appSecrets": [{ "name": "meta-app", "key": "../../evil" }] } }),
        ),
        (
            "tls-secret",
            json!({ "endpoint": { "tls": { "secretName": "attacks-victim/evil" } } }),
        ),
        (
            "preload",
            json!({ "receiver": { "env": [{ "name": "LD_PRELOAD", "value": "evil" }] } }),
        ),
        (
            "env-secret",
            json!({ "receiver": { "env": [{ "name": "A", "valueFrom": { "secretKeyRef": { "name": "evil", "key": "a" } } }] } }),
        ),
        (
            "env-expansion",
            json!({ "receiver": { "env": [{ "name": "A", "value": "$(evil)" }] } }),
        ),
        (
            "pod-labels",
            json!({ "receiver": { "podMetadata": { "labels": { "app": "evil" } } } }),
        ),
        (
            "sidecar",
            json!({ "receiver": { "podMetadata": { "annotations": { "sidecar.istio.io/inject": "evil" } } } }),
        ),
        (
            "servers",
            json!({ "nats": { "servers": ["nats://user:evil@nats.example.com:4222"] } }),
        ),
        (
            "numbers",
            json!({ "meta": { "phoneNumberIds": ["1\nprefix: evil"] } }),
        ),
    ]
}

fn merged(name: &str, attempt: &Value) -> Value {
    let mut all = spec(name);
    for (section, fields) in attempt.as_object().unwrap() {
        for (field, value) in fields.as_object().unwrap() {
            all[section][field] = value.clone();
        }
    }
    all
}

/// A client that may create and patch the resource in the namespace, and nothing else.
async fn tenant(lab: &Lab) -> Client {
    let role: Role = serde_json::from_value(json!({
        "metadata": { "name": USER },
        "rules": [{ "apiGroups": ["wahook.dev"], "resources": ["whatsappwebhooks"], "verbs": ["create", "patch", "get"] }],
    }))
    .unwrap();
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": { "name": USER },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": USER },
        "subjects": [{ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": USER }],
    }))
    .unwrap();
    let post = PostParams::default();
    let roles: Api<Role> = Api::namespaced(lab.client.clone(), &lab.namespace);
    roles.create(&post, &role).await.unwrap();
    let bindings: Api<RoleBinding> = Api::namespaced(lab.client.clone(), &lab.namespace);
    bindings.create(&post, &binding).await.unwrap();
    let client = client(
        &lab.plane
            .user_kubeconfig(USER, &["system:authenticated"])
            .unwrap(),
    )
    .await;
    let api: Api<WhatsAppWebhook> = Api::namespaced(client.clone(), &lab.namespace);
    eventually("the right to read", async || api.get_opt("none").await.ok()).await;
    client
}

fn forbidden<T: std::fmt::Debug>(result: Result<T, kube::Error>) {
    assert!(
        matches!(&result, Err(kube::Error::Api(status)) if status.code == 403),
        "{result:?}"
    );
}

/// Everything in the tenant's namespace, for a search.
async fn everything(lab: &Lab) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for kind in ChildKind::ALL {
        for object in lab
            .children(kind)
            .list(&kube::api::ListParams::default())
            .await
            .unwrap()
        {
            let name = format!("{kind:?} {}", object.name_any());
            all.push((name, serde_json::to_value(object).unwrap()));
        }
    }
    all
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_tenant_gains_nothing() {
    let (lab, victim) = (Lab::new("attacks-tenant").await, Lab::new(VICTIM).await);
    let mut settings = settings();
    settings.watch_namespaces = vec![lab.namespace.clone(), victim.namespace.clone()];
    // A careless operator: a wildcard that has dangerous annotations in it.
    settings.allow.annotations = vec![Pattern::new("nginx.ingress.kubernetes.io/*")];
    let operator = lab
        .operator_with(Options {
            settings,
            ..Options::default()
        })
        .await;
    victim.app_secret().await;
    lab.app_secret().await;
    victim.create(&webhook("victim")).await;
    victim.settled(&operator, "victim").await;
    let before = versions(&victim).await;

    let client = tenant(&lab).await;
    let resource = ApiResource::erase::<WhatsAppWebhook>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &lab.namespace, &resource);
    let (mut admitted, attempts) = (Vec::new(), attempts());
    assert!(attempts.len() >= 20);
    for (name, attempt) in &attempts {
        let object = json!({
            "apiVersion": "wahook.dev/v1alpha1", "kind": "WhatsAppWebhook", "metadata": { "name": name },
            "spec": merged(name, attempt),
            // Whoever says that the host is his has it no more for that.
            "status": { "callbackUrl": "https://victim.example.com/webhook" },
        });
        let object = serde_json::from_value(object).unwrap();
        if api.create(&PostParams::default(), &object).await.is_ok() {
            admitted.push(*name);
        }
    }
    // And by a patch of one that was good.
    let good = serde_json::from_value(serde_json::to_value(webhook("patched")).unwrap()).unwrap();
    api.create(&PostParams::default(), &good).await.unwrap();
    lab.settled(&operator, "patched").await;
    for (_, attempt) in &attempts {
        let patch = Patch::Merge(json!({ "spec": attempt }));
        let _ = api.patch("patched", &PatchParams::default(), &patch).await;
    }
    admitted.push("patched");
    println!("admitted: {admitted:?}");
    lab.all_settled(&operator, &admitted).await;

    assert_no_harm(&lab, &operator).await;
    assert_eq!(versions(&victim).await, before, "the victim's objects changed");
    directly(&client, &lab, &api).await;
}

async fn versions(lab: &Lab) -> Vec<(ChildKind, Option<String>)> {
    let all = lab.all_children("victim").await;
    all.into_iter()
        .filter(|(kind, _)| *kind != ChildKind::Deployment)
        .map(|(kind, object)| (kind, object.metadata.resource_version))
        .collect()
}

async fn assert_no_harm(lab: &Lab, operator: &Running) {
    let ours = "registry.example.com/wahook-receiver:1";
    let mut deployments = 0;
    for (name, object) in everything(lab).await {
        let mut content = object.clone();
        // Whose it is may say anything.
        content["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        let text = content.to_string();
        // What consumers are told names the host that the tenant asked for; what leads to it must not.
        let leads = ["Ingress ", "Certificate ", "HttpRoute "]
            .iter()
            .any(|kind| name.starts_with(kind));
        assert!(
            !leads || !text.contains("victim.example.com"),
            "{name}: {content:#}"
        );
        for harm in ["evil", VICTIM, "X-Injected"] {
            assert!(!text.contains(harm), "{name}: {harm}: {content:#}");
        }
        if name.starts_with("Deployment ") {
            deployments += 1;
            let pod = &object["spec"]["template"]["spec"];
            assert_eq!(pod["containers"].as_array().unwrap().len(), 1, "{name}");
            assert_eq!(pod["containers"][0]["image"], ours, "{name}");
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        }
    }
    assert!(deployments > 0, "nothing was built, so nothing was tried");
    for (name, _) in attempts() {
        let plan = operator.streams.plan(name).unwrap_or_default();
        assert!(!plan.contains("evil") && !plan.contains(VICTIM), "{name}: {plan}");
    }
}

/// What the tenant could not do without the operator either: the test's own rights are as small as they should be.
async fn directly(client: &Client, lab: &Lab, api: &Api<DynamicObject>) {
    let victims: Api<WhatsAppWebhook> = Api::namespaced(client.clone(), VICTIM);
    forbidden(victims.get("victim").await);
    for namespace in [VICTIM, &lab.namespace] {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
        forbidden(secrets.get("meta-app").await);
    }
    let status = Patch::Merge(json!({ "status": { "callbackUrl": "https://victim.example.com/webhook" } }));
    forbidden(
        api.patch_status("patched", &PatchParams::default(), &status)
            .await,
    );
}
