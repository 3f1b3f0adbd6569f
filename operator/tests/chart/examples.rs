//! The manifests of `examples/` and what they become are what Kubernetes accepts; their values are what the chart accepts.
//! (`compose.yaml` is Docker's, and looked at by xtask's tests.)

use std::fs;
use std::path::{Path, PathBuf};

use wahook_testbed::kube::{Conformer, VERSIONS};

use crate::matrix::definitions;
use crate::support::{Helm, Rendered, operator_render, read, render, repository, yaml};

/// Kinds of tools that are not part of any cluster here.
const TOOLS: [&str; 4] = ["Application", "OCIRepository", "HelmRelease", "ScaledObject"];

fn manifests(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "yaml")
            && path
                .file_name()
                .is_some_and(|name| name != "values.yaml" && name != "compose.yaml")
    };
    entries
        .flat_map(|path| {
            if path.is_dir() {
                manifests(&path)
            } else {
                vec![path]
            }
        })
        .filter(is)
        .collect()
}

#[test]
fn examples_and_their_children_conform() {
    let definitions = definitions();
    let conformers: Vec<Conformer> = [VERSIONS[0], VERSIONS[VERSIONS.len() - 1]]
        .iter()
        .map(|version| Conformer::new(version, &definitions).unwrap())
        .collect();
    let mut children = 0;
    for path in manifests(&repository("examples")) {
        let text = fs::read_to_string(&path).unwrap();
        let mut texts = Vec::new();
        if !TOOLS
            .iter()
            .any(|kind| text.contains(&format!("\nkind: {kind}\n")))
        {
            texts.push(text.clone());
        }
        if text.contains("\nkind: WhatsAppWebhook\n") {
            texts.push(operator_render(&path));
        }
        for text in texts {
            let expected = Rendered::new(text.clone()).objects.len();
            children += expected;
            for conformer in &conformers {
                let (findings, all) = conformer.check(&text).unwrap();
                assert!(findings.is_empty(), "{}: {findings:#?}", path.display());
                assert_eq!(all, expected, "{}", path.display());
            }
        }
    }
    assert!(children > 50, "{children} objects");
}

#[test]
fn values_of_two_tenants_are_accepted() {
    let rendered = render(&read("examples/two-tenants/values.yaml"));
    assert_eq!(rendered.all("ClusterRole").len(), 0);
}

/// Argo CD renders without knowing the cluster's kinds.
#[test]
fn values_of_argo_cd_are_accepted() {
    let application = yaml(&read("examples/argocd/application.yaml"));
    let source = &application["spec"]["source"];
    assert_eq!(source["targetRevision"], env!("CARGO_PKG_VERSION"));
    let rendered = render(&source["helm"]["valuesObject"].to_string());
    assert_eq!(rendered.all("ServiceMonitor").len(), 1);
}

#[test]
fn argo_cd_knows_when_a_webhook_is_healthy() {
    let map = yaml(&read("examples/argocd/argocd-cm.yaml"));
    let script = map["data"]["resource.customizations.health.wahook.dev_WhatsAppWebhook"]
        .as_str()
        .unwrap();
    for word in [
        "Ready",
        "Stalled",
        "Reconciling",
        "Suspended",
        "observedGeneration",
        "Healthy",
        "Degraded",
    ] {
        assert!(
            script.contains(&format!("\"{word}\"")) || script.contains(&format!(".{word}")),
            "{word}"
        );
    }
}

/// Flux adds the Secret's values.
#[test]
fn values_of_flux_are_accepted() {
    let release = Rendered::new(read("examples/flux/release.yaml"))
        .objects
        .remove(1);
    let mut values = release["spec"]["values"].clone();
    values["nats"]["auth"]["password"] = "abcdefghijklmnopqrstuvwxyz".into();
    let rendered = Helm::four().render(&values.to_string());
    rendered.get("StatefulSet", "wahook-nats");
    assert_eq!(
        release["spec"]["install"]["crds"], "Skip",
        "the definition is a template"
    );
}
