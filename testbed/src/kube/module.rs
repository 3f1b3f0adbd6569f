//! Files of Go modules: fetched from the module proxy, vouched for by Go's checksum database.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::child::find_program;

/// Where a module is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cache<'a> {
    /// In Go's own cache, as everything that is built.
    Users,
    /// In a directory that can be deleted afterwards: a large module of which one file is of use.
    At(&'a Path),
}

/// Makes a module in `directory` that needs `package@version` and nothing else; where it is. Blocks.
pub(crate) fn fresh(
    go: &Path,
    search_path: &OsStr,
    directory: &Path,
    needed: &str,
) -> Result<PathBuf, String> {
    let home = directory.join("module");
    fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    for words in [
        ["mod", "init", "example.invalid/fresh"].as_slice(),
        &["get", needed],
    ] {
        let output = Command::new(go)
            .current_dir(&home)
            .env("PATH", search_path)
            .env("GOWORK", "off")
            .env("GOFLAGS", "")
            .args(words)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
    }
    Ok(home)
}

/// Fetches `path@version`; the directory it lies in. Blocks.
pub(crate) fn fetch(module: &str, cache: Cache<'_>) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let go = find_program("go", &path).ok_or("there is no `go` on PATH")?;
    let mut command = Command::new(go);
    command
        // Outside of any module, whose own requirements would have a say.
        .current_dir(env::temp_dir())
        .env("GOWORK", "off")
        .env("GOFLAGS", "");
    if let Cache::At(directory) = cache {
        // Go writes modules read-only, and such a directory cannot be deleted.
        command.env("GOMODCACHE", directory).env("GOFLAGS", "-modcacherw");
    }
    let output = command
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
