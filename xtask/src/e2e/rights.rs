//! The operator's rights: what it used in this run is what the chart grants, in both directions.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use wahook_testbed::kube::Project;

use super::error::{Result, expect};
use super::founder::SHOP;
use super::house::{House, NAMESPACE};

/// Group, resource with subresource, verb.
type Right = (String, String, String);

const USER: &str = "system:serviceaccount:wahook:wahook-operator";
const LIMIT: Duration = Duration::from_secs(120);
/// Granted for clusters that ask for it before an owner reference is written (OpenShift). No request ever shows it.
const UNSEEN: [(&str, &str, &str); 1] = [("wahook.dev", "whatsappwebhooks/finalizers", "update")];
/// What a webhook with every optional part has, and one without them has not.
const PARTS: [&str; 7] = [
    "poddisruptionbudget",
    "horizontalpodautoscaler",
    "networkpolicy",
    "certificate",
    "ingress",
    "servicemonitor",
    "prometheusrule",
];

/// Kinds of other projects are installed while the operator runs. It takes them up, and lets go of each again.
pub(super) async fn optional(house: &House) -> Result<String> {
    for project in [Project::CertManager, Project::PrometheusOperator] {
        house.define(project).await?;
    }
    let spec = |parts: &str| {
        format!(
            "apiVersion: wahook.dev/v1alpha1\nkind: WhatsAppWebhook\nmetadata: {{name: parts}}\nspec:\n  meta: {{appSecrets: \
             [{{name: meta-app, key: app-secret}}]}}\n  nats: {{credentialsSecretRef: {{name: wahook-nats-receivers}}, stream: \
             {{maxBytes: 16Mi}}}}\n{parts}"
        )
    };
    let all = spec(
        "  endpoint: {host: parts.example.com, tls: {issuerRef: {kind: Issuer, name: letsencrypt}}}\n  receiver: {autoscaling: \
         {minReplicas: 2, maxReplicas: 3}}\n",
    );
    let few = spec(
        "  endpoint: {host: parts.example.com, gateway: {parentRefs: [{name: public, namespace: gateways}]}}\n  receiver: \
         {replicas: 1}\n  monitoring: {serviceMonitor: {enabled: false}, prometheusRule: {enabled: false}}\n  networkPolicy: \
         {enabled: false}\n",
    );
    let kubectl = &house.kubectl;
    let there = async |kind: &str, name: &str, wanted: bool| {
        let what = if wanted { "made" } else { "removed" };
        let line = format!("{kind} -n {NAMESPACE} --field-selector=metadata.name={name}");
        let is = |list: &Value| {
            list["items"]
                .as_array()
                .is_some_and(|items| items.is_empty() != wanted)
        };
        kubectl.until(&line, LIMIT, what, is).await.map(drop)
    };
    kubectl.apply(NAMESPACE, &all).await?;
    for part in PARTS {
        there(part, "parts-webhook", true).await?;
    }
    // Discovery is repeated now and then: the first webhook gets its parts without being touched.
    there("servicemonitor", "shop-webhook", true).await?;
    kubectl.apply(NAMESPACE, &few).await?;
    for part in PARTS {
        there(part, "parts-webhook", false).await?;
    }
    there("httproute", "parts-webhook", true).await?;
    kubectl.apply(NAMESPACE, &all).await?;
    there("httproute", "parts-webhook", false).await?;
    kubectl
        .line(&format!("delete whatsappwebhook parts -n {NAMESPACE}"))
        .await?;
    kubectl.condition(SHOP, "Ready", "True", "").await?;
    Ok(format!("{} and httproute", PARTS.join(", ")))
}

/// Compares the audit log with the roles.
pub(super) async fn exact(house: &House) -> Result<String> {
    let mut granted = BTreeSet::new();
    for line in [
        "clusterrole wahook-operator".to_owned(),
        format!("role wahook-operator-lease -n {NAMESPACE}"),
    ] {
        let role = house.kubectl.get(&line).await?;
        for rule in role["rules"].as_array().into_iter().flatten() {
            granted.extend(rights(rule));
        }
    }
    let mut used = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for event in house.node.audit()? {
        // A runbook asks in the operator's name what it may do.
        let is_its_own = event.user() == USER && event.impersonated_user.is_none();
        let Some(object) = event.object_ref.as_ref().filter(|_| is_its_own) else {
            continue;
        };
        let resource = match object.subresource.as_str() {
            "" => object.resource.clone(),
            subresource => format!("{}/{subresource}", object.resource),
        };
        let right = (object.api_group.clone(), resource, event.verb.clone());
        if event.code() == Some(403) {
            refused.insert(right);
        } else {
            // An apply that makes its object asks for that right, too (Kubernetes, Server-Side Apply, "Authorization").
            if event.code() == Some(201) && event.verb == "patch" {
                used.insert((right.0.clone(), right.1.clone(), "create".to_owned()));
            }
            used.insert(right);
        }
    }
    let unseen: BTreeSet<Right> = UNSEEN
        .map(|(group, resource, verb)| (group.to_owned(), resource.to_owned(), verb.to_owned()))
        .into();
    let idle: Vec<_> = granted
        .difference(&used)
        .filter(|right| !unseen.contains(right))
        .collect();
    let missing: Vec<_> = used
        .difference(&granted)
        .filter(|(_, resource, _)| resource != "selfsubjectreviews")
        .collect();
    expect(idle.is_empty(), || format!("granted and never used: {idle:?}"))?;
    expect(missing.is_empty(), || {
        format!("used and not granted by the chart: {missing:?}")
    })?;
    expect(refused.is_empty(), || {
        format!("asked for and refused: {refused:?}")
    })?;
    expect(used.len() > 50, || format!("the audit log has only {used:?}"))?;
    Ok(format!("{} rights, each granted and each used", used.len()))
}

/// Every combination that a rule grants.
fn rights(rule: &Value) -> Vec<Right> {
    let words = |key: &str| -> Vec<String> {
        let words = rule[key].as_array().into_iter().flatten();
        words.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut all = Vec::new();
    for group in words("apiGroups") {
        for resource in words("resources") {
            for verb in words("verbs") {
                all.push((group.clone(), resource.clone(), verb));
            }
        }
    }
    all
}
