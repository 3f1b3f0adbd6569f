//! What somebody tries who may create the resource in a namespace and nothing else. Each attempt runs twice:
//! as `render` runs it, with the rules of admission, and without them, as if the object had been stored
//! before there were any. None may do its harm either way.

use std::io::Write as _;

use clap::Parser as _;
use serde_json::Value;
use wahook_operator::build::build;
use wahook_operator::cli::render::{self, RenderArgs};
use wahook_operator::cli::{Cli, Command};
use wahook_operator::names;
use wahook_operator::validate::{StreamKeeper, validate};

use super::support::{SMALLEST, patched};

/// An attempt: what it is called, flags of a careless operator, the patch, and how to see the harm in the
/// children.
struct Attack {
    name: &'static str,
    flags: &'static [&'static str],
    patch: &'static str,
    harm: fn(&[Value]) -> bool,
}

/// The text stands somewhere in a child.
fn says(children: &[Value], text: &str) -> bool {
    children.iter().any(|child| child.to_string().contains(text))
}

fn of<'a>(children: &'a [Value], kind: &str) -> impl Iterator<Item = &'a Value> {
    children.iter().filter(move |child| child["kind"] == kind)
}

fn pod_labels(children: &[Value]) -> Value {
    let mut all = of(children, "Deployment");
    all.next()
        .map(|deployment| deployment["spec"]["template"]["metadata"]["labels"].clone())
        .unwrap_or_default()
}

const NGINX: &[&str] = &[
    "--allow-annotations",
    "nginx.ingress.kubernetes.io/*,example.com/*",
];
const EVERYTHING: &[&str] = &[
    "--allow-env",
    "*",
    "--allow-annotations",
    "*",
    "--allow-labels",
    "*",
];

#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    Attack { name: "code in the proxy's configuration", flags: &[],
        patch: "spec: {endpoint: {ingress: {annotations: {nginx.ingress.kubernetes.io/server-snippet: 'return 200;'}}}}",
        harm: |children| says(children, "return 200;") },
    Attack { name: "the same past a careless wildcard", flags: NGINX,
        patch: "spec: {endpoint: {ingress: {annotations: {nginx.ingress.kubernetes.io/configuration-snippet: 'return 200;'}}}}",
        harm: |children| says(children, "return 200;") },
    Attack { name: "another class by annotation", flags: EVERYTHING,
        patch: "spec: {endpoint: {ingress: {annotations: {kubernetes.io/ingress.class: internal}}}}",
        harm: |children| says(children, "kubernetes.io/ingress.class") },
    Attack { name: "a sidecar by annotation", flags: NGINX,
        patch: "spec: {receiver: {podMetadata: {annotations: {sidecar.istio.io/inject: 'true'}}}}",
        harm: |children| says(children, "sidecar.istio.io") },
    Attack { name: "our own annotation on pods", flags: EVERYTHING,
        patch: "spec: {receiver: {podMetadata: {annotations: {wahook.dev/configuration: frozen}}}}",
        harm: |children| says(children, "frozen") },
    Attack { name: "pods behind another webhook's Service", flags: EVERYTHING,
        patch: "spec: {receiver: {podMetadata: {labels: {wahook.dev/webhook: other}}}}",
        harm: |children| pod_labels(children)["wahook.dev/webhook"] == "other" },
    Attack { name: "pods with another name", flags: EVERYTHING,
        patch: "spec: {receiver: {podMetadata: {labels: {app.kubernetes.io/name: payments}}}}",
        harm: |children| pod_labels(children)["app.kubernetes.io/name"] == "payments" },
    Attack { name: "pods behind another Service of the namespace", flags: &[],
        patch: "spec: {receiver: {podMetadata: {labels: {app: payments}}}}",
        harm: |children| pod_labels(children)["app"] == "payments" },
    Attack { name: "children that the operator does not recognise", flags: EVERYTHING,
        patch: "spec: {monitoring: {serviceMonitor: {labels: {app.kubernetes.io/managed-by: someone}}}}",
        harm: |children| says(children, "someone") },
    Attack { name: "other authorities for TLS", flags: EVERYTHING,
        patch: "spec: {receiver: {env: [{name: SSL_CERT_FILE, value: /etc/wahook/secrets/app-secret-1}]}}",
        harm: |children| says(children, "SSL_CERT_FILE") },
    Attack { name: "a library loaded before ours", flags: EVERYTHING,
        patch: "spec: {receiver: {env: [{name: LD_PRELOAD, value: /x.so}]}}",
        harm: |children| says(children, "LD_PRELOAD") },
    Attack { name: "a variable hidden in a name", flags: EVERYTHING,
        patch: "spec: {receiver: {env: [{name: 'A=1\\nLD_PRELOAD', value: /x.so}]}}",
        harm: |children| says(children, "LD_PRELOAD") },
    Attack { name: "an image of one's own", flags: &["--allow-images", "registry.example.com/wahook/*"],
        patch: "spec: {receiver: {image: 'evil.example.com/miner:1'}}",
        harm: |children| says(children, "miner") },
    Attack { name: "an image that climbs out of what is allowed", flags: &["--allow-images", "registry.example.com/wahook/*"],
        patch: "spec: {receiver: {image: 'registry.example.com/wahook/../miner:1'}}",
        harm: |children| says(children, "miner") },
    Attack { name: "a registry that begins like the allowed one", flags: &["--allow-images", "registry.example.com/wahook/*"],
        patch: "spec: {receiver: {image: 'registry.example.com.evil.example.com/wahook/miner:1'}}",
        harm: |children| says(children, "miner") },
    Attack { name: "another tenant's stream", flags: &[],
        patch: "spec: {nats: {stream: {management: External, name: whatsapp_books_main}}}",
        harm: |children| says(children, "whatsapp_books_main") },
    Attack { name: "another tenant's bucket as a stream", flags: &[],
        patch: "spec: {nats: {stream: {management: External, name: OBJ_whatsapp_books_main_objects}}}",
        harm: |children| says(children, "whatsapp_books_main") },
    Attack { name: "all subjects through the stream's name", flags: &[],
        patch: "spec: {nats: {stream: {management: External, name: 'X.>'}}}",
        harm: |children| says(children, "X.>") },
    Attack { name: "another API through the domain", flags: &[],
        patch: "spec: {nats: {domain: 'hub.API.STREAM.DELETE'}}",
        harm: |children| says(children, "STREAM.DELETE") },
    Attack { name: "other subjects through the name", flags: &[],
        patch: "metadata: {name: 'main.>'}",
        harm: |children| says(children, "main.>") && !children.is_empty() },
    Attack { name: "another webhook's subjects through a longer name", flags: &[],
        patch: "metadata: {name: main.315005501000001}",
        harm: |children| !children.is_empty() },
    Attack { name: "another series through the name", flags: &[],
        patch: "metadata: {name: 'a\"} or vector(1) or up{x=\"'}",
        harm: |children| says(children, "vector(1)") },
    Attack { name: "keys of the configuration through a server", flags: &[],
        patch: "spec: {nats: {servers: [\"nats://nats\\nidentity:\\n  namespace: books\"]}}",
        harm: |children| says(children, "namespace: books") },
    Attack { name: "keys of the configuration through a phone number", flags: &[],
        patch: "spec: {meta: {phoneNumberIds: [\"1\\nidentity: {namespace: books}\"]}}",
        harm: |children| says(children, "books") },
    Attack { name: "keys of the configuration through the path", flags: &[],
        patch: "spec: {endpoint: {path: \"/a\\n  adminListen: 0.0.0.0:3000\"}}",
        harm: |children| says(children, "0.0.0.0:3000\\n  admin") || says(children, "/a\\\\n") },
    Attack { name: "a login in a place that everyone reads", flags: &[],
        patch: "spec: {nats: {servers: ['nats://ann:sesame@nats']}}",
        harm: |children| says(children, "sesame") },
    Attack { name: "a login sent to a server of one's own", flags: &["--nats-servers", "nats://nats.nats:4222"],
        patch: "spec: {nats: {servers: ['nats://evil.example.com:4222'], credentialsSecretRef: {name: nats-login}}}",
        harm: |children| says(children, "evil.example.com") },
    Attack { name: "a login sent to a server that begins like an allowed one", flags: &["--allow-nats-servers", "nats://*.nats:4222"],
        patch: "spec: {nats: {servers: ['nats://a.nats:4222.evil.example.com'], credentialsSecretRef: {name: nats-login}}}",
        harm: |children| says(children, "evil.example.com") },
    Attack { name: "a certificate of an issuer that is meant for others", flags: &["--issuer", "letsencrypt"],
        patch: "spec: {endpoint: {host: vault.internal, tls: {issuerRef: {kind: ClusterIssuer, name: internal-ca}}}}",
        harm: |children| says(children, "internal-ca") },
    Attack { name: "another namespace's host", flags: &["--allow-hosts", "shop=*.shop.example.com,books=*.books.example.com"],
        patch: "spec: {endpoint: {host: hooks.books.example.com}}",
        harm: |children| says(children, "books.example.com") },
    Attack { name: "a host that ends like one's own", flags: &["--allow-hosts", "shop=*.shop.example.com"],
        patch: "spec: {endpoint: {host: hooks.evilshop.example.com}}",
        harm: |children| says(children, "evilshop") },
    Attack { name: "every host of a domain", flags: &["--allow-hosts", "shop=*.shop.example.com"],
        patch: "spec: {endpoint: {host: '*.shop.example.com'}}",
        harm: |children| says(children, "*.shop") },
    Attack { name: "another application's path", flags: &[],
        patch: "spec: {endpoint: {path: '/(.*)'}}",
        harm: |children| says(children, "(.*)") },
    Attack { name: "another namespace's app secret", flags: &[],
        patch: "spec: {meta: {appSecrets: [{name: books/meta-app, key: app-secret}]}}",
        harm: |children| says(children, "books") },
    Attack { name: "a file outside of the secrets", flags: &[],
        patch: "spec: {meta: {appSecrets: [{name: meta-app, key: ../../config/config.yaml}]}}",
        harm: |children| says(children, "../") },
    Attack { name: "another namespace's certificate", flags: &[],
        patch: "spec: {endpoint: {tls: {secretName: books/hooks-tls}}}",
        harm: |children| says(children, "books") },
    Attack { name: "a route into another team's mesh", flags: &[],
        patch: "spec: {endpoint: {gateway: {parentRefs: [{name: payments, kind: Service, group: ''}]}}}",
        harm: |children| of(children, "HTTPRoute").next().is_some() },
    Attack { name: "pods before everyone else's", flags: &[],
        patch: "spec: {receiver: {scheduling: {priorityClassName: system-cluster-critical}}}",
        harm: |children| says(children, "system-cluster-critical") },
    Attack { name: "all of the cluster's room", flags: &[],
        patch: "spec: {receiver: {replicas: 2147483647}}",
        harm: |children| says(children, "2147483647") },
    Attack { name: "labels and annotations that someone else acts on", flags: EVERYTHING,
        patch: "metadata: {labels: {argocd.argoproj.io/instance: x}, annotations: {helm.sh/resource-policy: keep}, finalizers: [a.example.com/b]}",
        harm: |children| says(children, "argoproj") || says(children, "helm.sh") || says(children, "finalizers") },
    Attack { name: "children of another owner", flags: &[],
        patch: "metadata: {ownerReferences: [{apiVersion: v1, kind: Namespace, name: kube-system, uid: x, controller: true}]}",
        harm: |children| says(children, "kube-system") },
];

fn args(flags: &[&str], file: &str) -> RenderArgs {
    let usual = [
        "wahook-operator",
        "render",
        "-f",
        file,
        "--nats-servers",
        "nats://nats.nats:4222",
    ];
    let cli = Cli::try_parse_from(usual.into_iter().chain(flags.iter().copied())).unwrap();
    let Command::Render(args) = cli.command else {
        panic!("another command")
    };
    *args
}

/// The children as `render` prints them; none when the resource is refused.
fn rendered(attack: &Attack, object: &Value) -> Vec<Value> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{object}").unwrap();
    let args = args(attack.flags, file.path().to_str().unwrap());
    let (mut out, mut log) = (Vec::new(), Vec::new());
    let accepted = render::run(&args, std::io::empty(), &mut out, &mut log).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(accepted, !out.is_empty(), "{}: {out}", attack.name);
    assert_ne!(
        accepted,
        String::from_utf8(log).unwrap().contains("refused: "),
        "{}",
        attack.name
    );
    serde_saphyr::from_multiple(&out).unwrap()
}

/// The children as they were built for an object that admission never saw. What is not even of the types is
/// refused by them.
fn unchecked(attack: &Attack, object: &Value) -> Vec<Value> {
    let settings = args(attack.flags, "-").settings.settings().unwrap();
    let Ok(resource) = serde_json::from_value(object.clone()) else {
        return Vec::new();
    };
    let Ok(webhook) = validate(&resource, &settings) else {
        return Vec::new();
    };
    let children = build(&webhook, &settings);
    children
        .iter()
        .map(|child| serde_json::to_value(&child.object).unwrap())
        .collect()
}

#[test]
fn none_gets_through() {
    assert!(ATTACKS.len() >= 30);
    for attack in ATTACKS {
        let object = patched(SMALLEST, attack.patch);
        for (way, children) in [
            ("render", rendered(attack, &object)),
            ("unchecked", unchecked(attack, &object)),
        ] {
            assert!(
                !(attack.harm)(&children),
                "{} ({way}): {children:#?}",
                attack.name
            );
        }
    }
}

/// The harm is one that the test would see: with the flags that allow it, or in a place of one's own, it is
/// there.
#[test]
fn the_harm_would_be_seen() {
    for (name, flags, patch) in [
        (
            "code in the proxy's configuration",
            &[
                "--allow-annotations",
                "nginx.ingress.kubernetes.io/server-snippet",
            ][..],
            None,
        ),
        (
            "the same past a careless wildcard",
            &[
                "--allow-annotations",
                "nginx.ingress.kubernetes.io/configuration-snippet",
            ],
            None,
        ),
        ("a sidecar by annotation", &["--allow-annotations", "*"], None),
        (
            "pods behind another Service of the namespace",
            &["--allow-labels", "app"],
            None,
        ),
        (
            "other authorities for TLS",
            &["--allow-env", "SSL_CERT_FILE"],
            None,
        ),
        (
            "a library loaded before ours",
            &["--allow-env", "LD_PRELOAD"],
            None,
        ),
        ("an image of one's own", &["--allow-images", "*"], None),
        (
            "a registry that begins like the allowed one",
            &["--allow-images", "*"],
            None,
        ),
        ("another tenant's stream", &["--subject-prefix", "wa"], None),
        ("another namespace's host", &[], None),
        ("a host that ends like one's own", &[], None),
        (
            "another namespace's app secret",
            &[],
            Some("spec: {meta: {appSecrets: [{name: books, key: app-secret}]}}"),
        ),
        (
            "another namespace's certificate",
            &[],
            Some("spec: {endpoint: {tls: {secretName: books}}}"),
        ),
        (
            "a route into another team's mesh",
            &[],
            Some("spec: {endpoint: {gateway: {parentRefs: [{name: payments}]}}}"),
        ),
        (
            "keys of the configuration through a server",
            &[],
            Some("metadata: {namespace: books}"),
        ),
    ] {
        let attack = ATTACKS.iter().find(|attack| attack.name == name).unwrap();
        let allowed = Attack {
            flags,
            patch: patch.unwrap_or(attack.patch),
            ..*attack
        };
        let object = patched(SMALLEST, allowed.patch);
        for children in [rendered(&allowed, &object), unchecked(&allowed, &object)] {
            assert!((attack.harm)(&children), "{name}: {children:#?}");
        }
    }
}

/// A server of the tenant's choosing never sees the operator's login, nor the operator the server.
#[test]
fn the_operator_is_not_sent_anywhere() {
    let settings = args(&["--allow-nats-servers", "*"], "-")
        .settings
        .settings()
        .unwrap();
    for patch in [
        "spec: {nats: {servers: ['nats://169.254.169.254:80']}}",
        "spec: {nats: {servers: ['nats://nats.nats:4222', 'nats://evil.example.com']}}",
        "spec: {nats: {servers: ['tls://kubernetes.default:443'], stream: {management: External, name: E}}}",
    ] {
        let resource = serde_json::from_value(patched(SMALLEST, patch)).unwrap();
        let webhook = validate(&resource, &settings).unwrap();
        assert_eq!(webhook.stream.keeper, StreamKeeper::Receivers, "{patch}");
        assert!(!webhook.nats.is_default, "{patch}");
    }
}

/// Two resources share neither subject, stream, bucket nor inbox, however they are called.
#[test]
fn two_resources_never_meet() {
    let settings = args(&[], "-").settings.settings().unwrap();
    let labels = [
        "a", "a-b", "a-b-c", "b", "b-a", "b-c", "c", "a--b", "inbox", "objects",
    ];
    let mut seen = std::collections::BTreeMap::new();
    for namespace in labels {
        for name in labels {
            let patch = format!("metadata: {{namespace: {namespace}, name: {name}}}");
            let resource = serde_json::from_value(patched(SMALLEST, &patch)).unwrap();
            let webhook = validate(&resource, &settings).unwrap();
            let stream = webhook.stream.spec;
            assert_eq!(stream.subjects.split('.').count(), 4, "{patch}");
            for own in [
                stream.name,
                stream.subjects,
                stream.bucket,
                webhook.nats.inbox_prefix,
            ] {
                assert_eq!(seen.insert(own.clone(), patch.clone()), None, "{own} {patch}");
            }
        }
    }
    // Nor do two of one namespace share a child.
    let mut children = std::collections::BTreeSet::new();
    for name in labels
        .into_iter()
        .chain(["a-webhook", "a-events", "a-webhook-tls"])
    {
        for child in [names::child(name), names::events(name), names::tls(name)] {
            assert!(children.insert(child.clone()), "{child}");
        }
    }
}
