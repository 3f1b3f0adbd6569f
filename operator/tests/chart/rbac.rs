//! What the operator may do: what it needs, where it was told to, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{EVERYTHING, NAMESPACE, NATS, Rendered, operator_render, render, repository, texts};

/// A group, a resource and a verb.
type Right = (String, String, String);

fn rules(rendered: &Rendered) -> Vec<&Value> {
    let roles = ["Role", "ClusterRole"]
        .into_iter()
        .flat_map(|kind| rendered.all(kind));
    roles.flat_map(|role| role["rules"].as_array().unwrap()).collect()
}

fn rights(rendered: &Rendered) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for rule in rules(rendered) {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    rights.insert((group.to_owned(), resource.to_owned(), verb.to_owned()));
                }
            }
        }
    }
    rights
}

fn verbs(rendered: &Rendered, resource: &str) -> BTreeSet<String> {
    rights(rendered)
        .into_iter()
        .filter(|right| right.1 == resource)
        .map(|right| right.2)
        .collect()
}

const SETS: [&str; 6] = [
    "{}",
    NATS,
    EVERYTHING,
    "watchNamespaces: [shop, books]",
    "secretAccess: none",
    "rbac: {aggregate: true}",
];

#[test]
fn nothing_is_granted_by_a_wildcard_and_no_right_can_grow() {
    for values in SETS {
        let rendered = render(values);
        for (group, resource, verb) in rights(&rendered) {
            for word in [&group, &resource, &verb] {
                assert!(!word.contains('*'), "{values}: {group}/{resource} {verb}");
            }
            assert!(
                !["escalate", "bind", "impersonate"].contains(&verb.as_str()),
                "{values}: {verb}"
            );
            assert!(
                !["pods/exec", "nodes", "serviceaccounts/token"].contains(&resource.as_str()),
                "{resource}"
            );
            assert!(group != "rbac.authorization.k8s.io", "{values}");
        }
        for rule in rules(&rendered) {
            assert!(rule.get("nonResourceURLs").is_none());
        }
    }
}

#[test]
fn secrets_are_never_listed() {
    for values in SETS {
        let verbs = verbs(&render(values), "secrets");
        let expected: &[&str] = if values == EVERYTHING || values.contains("none") {
            &[]
        } else {
            &["create", "get"]
        };
        assert!(verbs.iter().eq(expected), "{values}: {verbs:?}");
    }
}

#[test]
fn named_namespaces_get_roles_and_the_cluster_nothing() {
    let values = format!("{{watchNamespaces: [shop, books], rbac: {{aggregate: true}}, {NATS}}}");
    let rendered = render(&values);
    assert!(rendered.all("ClusterRole").is_empty() && rendered.all("ClusterRoleBinding").is_empty());
    let places = |kind, name: &str| -> Vec<&str> {
        let all = rendered
            .all(kind)
            .into_iter()
            .filter(|object| object["metadata"]["name"] == name);
        all.map(|object| object["metadata"]["namespace"].as_str().unwrap())
            .collect()
    };
    for kind in ["Role", "RoleBinding"] {
        let mut found = places(kind, "wahook-operator");
        found.sort_unstable();
        assert_eq!(found, ["books", "shop"], "{kind}");
        assert_eq!(places(kind, "wahook-operator-lease"), [NAMESPACE], "{kind}");
    }
    for binding in rendered.all("RoleBinding") {
        assert_eq!(binding["subjects"][0]["namespace"], NAMESPACE);
    }
}

#[test]
fn the_rights_are_the_same_in_one_namespace_and_in_all() {
    assert_eq!(rights(&render("{}")), rights(&render("watchNamespaces: [shop]")));
}

#[test]
fn every_binding_binds_a_role_that_is_there_to_the_operator() {
    for values in SETS {
        let rendered = render(values);
        for kind in ["RoleBinding", "ClusterRoleBinding"] {
            for binding in rendered.all(kind) {
                let role = &binding["roleRef"];
                let role = rendered.get(role["kind"].as_str().unwrap(), role["name"].as_str().unwrap());
                assert!(role["rules"].is_array());
                let subject = &binding["subjects"][0];
                assert_eq!(
                    (&subject["kind"], &subject["name"]),
                    (&"ServiceAccount".into(), &"wahook-operator".into())
                );
            }
        }
    }
}

#[test]
fn the_lease_is_its_own_and_only_where_there_is_an_election() {
    let rendered = render("{}");
    let role = rendered.get("Role", "wahook-operator-lease");
    let named = &role["rules"][1];
    assert_eq!(texts(&named["resourceNames"]), ["wahook-operator"]);
    let without = render("{leaderElection: false, replicas: 1}");
    assert!(verbs(&without, "leases").is_empty());
}

#[test]
fn it_writes_a_resources_status_and_never_the_resource() {
    let rendered = render("{}");
    let is =
        |resource, expected: &[&str]| assert!(verbs(&rendered, resource).iter().eq(expected), "{resource}");
    is("whatsappwebhooks", &["get", "list", "watch"]);
    is("whatsappwebhooks/status", &["patch"]);
    is("whatsappwebhooks/finalizers", &["update"]);
}

#[test]
fn no_role_where_none_is_wanted() {
    let rendered = render("rbac: {create: false, aggregate: true}");
    for kind in ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"] {
        assert!(rendered.all(kind).is_empty(), "{kind}");
    }
}

#[test]
fn users_get_rights_by_aggregation_when_that_is_wanted() {
    assert_eq!(render("{}").all("ClusterRole").len(), 1);
    let rendered = render("rbac: {aggregate: true}");
    let view = rendered.get("ClusterRole", "wahook-view");
    assert_eq!(
        view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"],
        "true"
    );
    for verb in view["rules"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| texts(&rule["verbs"]))
    {
        assert!(["get", "list", "watch"].contains(&verb), "{verb}");
    }
    let edit = rendered.get("ClusterRole", "wahook-edit");
    assert!(
        edit["metadata"]["labels"]
            .get("rbac.authorization.k8s.io/aggregate-to-view")
            .is_none()
    );
}

/// What every webhook has. It goes with its owner, and the operator removes none of it.
const KEPT: [&str; 4] = ["serviceaccounts", "configmaps", "services", "deployments"];

/// Every object that any example becomes can be looked at, made and changed, and what can be turned off removed.
#[test]
fn every_child_can_be_taken_care_of() {
    let rights = rights(&render("{}"));
    let mut kinds = BTreeSet::new();
    for example in ["full", "minimal", "gateway", "cert-manager"] {
        let path = repository(&format!("examples/{example}.yaml"));
        for child in Rendered::new(operator_render(&path)).objects {
            let group = child["apiVersion"]
                .as_str()
                .unwrap()
                .rsplit_once('/')
                .map_or("", |(group, _)| group);
            let kind = child["kind"].as_str().unwrap().to_lowercase();
            let plural = match kind.strip_suffix('y') {
                Some(stem) => format!("{stem}ies"),
                None if kind.ends_with('s') => format!("{kind}es"),
                None => format!("{kind}s"),
            };
            for verb in ["get", "list", "watch", "create", "patch", "delete"] {
                let right = (group.to_owned(), plural.clone(), verb.to_owned());
                let wanted = verb != "delete" || !KEPT.contains(&plural.as_str());
                assert_eq!(rights.contains(&right), wanted, "{example}: {right:?}");
            }
            kinds.insert(kind);
        }
    }
    assert!(kinds.len() >= 11, "{kinds:?}");
}
