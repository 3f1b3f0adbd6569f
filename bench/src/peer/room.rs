//! Builds a peer from its room: its sources and its lock file, installed by its own world's tools into the cache.
//!
//! The cache's key is a digest of the room, so a changed peer is built again and an unchanged one never.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};
use wahook_testbed::cache_directory;
use wahook_testbed::child::find_program;

use super::Peer;

/// Says that a room was built to its end.
const BUILT: &str = "built";
/// Where packages are installed, by whichever tool.
const PACKAGES: [&str; 3] = ["venv", "node_modules", "benthos"];

/// The built room of a peer. Blocks.
pub(super) fn build(peer: Peer, sources: &Path) -> Result<PathBuf, String> {
    let needed = match peer {
        Peer::Flask | Peer::PythonAsync => &["python3"][..],
        Peer::Benthos => &["go"],
        _ => &["node", "npm"],
    };
    for program in needed {
        let search_path = env::var_os("PATH").unwrap_or_default();
        find_program(program, &search_path).ok_or_else(|| format!("there is no `{program}` on PATH"))?;
    }
    let cache = cache_directory().ok_or("there is no cache directory (set WAHOOK_CACHE or HOME)")?;
    let files = files(sources).map_err(|error| format!("{}: {error}", sources.display()))?;
    let home = cache.join(format!("bench-{peer}-{}", digest(&files)));
    let text = |error: io::Error| format!("{}: {error}", home.display());
    fs::create_dir_all(&home).map_err(text)?;
    let lock = File::create(home.with_extension("lock")).map_err(text)?;
    lock.lock().map_err(text)?;
    if home.join(BUILT).is_file() {
        return Ok(home);
    }
    // What a broken build left.
    fs::remove_dir_all(&home).map_err(text)?;
    fs::create_dir_all(&home).map_err(text)?;
    for (name, content) in &files {
        fs::write(home.join(name), content).map_err(text)?;
    }
    eprintln!("bench: installing {peer} from its lock file, once; it takes up to a minute");
    for line in recipe(peer) {
        run(&home, line)?;
    }
    fs::write(home.join(BUILT), "").map_err(text)?;
    Ok(home)
}

/// The commands that install a peer. Nothing here says where packages come from: that is up to the user's own tools.
fn recipe(peer: Peer) -> &'static [&'static str] {
    match peer {
        Peer::Flask | Peer::PythonAsync => &[
            "python3 -m venv venv",
            "venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
             --requirement requirements.txt",
        ],
        Peer::Benthos => &["go build -trimpath -buildvcs=false -mod=readonly -o benthos ."],
        _ => &["npm ci --omit=dev --ignore-scripts --no-audit --no-fund"],
    }
}

fn run(home: &Path, line: &str) -> Result<(), String> {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or_default();
    let program = if program.contains('/') {
        home.join(program)
    } else {
        program.into()
    };
    let output = Command::new(program)
        .args(words)
        .current_dir(home)
        // A pure Go build needs no C compiler; settings of the user's must not change the result.
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .env("GOFLAGS", "")
        .env("NODE_ENV", "production")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{line}`: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = complaint.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(3)..];
    Err(format!(
        "`{line}` ended with {}: {}",
        output.status,
        last.join(" | ")
    ))
}

/// The files of a room, sorted by name. Rooms have no directories.
fn files(sources: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(sources)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, fs::read(entry.path())?));
        }
    }
    files.sort();
    Ok(files)
}

fn digest(files: &[(String, Vec<u8>)]) -> String {
    let mut hash = Sha256::new();
    for (name, content) in files {
        hash.update(format!("{name} {}\n", content.len()));
        hash.update(content);
    }
    hex::encode(&hash.finalize()[..6])
}

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

    #[test]
    fn a_changed_file_is_another_room() {
        let one = vec![("a".to_owned(), b"1".to_vec())];
        let other = vec![("a".to_owned(), b"2".to_vec())];
        assert_ne!(digest(&one), digest(&other));
        assert_eq!(digest(&one), digest(&one.clone()));
    }
}
