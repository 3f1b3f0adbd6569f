//! Who may reach the receivers, and whom they may reach: DNS, the broker and a
//! collector of traces.

use std::collections::BTreeSet;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::child;
use super::labels::{self, Pairs};
use crate::child::{Child, ChildKind};
use crate::names::{ADMIN_PORT, WEBHOOK_PORT};
use crate::settings::Settings;
use crate::validate::Validated;

/// The label that every namespace has, with its name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// Where names are asked for. A policy sees the pod's port, which is another one in OpenShift.
const DNS: [i32; 2] = [53, 5353];

pub(super) fn build(webhook: &Validated, settings: &Settings) -> Option<Child> {
    let wanted = &webhook.spec.network_policy;
    let open = &wanted.webhook_from_namespaces;
    let policy = NetworkPolicy {
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(labels::label_selector(&webhook.name)),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some(vec![
                NetworkPolicyIngressRule {
                    // Without peers everyone may, from outside the cluster too.
                    from: (!open.is_empty()).then(|| vec![namespaces(open.clone())]),
                    ports: Some(vec![port("TCP", WEBHOOK_PORT.0)]),
                },
                NetworkPolicyIngressRule {
                    from: Some(readers(&wanted.metrics_from_namespaces, settings)),
                    ports: Some(vec![port("TCP", ADMIN_PORT.0)]),
                },
            ]),
            egress: Some(vec![
                NetworkPolicyEgressRule {
                    ports: Some(
                        DNS.iter()
                            .flat_map(|dns| [port("UDP", *dns), port("TCP", *dns)])
                            .collect(),
                    ),
                    to: None,
                },
                NetworkPolicyEgressRule {
                    ports: Some(
                        reached(webhook)
                            .into_iter()
                            .map(|number| port("TCP", i32::from(number)))
                            .collect(),
                    ),
                    to: None,
                },
            ]),
        }),
        ..NetworkPolicy::default()
    };
    wanted
        .enabled
        .then(|| child(webhook, ChildKind::NetworkPolicy, &policy))
}

/// The ports of the broker and of the collector, each once.
fn reached(webhook: &Validated) -> BTreeSet<u16> {
    let collector = webhook.tracing.iter().map(|tracing| tracing.endpoint.port());
    webhook.nats.ports.iter().copied().chain(collector).collect()
}

/// Who may read metrics and status: every pod of the cluster, or those of some namespaces and the operator.
fn readers(wanted: &Pairs, settings: &Settings) -> Vec<NetworkPolicyPeer> {
    if wanted.is_empty() {
        return vec![namespaces(Pairs::new())];
    }
    let operator = settings.operator_namespace.as_deref();
    let operator = operator.map(|name| namespaces(labels::pairs([(NAMESPACE_NAME, name)])));
    std::iter::once(namespaces(wanted.clone()))
        .chain(operator)
        .collect()
}

/// The pods of the namespaces with these labels; of all when there are none.
fn namespaces(labels: Pairs) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector {
            match_labels: (!labels.is_empty()).then_some(labels),
            ..LabelSelector::default()
        }),
        ..NetworkPolicyPeer::default()
    }
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(number)),
        ..NetworkPolicyPort::default()
    }
}
