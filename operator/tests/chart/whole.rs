//! What holds for the chart as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wahook_testbed::kube::VERSIONS;

use crate::support::{EVERYTHING, Helm, NAMESPACE, NATS, render, repository};

/// What `kubectl apply` writes into an annotation must fit there with all others.
const ANNOTATIONS_LIMIT: usize = 262_144;

#[test]
fn both_helms_find_nothing_to_complain_about() {
    for helm in [Helm::four(), Helm::three()] {
        for values in ["{}", NATS, EVERYTHING] {
            let output = helm.lint(values);
            let said = String::from_utf8_lossy(&output.stdout);
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{values}\n{said}\n{complaint}");
            assert!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{said}");
        }
    }
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    for values in ["{}", NATS, EVERYTHING] {
        assert!(render(values).text == render(values).text, "{values}");
    }
}

#[test]
fn helm_3_and_helm_4_make_the_same_objects() {
    let sorted = |helm: Helm, values| {
        let objects = helm.render(values).objects;
        let mut texts: Vec<String> = objects.iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    for values in ["{}", EVERYTHING] {
        assert_eq!(sorted(Helm::three(), values), sorted(Helm::four(), values));
    }
}

#[test]
fn older_kubernetes_is_refused() {
    let complaint = Helm::four().kubernetes("1.29.6").refusal("{}");
    assert!(
        complaint.contains("requires kubeVersion: >=1.30.0"),
        "{complaint}"
    );
    Helm::four().kubernetes(VERSIONS[0]).render("{}");
}

#[test]
fn no_template_looks_into_the_cluster_or_is_random() {
    let words = [
        "lookup",
        "randAlpha",
        "randNumeric",
        "randAscii",
        "randBytes",
        "randInt",
        "uuidv4",
        "now",
        "date",
        "genPrivateKey",
        "genCA",
        "genSelfSignedCert",
        "genSignedCert",
        "htpasswd",
        "bcrypt",
        "getHostByName",
        "env",
    ];
    for path in templates(&repository("charts/wahook/templates")) {
        let text = fs::read_to_string(&path).unwrap();
        for action in text
            .split("{{")
            .skip(1)
            .filter_map(|rest| rest.split("}}").next())
        {
            if action.trim_start_matches('-').trim().starts_with("/*") {
                continue;
            }
            let used: BTreeSet<&str> = action
                .split(|letter: char| !(letter.is_alphanumeric() || "._$\"-=%/".contains(letter)))
                .collect();
            for word in words {
                assert!(!used.contains(word), "{}: {action}", path.display());
            }
        }
    }
}

#[test]
fn the_definition_fits_into_a_client_side_apply() {
    let rendered = render(EVERYTHING);
    let definition = rendered.get("CustomResourceDefinition", "whatsappwebhooks.wahook.dev");
    let bytes = definition.to_string().len();
    assert!(bytes < ANNOTATIONS_LIMIT * 3 / 4, "{bytes} bytes");
}

#[test]
fn every_object_says_where_it_belongs() {
    let cluster_wide = ["CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"];
    for values in ["{}", NATS, EVERYTHING, "watchNamespaces: [shop, books]"] {
        let rendered = render(values);
        let mut seen = BTreeSet::new();
        for object in &rendered.objects {
            let metadata = &object["metadata"];
            let (kind, name) = (
                object["kind"].as_str().unwrap(),
                metadata["name"].as_str().unwrap(),
            );
            let namespace = metadata["namespace"].as_str();
            assert_eq!(
                namespace.is_none(),
                cluster_wide.contains(&kind),
                "{kind}/{name}: {namespace:?}"
            );
            assert!(
                seen.insert((kind, namespace, name)),
                "{kind}/{name} is there twice"
            );
            assert!(!has_null(object), "{kind}/{name}: {object:#}");
            if kind == "ConfigMap" && name.ends_with("-extra") || name.ends_with("-text") {
                continue;
            }
            for label in [
                "name",
                "instance",
                "component",
                "part-of",
                "version",
                "managed-by",
            ] {
                let key = format!("app.kubernetes.io/{label}");
                assert!(metadata["labels"][&key].is_string(), "{kind}/{name} lacks {key}");
            }
            if values == EVERYTHING {
                assert_eq!(metadata["labels"]["team"], "messaging", "{kind}/{name}");
                assert_eq!(
                    metadata["annotations"]["example.com/owner"], "messaging",
                    "{kind}/{name}"
                );
            }
        }
    }
}

/// Nothing but the definition and what covers the whole cluster is outside of the release's and the named namespaces.
#[test]
fn objects_go_only_where_they_were_sent() {
    let rendered = render(EVERYTHING);
    let namespaces: BTreeSet<&str> = rendered
        .objects
        .iter()
        .filter_map(|object| object["metadata"]["namespace"].as_str())
        .collect();
    assert_eq!(
        namespaces,
        BTreeSet::from([NAMESPACE, "shop", "books", "monitoring"])
    );
}

#[test]
fn names_follow_the_release_and_stay_short() {
    let names = Helm::four().release("prod").render("{}").names();
    assert!(names.contains("Deployment/prod-wahook-operator"), "{names:?}");
    let names = render("nameOverride: hooks").names();
    assert!(names.contains("Deployment/wahook-hooks-operator"), "{names:?}");
    let long = format!("{{fullnameOverride: {}, {}}}", "x".repeat(40), NATS);
    for name in render(&long).names() {
        let (_, name) = name.split_once('/').unwrap();
        assert!(name.len() <= 63, "{name}");
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        _ => false,
    }
}

fn templates(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                templates(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
