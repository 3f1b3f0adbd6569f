//! What is in a peer's room, which [`wahook_testbed::room`] installs: names, versions, bytes.

use std::fs;
use std::path::Path;

/// Where packages are installed, by whichever tool.
const PACKAGES: [&str; 3] = ["venv", "node_modules", "program"];

/// What a room asks for by name, with the versions of its lock file.
pub(super) fn versions(home: &Path) -> String {
    let read = |name: &str| fs::read_to_string(home.join(name)).unwrap_or_default();
    let mut found: Vec<String> = python(&read("requirements.in"), &read("requirements.txt"));
    found.extend(node(&read("package.json")));
    found.extend(go(&read("go.mod")));
    found.join(", ")
}

fn python(asked: &str, locked: &str) -> Vec<String> {
    let version = |name: &str| {
        let mut lines = locked.lines();
        let rest = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix("=="))?;
        Some(format!("{name} {}", rest.split_whitespace().next()?))
    };
    asked.lines().filter_map(version).collect()
}

fn node(package: &str) -> Vec<String> {
    let package: serde_json::Value = serde_json::from_str(package).unwrap_or_default();
    let dependencies = package["dependencies"].as_object().into_iter().flatten();
    dependencies
        .map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()))
        .collect()
}

fn go(module: &str) -> Vec<String> {
    let mut lines = module.lines().filter_map(|line| line.strip_prefix("require "));
    lines
        .next()
        .filter(|line| !line.starts_with('('))
        .map(str::to_owned)
        .into_iter()
        .collect()
}

/// What was installed, in bytes.
pub(super) fn installed_bytes(home: &Path) -> u64 {
    PACKAGES.iter().map(|name| bytes(&home.join(name))).sum()
}

fn bytes(path: &Path) -> u64 {
    let Ok(meta) = path.symlink_metadata() else {
        return 0;
    };
    if !meta.is_dir() {
        return meta.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| bytes(&entry.path())).sum()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use wahook_testbed::room::files;

    use super::super::Peer;
    use super::*;

    fn room(peer: Peer) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("peers")
            .join(peer.name())
    }

    #[test]
    fn every_peer_has_a_room_with_pinned_versions() {
        for peer in Peer::ALL.into_iter().filter(|peer| peer.is_foreign()) {
            let room = room(peer);
            assert!(!files(&room).unwrap().is_empty(), "{peer}");
            let versions = versions(&room);
            assert!(
                versions.split(", ").all(|one| one.contains(char::is_numeric)),
                "{peer}: {versions}"
            );
            assert!(!versions.is_empty(), "{peer}");
        }
    }

    #[test]
    fn lock_files_name_no_registry() {
        for peer in Peer::ALL.into_iter().filter(|peer| peer.is_foreign()) {
            for (name, content) in files(&room(peer)).unwrap() {
                let text = String::from_utf8(content).unwrap();
                for word in ["\"resolved\"", "--index-url", "--extra-index-url", "GOPROXY"] {
                    assert!(!text.contains(word), "{peer}/{name}: {word}");
                }
            }
        }
    }
}
