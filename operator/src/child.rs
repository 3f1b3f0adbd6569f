//! The kinds of objects a webhook has, in the order they are applied.

use kube::api::{ApiResource, DynamicObject, GroupVersionKind};

use crate::names;

/// A child of a webhook. Each webhook has one of each kind at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// The receivers' account, without a token.
    ServiceAccount,
    /// The receivers' configuration.
    Configuration,
    /// What consumers need to know.
    Events,
    /// The receivers.
    Deployment,
    /// Their address.
    Service,
    /// How many of them may be away.
    PodDisruptionBudget,
    /// How many of them run under load.
    HorizontalPodAutoscaler,
    /// Who may reach them.
    NetworkPolicy,
    /// The host's certificate (cert-manager).
    Certificate,
    /// The way to them.
    Ingress,
    /// The way to them (Gateway API).
    HttpRoute,
    /// Where Prometheus reads their metrics (Prometheus operator).
    ServiceMonitor,
    /// The alerts about them (Prometheus operator).
    PrometheusRule,
}

impl ChildKind {
    /// All of them, in the order they are applied: what a pod mounts comes before the pod.
    pub const ALL: [Self; 13] = [
        Self::ServiceAccount,
        Self::Configuration,
        Self::Events,
        Self::Deployment,
        Self::Service,
        Self::PodDisruptionBudget,
        Self::HorizontalPodAutoscaler,
        Self::NetworkPolicy,
        Self::Certificate,
        Self::Ingress,
        Self::HttpRoute,
        Self::ServiceMonitor,
        Self::PrometheusRule,
    ];

    /// Group, version, kind and plural.
    const fn coordinates(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::ServiceAccount => ("", "v1", "ServiceAccount", "serviceaccounts"),
            Self::Configuration | Self::Events => ("", "v1", "ConfigMap", "configmaps"),
            Self::Deployment => ("apps", "v1", "Deployment", "deployments"),
            Self::Service => ("", "v1", "Service", "services"),
            Self::PodDisruptionBudget => ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
            Self::HorizontalPodAutoscaler => (
                "autoscaling",
                "v2",
                "HorizontalPodAutoscaler",
                "horizontalpodautoscalers",
            ),
            Self::NetworkPolicy => ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
            Self::Certificate => ("cert-manager.io", "v1", "Certificate", "certificates"),
            Self::Ingress => ("networking.k8s.io", "v1", "Ingress", "ingresses"),
            Self::HttpRoute => ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
            Self::ServiceMonitor => ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
            Self::PrometheusRule => ("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
        }
    }

    /// How the API server is asked for it.
    pub fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.coordinates();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    /// Whether a cluster may lack the kind: it is defined by a project that may not be installed.
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::Certificate | Self::HttpRoute | Self::ServiceMonitor | Self::PrometheusRule
        )
    }

    /// Whether it leads traffic for a host to the receivers, which only the holder of the host may have.
    pub const fn is_route(self) -> bool {
        matches!(self, Self::Certificate | Self::Ingress | Self::HttpRoute)
    }

    /// The name of a webhook's child of this kind.
    pub fn name(self, webhook: &str) -> String {
        match self {
            Self::Events => names::events(webhook),
            _ => names::child(webhook),
        }
    }
}

/// An object as it should be, without anything the API server fills in.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Which of the children.
    pub kind: ChildKind,
    /// What is applied: type, name, namespace, labels, owner and content.
    pub object: DynamicObject,
}
