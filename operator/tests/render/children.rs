//! Every child of the smallest resource, of the fullest, and of each switch: as YAML, for people to review.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;
use wahook_crds::{IssuerRef, ParentKind, ParentRef, WhatsAppWebhook};
use wahook_operator::build::{generated_secret, labels};
use wahook_operator::child::{Child, ChildKind};
use wahook_operator::cli::render::yaml as as_yaml;
use wahook_operator::settings::{SecretAccess, Settings};

use super::support::{FULL, children, content, generous, parsed, settings, smallest, valid, yaml};

/// Every child, whole.
fn whole(children: &[Child]) -> String {
    let texts: Vec<_> = children.iter().map(|child| as_yaml(&child.object)).collect();
    texts.join("---\n")
}

/// The children that differ from those of the smallest resource, and what is said about the others.
fn changed(resource: &WhatsAppWebhook, settings: &Settings) -> String {
    let usual = children(&smallest("{}"), &super::support::settings());
    let now = children(resource, settings);
    let find = |children: &[Child], kind| children.iter().find(|child| child.kind == kind).cloned();
    let (mut same, mut gone, mut text) = (Vec::new(), Vec::new(), String::new());
    for kind in ChildKind::ALL {
        match (find(&usual, kind), find(&now, kind)) {
            (usual, Some(child)) if usual.as_ref() != Some(&child) => {
                let _ = write!(text, "---\n{}", as_yaml(&child.object));
            }
            (_, Some(_)) => same.push(format!("{kind:?}")),
            (Some(_), None) => gone.push(format!("{kind:?}")),
            (None, None) => {}
        }
    }
    format!(
        "# as usual: {}\n# gone: {}\n{text}",
        same.join(" "),
        gone.join(" ")
    )
}

fn switch(name: &str, patch: &str) {
    insta::assert_snapshot!(name, changed(&smallest(patch), &settings()));
}

fn flag(name: &str, patch: &str, change: fn(&mut Settings)) {
    let mut settings = settings();
    change(&mut settings);
    insta::assert_snapshot!(name, changed(&smallest(patch), &settings));
}

#[test]
fn the_smallest_resource() {
    insta::assert_snapshot!("smallest", whole(&children(&smallest("{}"), &settings())));
}

#[test]
fn the_fullest_resource() {
    insta::assert_snapshot!("fullest", whole(&children(&parsed(&yaml(FULL)), &generous())));
}

#[test]
fn routes() {
    switch(
        "gateway",
        "spec: {endpoint: {gateway: {parentRefs: [{name: public, namespace: edge, sectionName: https, port: 443}, {name: inner}]}}}",
    );
    switch(
        "gateway_and_issuer",
        "spec: {endpoint: {gateway: {parentRefs: [{name: public}]}, tls: {issuerRef: {name: letsencrypt}}}}",
    );
    switch(
        "ingress_class",
        "spec: {endpoint: {ingress: {className: traefik}}}",
    );
    switch("tls_secret", "spec: {endpoint: {tls: {secretName: hooks-cert}}}");
    switch("issuer", "spec: {endpoint: {tls: {issuerRef: {name: internal}}}}");
    switch("large_bodies", "spec: {limits: {bodyBytes: 64Mi}}");
}

#[test]
fn routes_by_the_operators_flags() {
    flag("default_issuer", "{}", |settings| {
        settings.route.issuer = Some(IssuerRef {
            name: "letsencrypt".into(),
            kind: "ClusterIssuer".into(),
            group: "cert-manager.io".into(),
        });
    });
    flag("default_certificate", "{}", |settings| {
        settings.route.default_certificate = true;
    });
    flag("default_class", "{}", |settings| {
        settings.route.ingress_class = Some("nginx".into());
    });
    let by_gateway = |settings: &mut Settings| {
        settings.route.gateway = Some(ParentRef {
            group: "gateway.networking.k8s.io".into(),
            kind: ParentKind::Gateway,
            namespace: Some("edge".into()),
            name: "public".into(),
            section_name: Some("https".into()),
            port: None,
        });
    };
    flag("default_gateway", "{}", by_gateway);
    flag(
        "ingress_despite_default_gateway",
        "spec: {endpoint: {ingress: {}}}",
        by_gateway,
    );
}

#[test]
fn scale() {
    switch("autoscaling", "spec: {receiver: {autoscaling: {maxReplicas: 5}}}");
    switch("one_receiver", "spec: {receiver: {replicas: 1}}");
    switch("suspended", "spec: {suspend: true}");
    switch(
        "autoscaling_suspended",
        "spec: {suspend: true, receiver: {autoscaling: {}}}",
    );
}

#[test]
fn brokers_and_streams() {
    switch(
        "own_broker",
        "spec: {nats: {servers: ['tls://nats.example.com', 'nats://nats.example.com:5222']}}",
    );
    switch(
        "external_stream",
        "spec: {nats: {stream: {management: External, name: EVENTS}}}",
    );
    switch(
        "external_stream_and_credentials",
        "spec: {nats: {stream: {management: External, name: EVENTS}, credentialsSecretRef: {name: broker}}}",
    );
    switch(
        "credentials_by_key",
        "spec: {nats: {credentialsSecretRef: {name: broker, key: user.creds}}}",
    );
    switch(
        "authorities_in_a_config_map",
        "spec: {nats: {tls: {caConfigMapRef: {name: broker-ca}}}}",
    );
    switch(
        "client_certificate",
        "spec: {nats: {tls: {required: true, clientCertificateSecretRef: {name: broker-client}}}}",
    );
    switch("domain", "spec: {nats: {domain: hub}}");
    flag("authorities_of_the_operator", "{}", |settings| {
        settings.nats.ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".into();
    });
}

#[test]
fn secrets() {
    switch(
        "verify_token",
        "spec: {meta: {verifyToken: {name: meta-app, key: token}}}",
    );
    flag(
        "secret_access_none",
        "spec: {meta: {verifyToken: {name: meta-app, key: token}}}",
        |settings| {
            settings.secret_access = SecretAccess::None;
        },
    );
}

#[test]
fn what_can_be_turned_off() {
    switch(
        "monitoring_off",
        "spec: {monitoring: {serviceMonitor: {enabled: false}, prometheusRule: {enabled: false}}}",
    );
    switch(
        "tracing",
        "spec: {monitoring: {tracing: {endpoint: 'http://collector.observability:4318'}}}",
    );
    switch("network_policy_off", "spec: {networkPolicy: {enabled: false}}");
    switch(
        "network_policy_narrow",
        "spec: {networkPolicy: {webhookFromNamespaces: {edge: 'true'}, metricsFromNamespaces: {monitoring: 'true'}}}",
    );
}

#[test]
fn the_generated_secret() {
    let secret = generated_secret(
        &valid(&smallest("{}"), &settings()),
        "token-of-a-test",
        "key-of-a-test",
    );
    insta::assert_snapshot!("generated_secret", serde_saphyr::to_string(&secret).unwrap());
}

/// A field that the fullest resource leaves out is in no snapshot.
#[test]
fn the_fullest_resource_sets_every_field() {
    let crd = serde_json::to_value(wahook_crds::crd()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let full = yaml(FULL);
    let mut missing = BTreeSet::new();
    unset(schema, &full["spec"], "spec", &mut missing);
    let excluded = [
        // Each excludes one that is set.
        "spec.endpoint.gateway",
        "spec.endpoint.tls.secretName",
        "spec.nats.tls.caConfigMapRef",
        "spec.nats.stream.name",
        // Either matchExpressions or matchFields is set where both may be.
        "spec.receiver.scheduling.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[].preference.matchExpressions",
        "spec.receiver.scheduling.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[].matchFields",
    ];
    let excluded: BTreeSet<String> = excluded.map(str::to_owned).into();
    assert_eq!(missing, excluded);
}

fn unset(schema: &Value, value: &Value, path: &str, missing: &mut BTreeSet<String>) {
    if let Some(items) = value.as_array() {
        // Of a list one item is enough.
        let all: Vec<BTreeSet<String>> = items
            .iter()
            .map(|item| {
                let mut missing = BTreeSet::new();
                unset(&schema["items"], item, &format!("{path}[]"), &mut missing);
                missing
            })
            .collect();
        let Some((first, rest)) = all.split_first() else {
            return;
        };
        missing.extend(
            first
                .iter()
                .filter(|name| rest.iter().all(|other| other.contains(*name)))
                .cloned(),
        );
        return;
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match value.get(name) {
            None => drop(missing.insert(path)),
            Some(set) => unset(field, set, &path, missing),
        }
    }
}

/// Every object is what its kind says, with the usual labels, and belongs to the resource.
#[test]
fn what_all_children_have() {
    for (resource, settings) in [(smallest("{}"), settings()), (parsed(&yaml(FULL)), generous())] {
        let children = children(&resource, &settings);
        let kinds: Vec<_> = children.iter().map(|child| child.kind).collect();
        let mut sorted = kinds.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(kinds, sorted, "in order, each once");
        for Child { kind, object } in children {
            let resource = kind.resource();
            let types = object.types.unwrap();
            assert_eq!(
                (types.api_version, types.kind),
                (resource.api_version, resource.kind)
            );
            assert_eq!(object.metadata.name.unwrap(), kind.name("main"));
            assert_eq!(object.metadata.namespace.unwrap(), "shop");
            let owner = &object.metadata.owner_references.unwrap()[0];
            assert_eq!(
                (owner.kind.as_str(), owner.name.as_str()),
                ("WhatsAppWebhook", "main")
            );
            assert_eq!(
                (owner.controller, owner.block_owner_deletion),
                (Some(true), Some(true))
            );
            let labels = object.metadata.labels.unwrap();
            for label in ["name", "instance", "component", "part-of", "managed-by"] {
                assert!(
                    labels.contains_key(&format!("app.kubernetes.io/{label}")),
                    "{kind:?} {label}"
                );
            }
            assert!(!object.data.is_null(), "{kind:?} has no content");
            assert_eq!(object.metadata.finalizers, None);
        }
    }
}

/// The same input gives the same bytes: nothing random, no clock, no order of a hash.
#[test]
fn building_twice_gives_the_same() {
    let resource = parsed(&yaml(FULL));
    assert_eq!(
        whole(&children(&resource, &generous())),
        whole(&children(&resource, &generous()))
    );
}

/// What the API server would drop or rewrite would look like a drift for ever.
#[test]
fn nothing_empty_is_written() {
    fn look(value: &Value, path: &str) {
        match value {
            Value::Null => panic!("{path} is null"),
            Value::String(text) => assert!(!text.is_empty(), "{path} is empty"),
            Value::Array(items) => {
                assert!(!items.is_empty(), "{path} is empty");
                for (index, item) in items.iter().enumerate() {
                    look(item, &format!("{path}[{index}]"));
                }
            }
            Value::Object(fields) => {
                // The one empty object with a meaning: all namespaces.
                assert!(
                    !fields.is_empty() || path.ends_with("namespaceSelector"),
                    "{path} is empty"
                );
                for (name, field) in fields {
                    look(field, &format!("{path}.{name}"));
                }
            }
            Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let odd = "spec: {receiver: {resources: {requests: {cpu: null, memory: null}, limits: {memory: null}}, env: [{name: A}],
        scheduling: {tolerations: [{key: a, operator: Exists, value: '', effect: ''}],
        nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}}}";
    for resource in [smallest("{}"), smallest(odd), parsed(&yaml(FULL))] {
        for child in children(&resource, &generous()) {
            look(
                &serde_json::to_value(&child.object).unwrap(),
                &format!("{:?}", child.kind),
            );
        }
    }
}

/// Whoever selects the receivers finds exactly this webhook's.
#[test]
fn everything_selects_the_pods_of_this_webhook() {
    let children = children(&parsed(&yaml(FULL)), &generous());
    let part = |kind, path: &str| {
        let found = content(&children, kind).unwrap();
        found
            .pointer(path)
            .unwrap_or_else(|| panic!("{kind:?} has no {path}"))
            .clone()
    };
    let selector = serde_json::to_value(labels::selector("main")).unwrap();
    for (kind, path) in [
        (ChildKind::Deployment, "/spec/selector/matchLabels"),
        (
            ChildKind::Deployment,
            "/spec/template/spec/topologySpreadConstraints/0/labelSelector/matchLabels",
        ),
        (ChildKind::Service, "/spec/selector"),
        (ChildKind::PodDisruptionBudget, "/spec/selector/matchLabels"),
        (ChildKind::NetworkPolicy, "/spec/podSelector/matchLabels"),
        (ChildKind::ServiceMonitor, "/spec/selector/matchLabels"),
    ] {
        assert_eq!(part(kind, path), selector, "{kind:?}");
    }
    for path in ["/spec/template/metadata/labels", "/metadata/labels"] {
        let labels = part(ChildKind::Deployment, path);
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&labels[key], value, "{path}");
        }
        assert!(labels["app.kubernetes.io/version"].is_string());
    }
}

/// A pod that Pod Security `restricted` admits, with nothing of the cluster in it.
#[test]
fn pods_are_restricted() {
    for resource in [smallest("{}"), parsed(&yaml(FULL))] {
        let deployment = content(&children(&resource, &generous()), ChildKind::Deployment).unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["enableServiceLinks"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(
            container["securityContext"]["capabilities"]["drop"],
            serde_json::json!(["ALL"])
        );
        for context in [&pod["securityContext"], &container["securityContext"]] {
            for fixed in [
                "runAsUser",
                "runAsGroup",
                "fsGroup",
                "supplementalGroups",
                "privileged",
            ] {
                assert_eq!(context[fixed], Value::Null, "{fixed}");
            }
        }
        for forbidden in [
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "hostUsers",
            "initContainers",
            "shareProcessNamespace",
        ] {
            assert_eq!(pod[forbidden], Value::Null, "{forbidden}");
        }
        let volumes = pod["volumes"].as_array().unwrap();
        assert!(
            volumes
                .iter()
                .all(|volume| volume["configMap"].is_object() || volume["projected"].is_object())
        );
        for mount in container["volumeMounts"].as_array().unwrap() {
            assert_eq!(mount["subPath"], Value::Null, "a subPath is never updated");
        }
        for source in volumes
            .iter()
            .filter_map(|volume| volume["projected"]["sources"].as_array())
            .flatten()
        {
            let reference = source.get("secret").or(source.get("configMap")).unwrap();
            assert_eq!(reference["optional"], true, "{source}");
        }
        assert!(
            container["env"]
                .as_array()
                .into_iter()
                .flatten()
                .all(|env| env["valueFrom"].is_null())
        );
        assert!(container["envFrom"].is_null());
        assert!(
            container["resources"]["requests"].is_object() && container["resources"]["limits"].is_object()
        );
    }
}

/// It looks for what is absent, and would never end.
#[test]
fn without_a_service_monitor_no_alert_says_that_metrics_are_missing() {
    let rules = |patch: &str| {
        let all = children(&smallest(patch), &settings());
        content(&all, ChildKind::PrometheusRule).unwrap().to_string()
    };
    assert!(rules("{}").contains("WhatsAppWebhookDown"));
    let off = rules("spec: {monitoring: {serviceMonitor: {enabled: false}}}");
    assert!(!off.contains("WhatsAppWebhookDown") && off.contains("WhatsAppWebhookSlow"));
}
