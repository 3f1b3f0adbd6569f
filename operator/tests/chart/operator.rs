//! The operator's Deployment: what the values change in it.

use serde_json::{Value, json};

use crate::support::{EVERYTHING, Rendered, render, texts};

fn has(rendered: &Rendered, flag: &str) -> bool {
    texts(&rendered.container()["args"]).contains(&flag)
}

fn volumes(rendered: &Rendered) -> Vec<String> {
    let list = rendered.operator()["spec"]["template"]["spec"]["volumes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    list.iter()
        .map(|volume| volume["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn two_stand_ready_and_one_of_them_works() {
    let rendered = render("{}");
    let spec = &rendered.operator()["spec"];
    assert_eq!(spec["replicas"], 2);
    assert_eq!(spec["strategy"]["rollingUpdate"]["maxUnavailable"], 0);
    assert_eq!(
        spec["template"]["spec"]["topologySpreadConstraints"][0]["whenUnsatisfiable"],
        "ScheduleAnyway"
    );
    for flag in [
        "run",
        "--leader-election=true",
        "--lease-name=wahook-operator",
        "--secret-access=by-name",
    ] {
        assert!(has(&rendered, flag), "{flag}");
    }
    assert!(volumes(&rendered).is_empty());
    let container = rendered.container();
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/livez");
}

/// Nothing elects: the old one must be gone before the new one comes.
#[test]
fn without_an_election_there_is_never_a_second_one() {
    let rendered = render("{leaderElection: false, replicas: 1}");
    let spec = &rendered.operator()["spec"];
    assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
    assert!(has(&rendered, "--leader-election=false"));
}

#[test]
fn the_pods_it_selects_are_its_own() {
    for values in ["{}", EVERYTHING] {
        let rendered = render(values);
        let spec = &rendered.operator()["spec"];
        let labels = &spec["template"]["metadata"]["labels"];
        let selector = spec["selector"]["matchLabels"].as_object().unwrap();
        assert_eq!(selector.len(), 3, "a label that may change is in the selector");
        for (key, value) in selector {
            assert_eq!(&labels[key], value);
        }
        for other in rendered
            .pods()
            .iter()
            .filter(|pod| pod.owner != "Deployment/wahook-operator")
        {
            assert!(
                selector
                    .iter()
                    .any(|(key, value)| &other.metadata["labels"][key] != value),
                "{}",
                other.owner
            );
        }
    }
}

#[test]
fn every_setting_of_its_pods_arrives() {
    let rendered = render(EVERYTHING);
    let template = &rendered.operator()["spec"]["template"];
    let spec = &template["spec"];
    assert_eq!(template["metadata"]["labels"]["team"], "messaging");
    assert_eq!(template["metadata"]["annotations"]["example.com/log"], "yes");
    assert_eq!(spec["nodeSelector"]["kubernetes.io/os"], "linux");
    assert_eq!(spec["tolerations"][0]["key"], "dedicated");
    assert!(spec["affinity"]["podAntiAffinity"].is_object());
    assert_eq!(spec["priorityClassName"], "system-cluster-critical");
    let spread = &spec["topologySpreadConstraints"][0];
    assert_eq!(spread["whenUnsatisfiable"], "DoNotSchedule");
    assert_eq!(
        spread["labelSelector"]["matchLabels"]["app.kubernetes.io/component"],
        "operator"
    );
    let env = spec["containers"][0]["env"].as_array().unwrap();
    assert!(
        env.contains(&json!({"name": "RUST_BACKTRACE", "value": "1"})),
        "{env:?}"
    );
    let account = rendered.get("ServiceAccount", "wahook-operator");
    assert_eq!(account["metadata"]["annotations"]["example.com/role"], "operator");
    assert_eq!(
        account["automountServiceAccountToken"], false,
        "pods ask for it themselves"
    );
}

#[test]
fn another_service_account_is_used_everywhere() {
    let rendered = render("serviceAccount: {create: false, name: mine}");
    assert!(rendered.all("ServiceAccount").is_empty());
    assert_eq!(
        rendered.operator()["spec"]["template"]["spec"]["serviceAccountName"],
        "mine"
    );
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        for binding in rendered.all(kind) {
            assert_eq!(binding["subjects"][0]["name"], "mine");
        }
    }
}

#[test]
fn its_login_is_mounted_and_never_in_a_variable() {
    let rendered = render("defaults: {nats: {servers: [\"nats://n:4222\"], credentialsSecret: login}}");
    assert_eq!(volumes(&rendered), ["nats"]);
    let volume = &rendered.operator()["spec"]["template"]["spec"]["volumes"][0];
    assert_eq!(volume["secret"]["secretName"], "login");
    assert_eq!(volume["secret"]["optional"], true);
    assert_eq!(volume["secret"]["defaultMode"], 0o444);
    assert!(has(&rendered, "--nats-credentials-dir=/etc/wahook/nats"));
    for variable in rendered.container()["env"].as_array().unwrap() {
        assert!(variable["valueFrom"].get("secretKeyRef").is_none(), "{variable}");
    }
}

#[test]
fn authorities_come_from_a_config_map_or_a_secret() {
    for (values, kind) in [("configMap", "configMap"), ("secret", "secret")] {
        let rendered = render(&format!(
            "defaults: {{nats: {{ca: {{{values}: cas, key: root.pem}}}}}}"
        ));
        assert_eq!(volumes(&rendered), ["nats-ca"]);
        let volume = &rendered.operator()["spec"]["template"]["spec"]["volumes"][0][kind];
        assert_eq!(volume["items"][0]["key"], "root.pem");
        assert!(has(&rendered, "--nats-ca-file=/etc/wahook/nats-ca/ca.crt"));
    }
}

#[test]
fn its_service_leads_to_its_admin_port() {
    let rendered = render("{}");
    let service = rendered.get("Service", "wahook-operator");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], "admin");
    let ports: &Value = &rendered.container()["ports"];
    assert_eq!(ports[0]["name"], "admin");
}
