//! Whether manifests are what a Kubernetes version accepts, as kubeconform sees it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::error::KubeError;
use super::openapi::openapi;
use super::schemas::Schemas;
use crate::tools::KUBECONFORM;

/// kubeconform with the schemas of one Kubernetes version.
#[derive(Debug)]
pub struct Conformer {
    program: PathBuf,
    version: String,
    schemas: TempDir,
}

/// A manifest that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// The manifest's kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    #[serde(rename = "msg")]
    pub message: String,
    status: String,
}

#[derive(Deserialize)]
struct Answer {
    resources: Vec<Finding>,
}

impl Conformer {
    /// For a version of [`VERSIONS`](super::VERSIONS), which has these kinds, too. Blocks; the first time the version's
    /// kinds are fetched and kubeconform is built.
    ///
    /// # Errors
    /// [`KubeError`].
    pub fn new<'a>(
        version: &str,
        definitions: impl IntoIterator<Item = &'a Value>,
    ) -> Result<Self, KubeError> {
        let program = KUBECONFORM.find_or_install()?;
        let schemas = TempDir::new().map_err(KubeError::io("make a directory for schemas"))?;
        Schemas::of(&openapi(version)?)
            .with(definitions)
            .write(schemas.path())
            .map_err(KubeError::io("write schemas"))?;
        Ok(Self {
            program,
            version: version.to_owned(),
            schemas,
        })
    }

    /// The manifests that are not accepted, and how many there are in all. A kind that is not known is not accepted, and
    /// neither is a key that stands twice.
    ///
    /// # Errors
    /// [`KubeError::Io`] when kubeconform does not run or does not answer.
    pub fn check(&self, manifests: &str) -> Result<(Vec<Finding>, usize), KubeError> {
        let location = self.schemas.path().join(Schemas::LOCATION);
        let mut child = Command::new(&self.program)
            .args(["-strict", "-verbose", "-output", "json", "-kubernetes-version"])
            .arg(&self.version)
            .arg("-schema-location")
            .arg(location)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(KubeError::io("run kubeconform"))?;
        if let Some(mut input) = child.stdin.take() {
            // It reads everything before it writes anything.
            input
                .write_all(manifests.as_bytes())
                .map_err(KubeError::io("give kubeconform manifests"))?;
        }
        let output = child
            .wait_with_output()
            .map_err(KubeError::io("read kubeconform's answer"))?;
        let answer: Answer = serde_json::from_slice(&output.stdout)
            .map_err(|error| KubeError::io("read kubeconform's answer")(error.into()))?;
        // A document in which nothing but comments stands has no status.
        let mut found = answer.resources;
        found.retain(|finding| !finding.status.is_empty());
        let all = found.len();
        found.retain(|finding| finding.status != "statusValid");
        Ok((found, all))
    }
}
