//! The definitions of kinds that other projects install, as those projects publish them: in their Go modules, which the
//! module proxy keeps and Go's checksum database vouches for. Fetched once into Go's own cache.

use std::fs;

use serde_json::Value;

use super::error::KubeError;
use super::module::{Cache, fetch};

const PROMETHEUS_OPERATOR: &str = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const PROMETHEUS_KINDS: &str = "example/prometheus-operator-crd";

/// A project with kinds of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Project {
    /// Gateways and routes.
    GatewayApi,
    /// Certificates.
    CertManager,
    /// `ServiceMonitor` and `PrometheusRule`.
    PrometheusOperator,
    /// What the Prometheus operator itself wants to know, too.
    Prometheuses,
}

impl Project {
    /// Those whose kinds the operator makes objects of.
    pub const ALL: [Self; 3] = [Self::GatewayApi, Self::CertManager, Self::PrometheusOperator];

    /// The module, the directory in it, and the definitions there that are of use.
    const fn source(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Self::GatewayApi => (
                "sigs.k8s.io/gateway-api@v1.5.1",
                "config/crd/standard",
                &[
                    "gateway.networking.k8s.io_gateways.yaml",
                    "gateway.networking.k8s.io_httproutes.yaml",
                    "gateway.networking.k8s.io_listenersets.yaml",
                ],
            ),
            Self::CertManager => (
                "github.com/cert-manager/cert-manager@v1.21.2",
                "deploy/crds",
                &[
                    "cert-manager.io_certificates.yaml",
                    "cert-manager.io_issuers.yaml",
                    "cert-manager.io_clusterissuers.yaml",
                ],
            ),
            Self::PrometheusOperator => (
                PROMETHEUS_OPERATOR,
                PROMETHEUS_KINDS,
                &[
                    "monitoring.coreos.com_servicemonitors.yaml",
                    "monitoring.coreos.com_prometheusrules.yaml",
                ],
            ),
            Self::Prometheuses => (
                PROMETHEUS_OPERATOR,
                PROMETHEUS_KINDS,
                &[
                    "monitoring.coreos.com_podmonitors.yaml",
                    "monitoring.coreos.com_probes.yaml",
                    "monitoring.coreos.com_prometheuses.yaml",
                    "monitoring.coreos.com_scrapeconfigs.yaml",
                ],
            ),
        }
    }

    /// Its definitions, to be created in an API server. Blocks; the first time a few megabytes are fetched.
    ///
    /// # Errors
    /// [`KubeError::Definitions`] says what is missing.
    pub fn definitions(self) -> Result<Vec<Value>, KubeError> {
        let (module, directory, files) = self.source();
        let fail = |reason: String| KubeError::Definitions {
            module: module.to_owned(),
            reason,
        };
        let directory = fetch(module, Cache::Users).map_err(fail)?.join(directory);
        let read = |file: &&str| {
            let text =
                fs::read_to_string(directory.join(file)).map_err(|error| format!("{file}: {error}"))?;
            serde_saphyr::from_str(&text).map_err(|error| format!("{file}: {error}"))
        };
        files.iter().map(read).collect::<Result<_, _>>().map_err(fail)
    }
}
