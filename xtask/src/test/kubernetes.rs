//! The test binaries that need a Kubernetes control plane. Their tests are ignored by a plain `cargo test`, whose users
//! did not ask for a build of a quarter of an hour.

/// Their names, which are unique in the workspace: chosen by name alone, cargo builds them with the features it builds
/// everything else with, and nothing twice.
pub(super) const BINARIES: [&str; 6] = [
    "cluster",
    "kube_children",
    "kube_control_plane",
    "kube_node",
    "leader",
    "live",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// What such a test says. In two pieces, so that this file does not say it.
    const REASON: [&str; 2] = ["#[ignore = \"builds Kubernetes", " once"];

    /// The binary a file under a `tests` directory belongs to.
    fn binary(file: &Path) -> Option<String> {
        let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
        let place = parts.iter().rposition(|part| part == "tests")?;
        Some(parts.get(place + 1)?.trim_end_matches(".rs").to_owned())
    }

    fn sources(directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut found = Vec::new();
        for path in entries {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                found.extend(sources(&path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn every_binary_with_such_a_test_is_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let reason = REASON.concat();
        let found: BTreeSet<_> = sources(root)
            .into_iter()
            .filter(|file| fs::read_to_string(file).unwrap().contains(&reason))
            .map(|file| binary(&file).unwrap_or_else(|| panic!("{}: not below tests/", file.display())))
            .collect();
        let listed: BTreeSet<_> = BINARIES.map(str::to_owned).into();
        assert_eq!(found, listed);
    }
}
