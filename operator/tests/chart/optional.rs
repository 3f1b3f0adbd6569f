//! What can be turned on and off: the definition, the budget, network policies, the service monitor, further objects.

use serde_json::json;
use wahook_operator::build::alerts::Thresholds;
use wahook_operator::build::prometheus_rule::operator_file;

use crate::support::{EVERYTHING, Helm, MONITORING, NATS, read, render, yaml};

const DEFINITION: (&str, &str) = ("CustomResourceDefinition", "whatsappwebhooks.wahook.dev");

#[test]
fn the_definition_is_kept_and_is_the_generated_one() {
    let rendered = render("{}");
    let definition = rendered.get(DEFINITION.0, DEFINITION.1);
    assert_eq!(
        definition["metadata"]["annotations"]["helm.sh/resource-policy"],
        "keep"
    );
    assert_eq!(
        definition["spec"],
        yaml(&read("crds/whatsappwebhooks.yaml"))["spec"]
    );
    let unkept = render("crds: {keep: false}");
    assert!(
        unkept.get(DEFINITION.0, DEFINITION.1)["metadata"]
            .get("annotations")
            .is_none()
    );
    assert!(
        render("crds: {enabled: false}")
            .find(DEFINITION.0, DEFINITION.1)
            .is_none()
    );
}

#[test]
fn a_budget_only_for_more_than_one() {
    let spec = |values: &str| {
        render(values)
            .find("PodDisruptionBudget", "wahook-operator")
            .map(|o| o["spec"].clone())
    };
    assert_eq!(spec("{}").unwrap()["maxUnavailable"], 1);
    assert_eq!(spec(EVERYTHING).unwrap()["maxUnavailable"], "50%");
    assert_eq!(spec("replicas: 1"), None);
    assert_eq!(spec("podDisruptionBudget: {enabled: false}"), None);
}

/// The port of the collector, as the operator itself reads it from the URL.
#[test]
fn the_operator_reaches_its_collector_of_traces() {
    for endpoint in [
        "http://collector.observability:4318",
        "http://collector/otlp",
        "https://otlp.example.com/a:1",
        "http://[2001:db8::1]:4319",
        "https://[2001:db8::1]",
    ] {
        let rendered = render(&format!("tracing: {{endpoint: \"{endpoint}\"}}"));
        let spec = &rendered.get("NetworkPolicy", "wahook-operator")["spec"];
        let port = endpoint
            .parse::<wahook_telemetry::trace::Endpoint>()
            .unwrap()
            .port();
        let rule = json!({ "ports": [{ "port": port, "protocol": "TCP" }] });
        assert!(
            spec["egress"].as_array().unwrap().contains(&rule),
            "{endpoint}: {spec:#}"
        );
    }
    let off = render("{}");
    let off = &off.get("NetworkPolicy", "wahook-operator")["spec"];
    assert!(!off.to_string().contains("4318"));
}

#[test]
fn the_operator_is_reached_for_metrics_and_reaches_what_it_needs() {
    let rendered = render("defaults: {nats: {servers: [\"nats://a\", \"tls://b:4333\"]}}");
    let spec = &rendered.get("NetworkPolicy", "wahook-operator")["spec"];
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(spec["ingress"][0]["from"], json!([{"namespaceSelector": {}}]));
    assert_eq!(spec["ingress"][0]["ports"][0]["port"], "admin");
    let ports: Vec<i64> = spec["egress"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| rule["ports"].as_array().unwrap())
        .map(|port| port["port"].as_i64().unwrap())
        .collect();
    assert_eq!(
        ports,
        [53, 53, 5353, 5353, 443, 6443, 8443, 16443, 9090, 4222, 4333]
    );
    let narrow = render(EVERYTHING);
    let narrow = &narrow.get("NetworkPolicy", "wahook-operator")["spec"]["ingress"][0]["from"][0];
    assert_eq!(
        narrow["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
        "monitoring"
    );
}

#[test]
fn no_policy_where_none_is_wanted() {
    assert_eq!(render(NATS).all("NetworkPolicy").len(), 2);
    let off = format!("{{networkPolicy: {{enabled: false}}, {NATS}}}");
    assert!(render(&off).all("NetworkPolicy").is_empty());
}

#[test]
fn a_service_monitor_where_the_kind_is_known_or_asked_for() {
    let on = "monitoring: {serviceMonitor: {enabled: true}}";
    assert!(render("{}").all("ServiceMonitor").is_empty());
    assert!(
        Helm::four()
            .with_kind(MONITORING)
            .render("{}")
            .all("ServiceMonitor")
            .is_empty()
    );
    assert!(
        render(on).all("ServiceMonitor").is_empty(),
        "the kind is not known"
    );
    let known = Helm::four().with_kind(MONITORING).render(on);
    let spec = &known.get("ServiceMonitor", "wahook-operator")["spec"];
    let service = known.get("Service", "wahook-operator");
    for (label, value) in spec["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(&service["metadata"]["labels"][label], value, "{label}");
    }
    assert_eq!(spec["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
    let always = render(EVERYTHING);
    let always = always.get("ServiceMonitor", "wahook-operator");
    assert_eq!(always["metadata"]["labels"]["release"], "prometheus");
    assert_eq!(always["spec"]["endpoints"][0]["interval"], "15s");
}

#[test]
fn the_alerts_about_the_operator_are_those_of_the_rule_file() {
    let on = "monitoring: {prometheusRule: {enabled: true}}";
    assert!(render("{}").all("PrometheusRule").is_empty());
    assert!(
        render(on).all("PrometheusRule").is_empty(),
        "the kind is not known"
    );
    let rendered = Helm::four()
        .with_kind("monitoring.coreos.com/v1/PrometheusRule")
        .render(on);
    let rule = rendered.get("PrometheusRule", "wahook-operator");
    let file = operator_file(&Thresholds::default());
    assert_eq!(rule["spec"], serde_json::to_value(file).unwrap());
    let everything = render(EVERYTHING);
    let labels = &everything.get("PrometheusRule", "wahook-operator")["metadata"]["labels"];
    assert_eq!(labels["release"], "prometheus");
}

#[test]
fn a_prometheus_without_an_operator_gets_the_same_alerts_as_a_file() {
    let (kind, name) = ("ConfigMap", "wahook-operator-alerts");
    let has = |values: &str| {
        let rendered = render(values);
        rendered
            .all(kind)
            .iter()
            .any(|map| map["metadata"]["name"] == name)
    };
    assert!(!has("{}"));
    assert!(!has("monitoring: {prometheusRule: {enabled: true}}"));
    let rendered = render("monitoring: {ruleFile: {enabled: true}}");
    let rules = rendered.get(kind, name)["data"]["wahook-operator.yaml"]
        .as_str()
        .unwrap();
    let file = operator_file(&Thresholds::default());
    assert_eq!(yaml(rules), serde_json::to_value(file).unwrap());
    let everything = render(EVERYTHING);
    let metadata = &everything.get(kind, name)["metadata"];
    assert_eq!(metadata["namespace"], "monitoring");
    assert_eq!(metadata["labels"]["prometheus-rules"], "yes");
}

#[test]
fn dashboards_are_the_files_where_the_sidecar_looks_for_them() {
    let labelled = |values: &str| {
        let maps = render(values)
            .all("ConfigMap")
            .into_iter()
            .cloned()
            .collect::<Vec<_>>();
        maps.into_iter()
            .filter(|map| map["metadata"]["labels"]["app.kubernetes.io/component"] == "dashboards")
            .collect::<Vec<_>>()
    };
    assert!(labelled("{}").is_empty());
    let maps = labelled("monitoring: {dashboards: {enabled: true}}");
    assert_eq!(maps.len(), 3);
    for map in &maps {
        let metadata = &map["metadata"];
        assert_eq!(metadata["labels"]["grafana_dashboard"], "1");
        assert!(metadata.get("annotations").is_none());
        let [(name, content)] = map["data"].as_object().unwrap().iter().collect::<Vec<_>>()[..] else {
            panic!("{map}")
        };
        let file = read(&format!("charts/wahook/files/dashboards/{name}"));
        assert_eq!(content.as_str().unwrap(), file.trim_end(), "{name}");
        let object = format!(
            "wahook-dashboard-{}",
            &name["wahook-".len()..name.len() - ".json".len()]
        );
        assert_eq!(metadata["name"], object);
    }
    for map in labelled(EVERYTHING) {
        let metadata = &map["metadata"];
        assert_eq!(metadata["namespace"], "monitoring");
        assert_eq!(metadata["labels"]["dashboards"], "yes");
        assert_eq!(metadata["labels"]["team"], "messaging");
        assert!(metadata["labels"].get("grafana_dashboard").is_none());
        assert_eq!(metadata["annotations"]["grafana_folder"], "Wahook");
    }
}

#[test]
fn further_objects_are_templates() {
    let rendered = render(EVERYTHING);
    for name in ["wahook-extra", "wahook-text"] {
        assert_eq!(rendered.get("ConfigMap", name)["metadata"]["namespace"], "house");
    }
}
