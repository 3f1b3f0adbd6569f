//! Programs of other worlds: their sources and lock files, installed by their own tools into the cache.
//!
//! A room is a directory without directories. What it is installed with follows from its lock file: `requirements.txt` (pip),
//! `package-lock.json` (npm) or `go.sum` (go). The cache's key is a digest of the room, so a changed one is installed again and
//! an unchanged one never.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::child::find_program;
use crate::nats::cache_directory;

/// Says that a room was built to its end.
const BUILT: &str = "built";

/// How rooms with a lock file of this name are installed. Nothing here says where packages come from: that is up to the user's own
/// tools.
#[derive(Debug)]
struct World {
    lock_file: &'static str,
    programs: &'static [&'static str],
    recipe: &'static [&'static str],
}

const WORLDS: [World; 3] = [
    World {
        lock_file: "requirements.txt",
        programs: &["python3"],
        recipe: &[
            "python3 -m venv venv",
            "venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
             --requirement requirements.txt",
        ],
    },
    World {
        lock_file: "package-lock.json",
        programs: &["node", "npm"],
        recipe: &["npm ci --omit=dev --ignore-scripts --no-audit --no-fund"],
    },
    World {
        lock_file: "go.sum",
        programs: &["go"],
        recipe: &["go build -trimpath -buildvcs=false -mod=readonly -o program ."],
    },
];

/// A room could not be installed; says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{label} could not be installed: {reason}")]
pub struct RoomError {
    label: String,
    reason: String,
}

/// The installed room of these sources: a copy of them, with `venv`, `node_modules` or the `program` beside. Blocks, the first time
/// for up to a minute. `label` is what the cache and whoever watches call it.
///
/// # Errors
/// [`RoomError`] when a tool is missing or fails.
pub fn install(label: &str, sources: &Path) -> Result<PathBuf, RoomError> {
    installed(label, sources).map_err(|reason| RoomError {
        label: label.to_owned(),
        reason,
    })
}

fn installed(label: &str, sources: &Path) -> Result<PathBuf, String> {
    let files = files(sources).map_err(|error| format!("{}: {error}", sources.display()))?;
    let mut worlds = WORLDS.iter();
    let world = worlds
        .find(|world| files.iter().any(|(name, _)| name == world.lock_file))
        .ok_or_else(|| format!("{} has no lock file", sources.display()))?;
    for program in world.programs {
        let search_path = env::var_os("PATH").unwrap_or_default();
        find_program(program, &search_path).ok_or_else(|| format!("there is no `{program}` on PATH"))?;
    }
    let cache = cache_directory().ok_or("there is no cache directory (set WAHOOK_CACHE or HOME)")?;
    let home = cache.join(format!("{label}-{}", digest(&files)));
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
    eprintln!("{label}: installing from its lock file, once; it takes up to a minute");
    for line in world.recipe {
        run(&home, line)?;
    }
    fs::write(home.join(BUILT), "").map_err(text)?;
    Ok(home)
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

/// The files of a room, sorted by name.
///
/// # Errors
/// The operating system's.
pub fn files(sources: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_another_room() {
        let one = vec![("a".to_owned(), b"1".to_vec())];
        let other = vec![("a".to_owned(), b"2".to_vec())];
        assert_ne!(digest(&one), digest(&other));
        assert_eq!(digest(&one), digest(&one.clone()));
    }

    #[test]
    fn a_directory_that_is_no_room_is_told() {
        let nothing = tempfile::tempdir().unwrap();
        let error = install("test", nothing.path()).unwrap_err().to_string();
        assert!(error.contains("no lock file"), "{error}");
    }
}
