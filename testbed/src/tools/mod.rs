//! Programs from the Go world that tests drive, each of one exact version, built once into the cache.
//!
//! `go install` takes them from the Go module proxy, checked by Go's checksum database. The cache's key is the
//! version, so a second run builds nothing. Who has a program already names it in a variable, such as
//! `WAHOOK_HELM`; it is used as it is.

mod list;

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child::find_program;
use crate::kube::module::{self, Cache};
use crate::nats::cache_directory;

pub use list::*;

/// How many lines of a failed build are shown.
const LAST_LINES: usize = 6;

/// A program of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// What the program is called.
    pub name: &'static str,
    /// The Go package of its `main`.
    pub package: &'static str,
    /// The module's version, without `v`.
    pub version: &'static str,
    /// The environment variable that names a program to use instead.
    pub variable: &'static str,
    /// What the linker is told beside leaving debug information out, such as the version the program reports.
    pub linker: &'static str,
    /// Build tags, separated by commas.
    pub tags: &'static str,
    /// Whose requirements count.
    pub main: Main,
}

/// Which module is the main one while a program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Main {
    /// The program's own, as `go install` takes it.
    Own,
    /// The program's own, from its directory: it replaces what it needs, which `go install` refuses.
    Directory(&'static str),
    /// One that needs it and nothing else: the program's own replaces parts by neighbours, which are not in its archive.
    Fresh,
}

/// A program is not here and could not be built; says what to do.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} {version} is not here and could not be built: {reason}. What helps: install Go 1.26 or newer \
     (https://go.dev/dl) and run this again with access to the Go module proxy; or set {variable} to the path of one"
)]
pub struct ToolError {
    name: &'static str,
    version: &'static str,
    variable: &'static str,
    reason: String,
}

impl Tool {
    /// The program's path: the one its variable names, else the cached one, else one built now. Blocks; a build takes
    /// from seconds to minutes.
    ///
    /// # Errors
    /// [`ToolError`].
    pub fn find_or_install(&self) -> Result<PathBuf, ToolError> {
        let search_path = env::var_os("PATH").unwrap_or_default();
        self.find_or_install_in(cache_directory(), &search_path)
    }

    /// The same, with a cache and a search path of the caller's.
    ///
    /// # Errors
    /// [`ToolError`].
    pub fn find_or_install_in(
        &self,
        cache: Option<PathBuf>,
        search_path: &OsString,
    ) -> Result<PathBuf, ToolError> {
        if let Some(named) = env::var_os(self.variable).filter(|value| !value.is_empty()) {
            return Ok(named.into());
        }
        self.cached_or_built(cache, search_path)
            .map_err(|reason| ToolError {
                name: self.name,
                version: self.version,
                variable: self.variable,
                reason,
            })
    }

    /// The lock makes a second process wait and take the first one's result; the rename makes the result whole even where
    /// locks do not work.
    fn cached_or_built(&self, cache: Option<PathBuf>, search_path: &OsString) -> Result<PathBuf, String> {
        let cache = cache.ok_or("there is no cache directory (set WAHOOK_CACHE or HOME)")?;
        let home = cache.join(format!("{}-{}", self.name, self.version));
        let target = home.join(self.name);
        if target.is_file() {
            return Ok(target);
        }
        let go = find_program("go", search_path).ok_or("there is no `go` on PATH")?;
        let text = |error: io::Error| format!("{}: {error}", home.display());
        fs::create_dir_all(&home).map_err(text)?;
        let lock = File::create(home.join("install.lock")).map_err(text)?;
        if lock.try_lock().is_err() {
            self.progress("another process is building it; waiting");
            lock.lock().map_err(text)?;
        }
        if target.is_file() {
            return Ok(target);
        }
        let scratch = tempfile::Builder::new()
            .prefix("install-")
            .tempdir_in(&home)
            .map_err(text)?;
        self.progress("building with `go install`, once; it takes up to a few minutes");
        self.build(&go, search_path, scratch.path())?;
        fs::rename(scratch.path().join(self.name), &target).map_err(text)?;
        self.progress(&format!("installed at {}", target.display()));
        Ok(target)
    }

    fn build(&self, go: &Path, search_path: &OsString, scratch: &Path) -> Result<(), String> {
        let mut command = Command::new(go);
        command
            .env("PATH", search_path)
            .env("GOBIN", scratch)
            // A pure Go build needs no C compiler; go.work and GOFLAGS of the user must not change the result.
            .env("CGO_ENABLED", "0")
            .env("GOWORK", "off")
            .env("GOFLAGS", "")
            .args([
                "install",
                "-trimpath",
                "-buildvcs=false",
                "-tags",
                self.tags,
                "-ldflags",
            ])
            .arg(format!("-s -w {}", self.linker));
        match self.main {
            Main::Own => command.arg(format!("{}@v{}", self.package, self.version)),
            // Its own go.sum vouches for the rest.
            Main::Directory(module) => command
                .current_dir(module::fetch(
                    &format!("{module}@v{}", self.version),
                    Cache::Users,
                )?)
                .arg(self.package),
            Main::Fresh => {
                let needed = format!("{}@v{}", self.package, self.version);
                command
                    .current_dir(module::fresh(go, search_path, scratch, &needed)?)
                    .arg(self.package)
            }
        };
        let output = command
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = complaint.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        Err(format!(
            "`go install` ended with {}: {}",
            output.status,
            last.join(" | ")
        ))
    }

    fn progress(&self, line: &str) {
        eprintln!("{} {}: {line}", self.name, self.version);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Nothing that exists, so that nothing is built or found by accident.
    const NOTHING: Tool = Tool {
        name: "no-such-tool",
        package: "example.invalid/nothing",
        version: "0.0.1",
        variable: "WAHOOK_NO_SUCH_TOOL",
        linker: "",
        tags: "",
        main: Main::Own,
    };

    #[test]
    fn without_go_the_error_names_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let error = NOTHING.find_or_install_in(Some(empty.path().into()), &OsString::new());
        let text = error.unwrap_err().to_string();
        for part in ["no-such-tool 0.0.1", "no `go` on PATH", "WAHOOK_NO_SUCH_TOOL"] {
            assert!(text.contains(part), "{part:?} is missing in: {text}");
        }
        assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_in_the_cache_is_used() {
        let cache = tempfile::tempdir().unwrap();
        let home = cache.path().join("no-such-tool-0.0.1");
        fs::create_dir(&home).unwrap();
        fs::write(home.join("no-such-tool"), "").unwrap();
        let found = NOTHING.find_or_install_in(Some(cache.path().into()), &OsString::new());
        assert_eq!(found.unwrap(), home.join("no-such-tool"));
    }

    #[test]
    fn a_version_reported_is_the_version_built() {
        for tool in [
            HELM,
            HELM_3,
            KUBECONFORM,
            CONTAINERD,
            CONTAINERD_SHIM,
            CTR,
            COREDNS,
            ACTIONLINT,
            ALERTMANAGER,
        ] {
            assert!(tool.linker.ends_with(tool.version), "{}", tool.name);
        }
    }
}
