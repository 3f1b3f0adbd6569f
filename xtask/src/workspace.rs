//! The workspace these commands work on, and cargo as they call it.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;
use wahook_testbed::setting::Setting;

/// The workspace or cargo could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    /// Not started by cargo.
    #[error("CARGO_MANIFEST_DIR is not set: start this with `cargo xtask`")]
    NotFromCargo,
    /// Cargo could not be started.
    #[error("cannot run cargo: {0}. Check that it is on PATH")]
    Cargo(#[from] io::Error),
    /// The build failed; cargo has said why.
    #[error("the build ended with {0}; see cargo's messages above")]
    Build(ExitStatus),
    /// The build yielded no such program.
    #[error("cargo built no program named {0}; check its Cargo.toml")]
    NotBuilt(&'static str),
}

/// The name of the receiver's package and of its program.
pub(crate) const RECEIVER: &str = "wahook-receiver";

/// Where reports are: writing one changes nothing of what another is about.
const REPORTS: &str = "docs/reports";

/// What every build of the whole workspace is given: the same for all commands, so that they share its results.
pub(crate) const WHOLE: [&str; 2] = ["--workspace", "--all-features"];

/// What `cargo run` tells this program about itself. Some build scripts (ring's) watch these variables: handed on, they
/// would make each command build again what the last one built.
const ABOUT_XTASK: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// The workspace's directory.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that cargo started this program for.
    ///
    /// # Errors
    /// [`WorkspaceError::NotFromCargo`].
    pub(crate) fn find() -> Result<Self, WorkspaceError> {
        let package = env::var_os("CARGO_MANIFEST_DIR").ok_or(WorkspaceError::NotFromCargo)?;
        let root = Path::new(&package).parent().ok_or(WorkspaceError::NotFromCargo)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// A workspace somewhere, to look at commands only.
    #[cfg(test)]
    pub(crate) fn at(root: &str) -> Self {
        Self { root: root.into() }
    }

    /// A file of the workspace, by its path from the root.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Cargo, the one that started this program, in the root. Its messages are plain text wherever they go.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        for (name, _) in env::vars_os() {
            if ABOUT_XTASK
                .iter()
                .any(|prefix| name.to_string_lossy().starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        command
            .current_dir(&self.root)
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null());
        command
    }

    /// What a report of this moment is about.
    pub(crate) fn setting(&self) -> Setting {
        Setting::of(&self.root, REPORTS)
    }

    /// Builds the programs of a package; the path of the one of the package's name. By itself: built together with others, a
    /// package would get the features that only those need. Progress goes to standard error.
    ///
    /// # Errors
    /// As [`Workspace::build_receiver`].
    pub(crate) fn build_alone(
        &self,
        package: &'static str,
        release: bool,
    ) -> Result<PathBuf, WorkspaceError> {
        let mut command = self.cargo();
        command.args(["build", "--locked", "--bins", "--package", package]);
        if release {
            eprintln!("building {package} for release, some minutes the first time");
            command.arg("--release");
        }
        let path = built(command, &[package])?.pop();
        path.ok_or(WorkspaceError::NotBuilt(package))
    }

    /// Builds every program of the workspace; the path of the receiver. Progress goes to standard error.
    ///
    /// # Errors
    /// [`WorkspaceError`]; what the compiler complained about is on standard error.
    pub(crate) fn build_receiver(&self) -> Result<PathBuf, WorkspaceError> {
        let mut command = self.cargo();
        command.arg("build").args(WHOLE).arg("--bins");
        let mut built = built(command, &[RECEIVER])?;
        built.pop().ok_or(WorkspaceError::NotBuilt(RECEIVER))
    }
}

/// Runs a build of cargo's; the paths of these programs, in this order. Progress goes to standard error.
///
/// # Errors
/// As [`Workspace::build_receiver`].
pub(crate) fn built(mut command: Command, programs: &[&'static str]) -> Result<Vec<PathBuf>, WorkspaceError> {
    let output = command
        .args(["--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(WorkspaceError::Build(output.status));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = |program: &&'static str| {
        let mut lines = messages.lines();
        lines
            .find_map(|line| executable(line, program))
            .ok_or(WorkspaceError::NotBuilt(program))
    };
    programs.iter().map(path).collect()
}

/// The program's path, if this is cargo's message that it was built.
fn executable(message: &str, program: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let built = message["reason"] == "compiler-artifact" && message["target"]["name"] == program;
    built
        .then_some(message["executable"].as_str()?)
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receiver_is_found_among_cargos_messages() {
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"wahook_receiver"},"executable":null}"#;
        let program = r#"{"reason":"compiler-artifact","target":{"name":"wahook-receiver"},"executable":"/t/wahook-receiver"}"#;
        let other = r#"{"reason":"compiler-artifact","target":{"name":"xtask"},"executable":"/t/xtask"}"#;
        assert_eq!(executable(library, RECEIVER), None);
        assert_eq!(executable(other, RECEIVER), None);
        assert_eq!(executable("not a message", RECEIVER), None);
        assert_eq!(executable(program, RECEIVER), Some("/t/wahook-receiver".into()));
    }
}
