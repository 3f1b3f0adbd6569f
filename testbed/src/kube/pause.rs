//! The image of the process that holds a pod's namespaces open. There is one in a registry; here there is no registry.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child::find_program;
use crate::image::{Image, USER};
use crate::nats::cache_directory;

use super::error::KubeError;

/// What containerd is told to run in front of every pod. The number is raised with the program.
pub(crate) const NAME: &str = "wahook.test/pause:1";

const MAIN: &str = include_str!("../../pause/main.go");
const MODULE: &str = include_str!("../../pause/go.mod");

/// The archive with the image, built once. Blocks for a second or two.
pub(crate) fn archive() -> Result<PathBuf, KubeError> {
    let cache = cache_directory()
        .ok_or_else(|| KubeError::Host("there is no cache directory: set WAHOOK_CACHE or HOME".to_owned()))?;
    let home = cache.join(NAME.rsplit('/').next().unwrap_or(NAME).replace(':', "-"));
    let archive = home.join("pause.tar");
    let text = || KubeError::io(format!("build {NAME} in {}", home.display()));
    fs::create_dir_all(&home).map_err(text())?;
    let lock = File::create(home.join("build.lock")).map_err(text())?;
    lock.lock().map_err(text())?;
    if !archive.exists() {
        let scratch = tempfile::tempdir_in(&home).map_err(text())?;
        let program = built(scratch.path()).map_err(text())?;
        let image = Image {
            name: NAME,
            program: &program,
            user: USER,
            labels: BTreeMap::new(),
            authorities: None,
            created: 0,
        };
        image.write(&archive)?;
    }
    Ok(archive)
}

fn built(scratch: &Path) -> io::Result<PathBuf> {
    fs::write(scratch.join("main.go"), MAIN)?;
    fs::write(scratch.join("go.mod"), MODULE)?;
    let search_path = env::var_os("PATH").unwrap_or_default();
    let go = find_program("go", &search_path)
        .ok_or_else(|| io::Error::other("there is no `go` on PATH; install Go 1.26 or newer"))?;
    let output = Command::new(go)
        .current_dir(scratch)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .env("GOFLAGS", "")
        .args([
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            "-s -w",
            "-o",
            "pause",
            ".",
        ])
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(scratch.join("pause"));
    }
    Err(io::Error::other(
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}
