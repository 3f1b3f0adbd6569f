//! What the tests of the chart and of the workflows need: programs of the Go world, and what Kubernetes and others publish
//! about their kinds. Installed before any test runs, so that no test takes minutes for it.

use std::path::PathBuf;

use wahook_testbed::kube::{self, KubeError, Project};
use wahook_testbed::tools::{
    ACTIONLINT, ALERTMANAGER, HELM, HELM_3, JSONNET, KUBECONFORM, PROMETHEUS, PROMTOOL, Tool, ToolError,
};

/// The programs.
const TOOLS: [Tool; 8] = [
    HELM,
    HELM_3,
    KUBECONFORM,
    ACTIONLINT,
    PROMTOOL,
    PROMETHEUS,
    ALERTMANAGER,
    JSONNET,
];

/// One of them is not here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MissingTool {
    /// A program.
    #[error(transparent)]
    Program(#[from] ToolError),
    /// What somebody publishes about kinds.
    #[error(transparent)]
    Kinds(#[from] Box<KubeError>),
}

/// Installs what is missing; which variable names which program.
pub(super) fn install() -> Result<Vec<(&'static str, PathBuf)>, MissingTool> {
    for version in kube::VERSIONS {
        kube::openapi(version).map_err(Box::new)?;
    }
    for project in Project::ALL {
        project.definitions().map_err(Box::new)?;
    }
    TOOLS
        .iter()
        .map(|tool| Ok((tool.variable, tool.find_or_install()?)))
        .collect()
}
