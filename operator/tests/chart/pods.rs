//! Every pod of the chart passes the `restricted` Pod Security Standard, and is stricter than that.

use crate::support::{EVERYTHING, Helm, NATS, Pod, render};

/// Value sets in which every pod is rendered, in every shape.
const SETS: [&str; 3] = ["{}", NATS, EVERYTHING];

fn each(check: impl Fn(&Pod)) {
    let mut owners = std::collections::BTreeSet::new();
    for values in SETS {
        for pod in render(values).pods() {
            check(&pod);
            owners.insert(pod.owner);
        }
    }
    let all = [
        "Deployment/wahook-operator",
        "Pod/wahook-test-send",
        "StatefulSet/wahook-nats",
    ];
    assert_eq!(owners.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn pods_are_restricted() {
    each(|pod| {
        let owner = &pod.owner;
        let security = &pod.spec["securityContext"];
        assert_eq!(security["runAsNonRoot"], true, "{owner}");
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{owner}");
        for key in ["hostNetwork", "hostPID", "hostIPC", "hostUsers"] {
            assert!(pod.spec.get(key).is_none(), "{owner}: {key}");
        }
        assert_eq!(pod.spec["enableServiceLinks"], false, "{owner}");
        for container in pod.containers() {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{owner}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{owner}");
            assert_eq!(
                security["capabilities"],
                serde_json::json!({"drop": ["ALL"]}),
                "{owner}"
            );
            assert!(security.get("privileged").is_none(), "{owner}");
            for port in container["ports"].as_array().into_iter().flatten() {
                assert!(port.get("hostPort").is_none(), "{owner}");
            }
        }
        for volume in pod.spec["volumes"].as_array().into_iter().flatten() {
            assert!(volume.get("hostPath").is_none(), "{owner}");
        }
    });
}

#[test]
fn what_a_pod_uses_is_bounded() {
    each(|pod| {
        for container in pod.containers() {
            for kind in ["requests", "limits"] {
                for resource in ["cpu", "memory"] {
                    let set = &container["resources"][kind][resource];
                    assert!(set.is_string(), "{}: {kind}.{resource} is {set}", pod.owner);
                }
            }
        }
    });
}

#[test]
fn only_the_operator_has_a_token() {
    each(|pod| {
        let has = pod.spec["automountServiceAccountToken"].as_bool();
        assert_eq!(
            has,
            Some(pod.owner == "Deployment/wahook-operator"),
            "{}",
            pod.owner
        );
    });
}

/// OpenShift chooses the user. The official NATS image names none, so that its pod has to, elsewhere.
#[test]
fn no_user_is_fixed() {
    let fixed = |pods: Vec<Pod>| -> Vec<String> {
        let has = |pod: &Pod| {
            let here = &pod.spec["securityContext"];
            let inside = pod
                .containers()
                .into_iter()
                .any(|container| container["securityContext"].get("runAsUser").is_some());
            inside
                || ["runAsUser", "runAsGroup", "fsGroup"]
                    .iter()
                    .any(|key| here.get(*key).is_some())
        };
        pods.into_iter().filter(has).map(|pod| pod.owner).collect()
    };
    assert_eq!(fixed(render(NATS).pods()), ["StatefulSet/wahook-nats"]);
    let openshift = Helm::four().with_kind("security.openshift.io/v1").render(NATS);
    assert!(fixed(openshift.pods()).is_empty());
    let none = render(&NATS.replace("enabled: true", "enabled: true, uid: 0"));
    assert!(fixed(none.pods()).is_empty());
}

/// Whoever the user is, it can read what is mounted.
#[test]
fn files_are_readable_by_any_user() {
    each(|pod| {
        for volume in pod.spec["volumes"].as_array().into_iter().flatten() {
            for kind in ["secret", "configMap", "projected"] {
                if let Some(source) = volume.get(kind) {
                    assert_eq!(source["defaultMode"], 0o444, "{}: {volume}", pod.owner);
                }
            }
        }
        for container in pod.containers() {
            for mount in container["volumeMounts"].as_array().into_iter().flatten() {
                assert!(
                    mount.get("subPath").is_none(),
                    "{}: {mount} would never be updated",
                    pod.owner
                );
            }
        }
    });
}

/// A security context of one's own replaces the chart's.
#[test]
fn a_security_context_can_be_replaced() {
    let rendered = render("podSecurityContext: {runAsNonRoot: true, runAsUser: 1234}");
    let context = &rendered.operator()["spec"]["template"]["spec"]["securityContext"];
    assert_eq!(
        context,
        &serde_json::json!({"runAsNonRoot": true, "runAsUser": 1234})
    );
}
