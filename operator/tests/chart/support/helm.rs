//! Helm as a person calls it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use wahook_testbed::kube::VERSIONS;
use wahook_testbed::tools::{HELM, HELM_3};

use super::rendered::Rendered;
use super::repository;

const RELEASE: &str = "wahook";
pub(crate) const NAMESPACE: &str = "house";

/// A Helm, and the cluster it is to believe in.
#[derive(Clone)]
pub(crate) struct Helm {
    program: PathBuf,
    release: &'static str,
    kubernetes: &'static str,
    kinds: Vec<&'static str>,
}

impl Helm {
    /// Helm 4, in the newest Kubernetes that is supported.
    pub(crate) fn four() -> Self {
        Self {
            program: HELM.find_or_install().unwrap(),
            release: RELEASE,
            kubernetes: VERSIONS[VERSIONS.len() - 1],
            kinds: Vec::new(),
        }
    }

    pub(crate) fn three() -> Self {
        Self {
            program: HELM_3.find_or_install().unwrap(),
            ..Self::four()
        }
    }

    pub(crate) fn release(mut self, name: &'static str) -> Self {
        self.release = name;
        self
    }

    pub(crate) fn kubernetes(mut self, version: &'static str) -> Self {
        self.kubernetes = version;
        self
    }

    /// The cluster has this kind, too.
    pub(crate) fn with_kind(mut self, kind: &'static str) -> Self {
        self.kinds.push(kind);
        self
    }

    pub(crate) fn render(&self, values: &str) -> Rendered {
        let output = self.template(values);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{values}\n{complaint}");
        Rendered::new(String::from_utf8(output.stdout).unwrap())
    }

    /// What Helm says about values that it refuses.
    pub(crate) fn refusal(&self, values: &str) -> String {
        let output = self.template(values);
        assert!(!output.status.success(), "not refused:\n{values}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn lint(&self, values: &str) -> Output {
        self.run(&["lint", "--strict"], &[], values)
    }

    /// What a person reads after `helm install`.
    pub(crate) fn notes(&self, values: &str) -> String {
        let output = self.run(&["install", self.release], &["--dry-run=client"], values);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{values}\n{complaint}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_once("\nNOTES:\n").expect("notes").1.to_owned()
    }

    fn template(&self, values: &str) -> Output {
        let mut options = vec!["--kube-version", self.kubernetes];
        for kind in &self.kinds {
            options.extend(["--api-versions", kind]);
        }
        self.run(&["template", self.release], &options, values)
    }

    fn run(&self, command: &[&str], options: &[&str], values: &str) -> Output {
        let mut child = Command::new(&self.program)
            .args(command)
            .arg(repository("charts/wahook"))
            .args(["--namespace", NAMESPACE, "--values", "-"])
            .args(options)
            // No cluster, and no settings of whoever runs this.
            .env("KUBECONFIG", "/nonexistent")
            .env_remove("HELM_NAMESPACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // Helm may refuse before it reads.
        let _ = input.write_all(values.as_bytes());
        drop(input);
        child.wait_with_output().unwrap()
    }
}
