//! The workflows: what actionlint finds in them, and the rules that it does not know.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wahook_testbed::tools::ACTIONLINT;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn workflows() -> Vec<(PathBuf, Value)> {
    let entries = fs::read_dir(root().join(".github/workflows")).unwrap();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let workflow =
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, workflow)
    };
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

fn release() -> Value {
    let mut all = workflows().into_iter();
    all.find(|(path, _)| path.ends_with("release.yml")).unwrap().1
}

fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_object().unwrap().values();
    jobs.flat_map(|job| job["steps"].as_array().unwrap()).collect()
}

#[test]
fn actionlint_finds_nothing() {
    let actionlint = ACTIONLINT.find_or_install().unwrap();
    let files = workflows().into_iter().map(|(path, _)| path);
    // No shellcheck and no pyflakes: whether a machine has them must not matter.
    let output = Command::new(actionlint)
        .args(["-shellcheck=", "-pyflakes=", "-no-color"])
        .args(files)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn rights_are_asked_for_and_jobs_end() {
    for (path, workflow) in workflows() {
        let path = path.display();
        let default = workflow["permissions"]
            .as_object()
            .unwrap_or_else(|| panic!("{path}: no permissions"));
        assert!(
            default.values().all(|right| right == "read"),
            "{path}: {default:?}"
        );
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            assert!(
                job["timeout-minutes"].is_u64(),
                "{path}: {name} may run for hours"
            );
        }
        for step in steps(&workflow) {
            let Some(action) = step["uses"].as_str() else {
                continue;
            };
            let (_, version) = action
                .split_once('@')
                .unwrap_or_else(|| panic!("{path}: {action}"));
            assert!(
                !["main", "master", "latest"].contains(&version),
                "{path}: {action}"
            );
            if action.starts_with("actions/checkout@") {
                assert_eq!(step["with"]["persist-credentials"], false, "{path}");
            }
        }
    }
}

/// What somebody may choose, such as a branch's name, is never part of a script.
#[test]
fn scripts_hold_no_expressions() {
    for (path, workflow) in workflows() {
        for step in steps(&workflow) {
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "{}: {script}", path.display());
        }
    }
}

#[test]
fn a_release_is_for_two_processors_signed_and_told_of() {
    let release = release();
    assert!(
        release["on"]["push"].get("branches").is_none(),
        "only tags are released"
    );
    let text = release.to_string();
    for part in [
        "linux/amd64,linux/arm64",
        "cosign sign",
        "cosign attest",
        "spdxjson",
        "attest-build-provenance",
        "helm push",
        "oci://",
        "SOURCE_DATE_EPOCH",
    ] {
        assert!(text.contains(part), "{part}");
    }
    for (name, job) in release["jobs"].as_object().unwrap() {
        let writes = job["permissions"]
            .as_object()
            .unwrap()
            .values()
            .any(|right| right == "write");
        assert_eq!(writes, ["images", "chart"].contains(&name.as_str()), "{name}");
        if writes {
            assert!(
                job["needs"].as_array().unwrap().contains(&"check".into()),
                "{name} waits for the tests"
            );
        }
    }
    assert!(
        !text.contains("actions/cache") && !text.contains("rust-cache"),
        "a cache could bring something else in"
    );
}
