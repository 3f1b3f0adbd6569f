//! The definitions of kinds that other projects install, as those projects publish them: in their Go modules, which the
//! module proxy keeps and Go's checksum database vouches for. Fetched once into Go's own cache.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::error::KubeError;
use crate::child::find_program;

/// A project with kinds of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Project {
    /// Gateways and routes.
    GatewayApi,
    /// Certificates.
    CertManager,
    /// `ServiceMonitor` and `PrometheusRule`.
    PrometheusOperator,
}

impl Project {
    /// All of them.
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
                "github.com/prometheus-operator/prometheus-operator@v0.85.0",
                "example/prometheus-operator-crd",
                &[
                    "monitoring.coreos.com_servicemonitors.yaml",
                    "monitoring.coreos.com_prometheusrules.yaml",
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
        let fail = |reason: String| KubeError::Definitions { module, reason };
        let directory = fetch(module).map_err(fail)?.join(directory);
        let read = |file: &&str| {
            let text =
                fs::read_to_string(directory.join(file)).map_err(|error| format!("{file}: {error}"))?;
            serde_saphyr::from_str(&text).map_err(|error| format!("{file}: {error}"))
        };
        files.iter().map(read).collect::<Result<_, _>>().map_err(fail)
    }
}

/// Where the module lies in Go's cache.
fn fetch(module: &str) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let go = find_program("go", &path).ok_or("there is no `go` on PATH")?;
    let output = Command::new(go)
        // Outside of any module, whose own requirements would have a say.
        .current_dir(env::temp_dir())
        .env("GOWORK", "off")
        .env("GOFLAGS", "")
        .args(["mod", "download", "-json", module])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    match (answer["Dir"].as_str(), answer["Error"].as_str()) {
        (Some(directory), _) => Ok(directory.into()),
        (None, Some(error)) => Err(error.to_owned()),
        (None, None) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
