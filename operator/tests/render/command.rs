//! The program itself: what it prints, where, and how it ends.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::support::{FULL, children, settings, smallest, yaml};

const SMALL: &str = "
apiVersion: wahook.dev/v1alpha1
kind: WhatsAppWebhook
metadata: {name: main}
spec:
  endpoint: {host: hooks.example.com}
  meta: {appSecrets: [{name: meta-app, key: app-secret}]}
";
const NATS: [&str; 2] = ["--nats-servers", "nats://nats.nats:4222"];

struct Said {
    code: i32,
    out: String,
    log: String,
}

fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        log: String::from_utf8(output.stderr).unwrap(),
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wahook-operator"));
    command.env_clear();
    command
}

/// Renders the text as a file would be.
fn render(text: &str, flags: &[&str]) -> Said {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("webhook.yaml");
    fs::write(&file, text).unwrap();
    said(
        program()
            .args(["render", "-f"])
            .arg(&file)
            .args(NATS)
            .args(flags)
            .output()
            .unwrap(),
    )
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_child_is_printed() {
    let said = render(
        SMALL,
        &[
            "--receiver-image",
            "registry.example.com/wahook-receiver:1.2.3",
            "--namespace",
            "wahook-system",
            "-n",
            "shop",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.log);
    let printed = documents(&said.out);
    let resource = smallest("metadata: {uid: null, generation: null}");
    let built: Vec<Value> = children(&resource, &settings())
        .iter()
        .map(|child| serde_json::to_value(&child.object).unwrap())
        .collect();
    assert_eq!(printed, built);
    assert!(said.out.ends_with('\n'));
    assert!(
        !said.out.contains("ownerReferences"),
        "an owner needs a UID, which no server gave"
    );
}

/// What is random exists in the cluster only.
#[test]
fn the_generated_secret_is_explained_and_not_made_up() {
    let said = render(SMALL, &["-n", "shop"]);
    assert!(
        documents(&said.out)
            .iter()
            .all(|document| document["kind"] != "Secret")
    );
    let comment: Vec<_> = said
        .out
        .lines()
        .take_while(|line| line.starts_with('#'))
        .collect();
    let comment = comment.join("\n");
    for part in [
        "shop/main",
        "https://hooks.example.com/webhook",
        "Secret main-webhook",
        "kubectl -n shop get secret main-webhook",
    ] {
        assert!(comment.contains(part), "{part}: {comment}");
    }
    let none = render(
        &SMALL.replace(
            "key: app-secret}]}",
            "key: app-secret}], verifyToken: {name: a, key: b}}",
        ),
        &["--secret-access", "none"],
    );
    assert_eq!(none.code, 0, "{}", none.log);
    assert!(
        !none.out.contains("also creates the Secret") && !none.out.contains("probe-key"),
        "{}",
        none.out
    );
}

#[test]
fn refusals_are_listed_and_nothing_is_printed() {
    let bad = format!(
        "{SMALL}\n---\n{}",
        SMALL
            .replace("main", "other")
            .replace("hooks.example.com", "Hooks")
    );
    let said = render(&bad, &[]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(
        said.log
            .contains("refused: other: endpoint.host must be a DNS name"),
        "{}",
        said.log
    );
    assert!(!said.log.contains("refused: main"), "{}", said.log);
}

/// What the schema, the rules and the operator refuse: each kind of reason, all of a resource at once.
#[test]
fn every_kind_of_reason_is_shown() {
    for (change, expected) in [
        (
            "endpoint: {host: hooks.example.com, pth: /a}",
            vec!["spec.endpoint.pth: there is no such field"],
        ),
        (
            "receiver: {logLevel: loud, replicas: 0}",
            vec![
                "spec.receiver.logLevel: must be one of Error, Warn",
                "spec.receiver.replicas: must be at least 1",
            ],
        ),
        ("suspend: 'yes'", vec!["spec.suspend: must be of type boolean"]),
        (
            "meta: {appSecrets: []}",
            vec!["spec.meta.appSecrets: must have at least 1 entries"],
        ),
        (
            "meta: {appSecrets: [{name: a, key: b}, {name: a, key: b}]}",
            vec!["spec.meta.appSecrets[1]: repeats an earlier item"],
        ),
        ("meta: {}", vec!["spec.meta.appSecrets: is needed"]),
        (
            "limits: {bodyBytes: 65Mi, idleTimeout: 2h}",
            vec![
                "limits.bodyBytes must be a size",
                "limits.idleTimeout must be a length of time",
            ],
        ),
        (
            "nats: {stream: {maxAge: 1h}}",
            vec!["nats.stream.maxAge must not be shorter than"],
        ),
        (
            "receiver: {image: other:1, env: [{name: A}]}",
            vec!["--allow-images", "--allow-env"],
        ),
    ] {
        let mut object = yaml(SMALL);
        for (section, value) in yaml(change).as_object().unwrap() {
            object["spec"][section] = value.clone();
        }
        let said = render(&object.to_string(), &[]);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{change}");
        for part in expected {
            assert!(said.log.contains(part), "{change}: {}", said.log);
        }
    }
}

#[test]
fn several_resources_and_other_kinds() {
    let text = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: meta-app}}\nstringData: {{app-secret: sesame}}\n---\n{SMALL}---\n{}---\n",
        SMALL.replace("name: main", "name: other, namespace: books")
    );
    let said = render(&text, &["-n", "shop"]);
    assert_eq!(said.code, 0, "{}", said.log);
    let names: Vec<_> = documents(&said.out)
        .iter()
        .filter(|document| document["kind"] == "Deployment")
        .map(|document| {
            format!(
                "{}/{}",
                document["metadata"]["namespace"].as_str().unwrap(),
                document["metadata"]["name"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(names, ["shop/main-webhook", "books/other-webhook"]);
    assert!(said.log.contains("left out Secret meta-app"), "{}", said.log);
    assert!(!format!("{}{}", said.out, said.log).contains("sesame"));
}

/// As `kubectl get -o yaml` prints several, with what the API server adds.
#[test]
fn a_list_is_read_too() {
    let mut object = yaml(FULL);
    object["metadata"]["creationTimestamp"] = "2026-11-24T00:00:00Z".into();
    object["metadata"]["managedFields"] = serde_json::json!([{"manager": "kubectl"}]);
    object["status"] = serde_json::json!({"callbackUrl": "https://x", "observedGeneration": 3});
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [object]});
    let said = render(
        &list.to_string(),
        &[
            "--allow-images=*",
            "--allow-env=*",
            "--allow-labels=*",
            "--allow-annotations=*",
            "--allow-nats-servers=*",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.log);
    assert!(
        said.out.contains("uid: 5f0c8a3e"),
        "the owner of a resource that exists is known"
    );
}

#[test]
fn standard_input_is_a_file_too() {
    let mut child = program()
        .args(["render", "-f", "-"])
        .args(NATS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(SMALL.as_bytes()).unwrap();
    let said = said(child.wait_with_output().unwrap());
    assert_eq!(said.code, 0, "{}", said.log);
    assert_eq!(said.out, render(SMALL, &[]).out);
}

/// A host without a certificate is no mistake of the resource, but worth a word.
#[test]
fn a_missing_certificate_is_noted() {
    let said = render(SMALL, &[]);
    assert_eq!(said.code, 0);
    for part in [
        "note: main:",
        "TLSNotConfigured",
        "endpoint.tls",
        "--issuer",
        "--ingress-default-certificate",
    ] {
        assert!(said.log.contains(part), "{part}: {}", said.log);
    }
    assert_eq!(render(SMALL, &["--issuer", "letsencrypt"]).log, "");
}

#[test]
fn what_is_used_wrongly_exits_with_2() {
    let wrong = |args: &[&str]| said(program().args(args).output().unwrap());
    for (args, part) in [
        (&["render"][..], "--filename"),
        (
            &["render", "-f", "/nowhere/webhook.yaml"],
            "/nowhere/webhook.yaml: No such file",
        ),
        (&["render", "-f", "/dev/null"], "no WhatsAppWebhook was found"),
        (
            &["render", "-f", "x", "--nats-servers", "nats://ann:sesame@nats"],
            "--nats-servers: write URLs such as",
        ),
        (&["frobnicate"], "frobnicate"),
    ] {
        let said = wrong(args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}: {}", said.log);
        assert!(
            said.log.contains(part) && !said.log.contains("sesame"),
            "{args:?}: {}",
            said.log
        );
    }
    let odd = render("a: [b", &[]);
    assert_eq!(odd.code, 2);
    assert!(odd.log.contains("is not YAML"), "{}", odd.log);
}

/// Each flag changes what is printed, and each variable does the same.
#[test]
fn flags_and_variables_mean_the_same() {
    let directory = TempDir::new().unwrap();
    let ca = directory.path().join("ca.crt");
    fs::write(
        &ca,
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let ca = ca.to_str().unwrap();
    let usual = render(SMALL, &[]).out;
    for (flag, variable, value, expected) in [
        (
            "--subject-prefix",
            "WAHOOK_SUBJECT_PREFIX",
            "wa",
            "wa.default.main.>",
        ),
        (
            "--nats-servers",
            "WAHOOK_NATS_SERVERS",
            "nats://a:1,nats://b:2",
            "nats://a:1,nats://b:2",
        ),
        ("--nats-ca-file", "WAHOOK_NATS_CA_FILE", ca, "MIIB"),
        (
            "--receiver-image",
            "WAHOOK_RECEIVER_IMAGE",
            "example.com/r:9",
            "image: example.com/r:9",
        ),
        (
            "--receiver-image-pull-secrets",
            "WAHOOK_RECEIVER_IMAGE_PULL_SECRETS",
            "registry",
            "name: registry",
        ),
        (
            "--trusted-proxies",
            "WAHOOK_TRUSTED_PROXIES",
            "10.0.0.0/8,192.0.2.1",
            "10.0.0.0/8",
        ),
        (
            "--ingress-class",
            "WAHOOK_INGRESS_CLASS",
            "traefik",
            "ingressClassName: traefik",
        ),
        (
            "--gateway",
            "WAHOOK_GATEWAY",
            "edge/public:https",
            "sectionName: https",
        ),
        ("--issuer", "WAHOOK_ISSUER", "letsencrypt", "kind: ClusterIssuer"),
        ("--issuer", "WAHOOK_ISSUER", "Issuer/internal", "kind: Issuer"),
        (
            "--issuer",
            "WAHOOK_ISSUER",
            "AWSPCAIssuer.awspca.cert-manager.io/pca",
            "group: awspca.cert-manager.io",
        ),
    ] {
        let text = SMALL.to_owned();
        let file = directory.path().join("webhook.yaml");
        fs::write(&file, text).unwrap();
        let run = |by_variable: bool| {
            let mut command = program();
            command.args(["render", "-f"]).arg(&file);
            if flag != "--nats-servers" {
                command.args(NATS);
            }
            if by_variable {
                command.env(variable, value)
            } else {
                command.args([flag, value])
            };
            said(command.output().unwrap())
        };
        let (flagged, set) = (run(false), run(true));
        assert_eq!(
            (flagged.code, set.code),
            (0, 0),
            "{flag}: {}{}",
            flagged.log,
            set.log
        );
        assert_eq!(flagged.out, set.out, "{flag}");
        assert!(flagged.out.contains(expected), "{flag}: {}", flagged.out);
        assert_ne!(flagged.out, usual, "{flag}");
    }
}

#[test]
fn flags_that_cannot_be_used_are_all_named() {
    let said = render(
        SMALL,
        &[
            "--subject-prefix",
            "a.b",
            "--gateway",
            "a/b/c",
            "--issuer",
            "issuer/x",
            "--allow-hosts",
            "shop",
            "--trusted-proxies",
            "10.0.0.0/33",
            "--resync",
            "1s",
            "--nats-ca-file",
            "/nowhere",
            "--ingress-class",
            "A b",
            "--watch-namespaces",
            "a.b",
            "--namespace",
            "B",
            "--allow-env",
            "a b",
            "--receiver-image",
            "a b",
        ],
    );
    assert_eq!(said.code, 2);
    for flag in [
        "--subject-prefix",
        "--gateway",
        "--issuer",
        "--allow-hosts",
        "--trusted-proxies",
        "--resync",
        "--nats-ca-file",
        "--ingress-class",
        "--watch-namespaces",
        "--namespace",
        "--allow-env",
        "--receiver-image",
    ] {
        assert!(said.log.contains(&format!("{flag}: ")), "{flag}: {}", said.log);
    }
}

/// A chart sets variables and flags to nothing when a value is empty.
#[test]
fn nothing_is_not_a_value() {
    let mut command = program();
    for variable in [
        "WAHOOK_ALLOW_HOSTS",
        "WAHOOK_INGRESS_CLASS",
        "WAHOOK_GATEWAY",
        "WAHOOK_WATCH_NAMESPACES",
    ] {
        command.env(variable, "");
    }
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("webhook.yaml");
    fs::write(&file, SMALL).unwrap();
    let output = command
        .args(["render", "-f"])
        .arg(&file)
        .args(NATS)
        .args(["--allow-images="])
        .output()
        .unwrap();
    let said = said(output);
    assert_eq!((said.code, said.out), (0, render(SMALL, &[]).out), "{}", said.log);
}

#[test]
fn the_definition_is_the_generated_one() {
    let said = said(program().arg("crd").output().unwrap());
    assert_eq!(said.code, 0);
    assert_eq!(said.out, include_str!("../../../crds/whatsappwebhooks.yaml"));
}

/// Texts that YAML 1.1, which kubectl reads, would take for something else.
#[test]
fn texts_stay_texts() {
    let mut object = yaml(SMALL);
    let odd = [
        "no",
        "on",
        "1e3",
        "0x10",
        "012",
        "1_000",
        "12:30:45",
        "2026-11-24",
        "~",
        "null",
        "=",
        "<<",
        "- a",
        "a: b",
        "#x",
        "",
        " x ",
        "a\nb\n",
        "|",
        "'",
        "\"",
        "%x",
        "@x",
        "`x",
        "{{ .x }}",
        "\u{e9}\t",
    ];
    let env: Vec<_> = odd
        .iter()
        .enumerate()
        .map(|(index, text)| serde_json::json!({"name": format!("V{index}"), "value": text}))
        .collect();
    object["spec"]["receiver"] = serde_json::json!({"env": env});
    let said = render(&object.to_string(), &["--allow-env", "V*"]);
    assert_eq!(said.code, 0, "{}", said.log);
    let printed = documents(&said.out);
    let deployment = printed
        .iter()
        .find(|document| document["kind"] == "Deployment")
        .unwrap();
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array()
        .unwrap();
    for (text, variable) in odd.iter().zip(env) {
        assert_eq!(variable["value"].as_str().unwrap_or_default(), *text);
    }
}
