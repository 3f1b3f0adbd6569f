//! Builds Kubernetes of one exact version, once, into the cache.
//!
//! There is no package that ships etcd, an API server and a controller manager together, and the project downloads
//! nothing that a package manager did not check. So the programs are built from the Go module beside this crate,
//! through the Go module proxy and against the committed `go.sum`: one binary that acts by the name it is called
//! under. A directory with programs made elsewhere can be named in `WAHOOK_KUBE`.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::child::find_program;
use crate::nats::cache_directory;

/// The Kubernetes version that is built and tested with.
pub const VERSION: &str = "1.37.2";

/// The Go module, file by file. Part of this program, so that the cache's key is what was built.
const MODULE: [(&str, &str); 3] = [
    ("main.go", include_str!("../../kube/main.go")),
    ("go.mod", include_str!("../../kube/go.mod")),
    ("go.sum", include_str!("../../kube/go.sum")),
];

/// The names the one binary answers to.
const NAMES: [&str; 7] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
];

/// How often a long build says that it still works.
const SPEAK_EVERY: Duration = Duration::from_secs(30);
/// How many lines of a failed build are shown.
const LAST_LINES: usize = 12;

/// Where the programs of one Kubernetes version are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    directory: PathBuf,
}

/// The programs are not here and could not be built; says what to do.
#[derive(Debug, thiserror::Error)]
#[error(
    "Kubernetes {VERSION} is not here and could not be built: {reason}. What helps: install Go 1.26 or newer \
     (https://go.dev/dl) and run this again with access to the Go module proxy; or put etcd, kube-apiserver and \
     kube-controller-manager into one directory and set WAHOOK_KUBE to it; or use a cluster you have (KUBECONFIG)"
)]
pub struct InstallError {
    /// What went wrong.
    pub reason: String,
}

/// Where to look and what may be used. [`Installer::from_env`] is what everyone wants; tests set the parts.
#[derive(Clone, Debug)]
pub struct Installer {
    named: Option<PathBuf>,
    search_path: OsString,
    cache: Option<PathBuf>,
}

/// The programs, found or built once per process. Blocks: a first build takes about 16 minutes of
/// processor time.
///
/// # Errors
/// [`InstallError`].
pub fn programs() -> Result<Programs, InstallError> {
    static FOUND: OnceLock<Programs> = OnceLock::new();
    if let Some(programs) = FOUND.get() {
        return Ok(programs.clone());
    }
    let programs = Installer::from_env().find_or_build()?;
    Ok(FOUND.get_or_init(|| programs).clone())
}

impl Programs {
    /// The path of one of them, such as `kubectl`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory they are all in: what to put on `PATH`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Installer {
    /// Reads `WAHOOK_KUBE`, `PATH`, and the first of `WAHOOK_CACHE`, `XDG_CACHE_HOME` and `HOME`.
    pub fn from_env() -> Self {
        Self {
            named: env::var_os("WAHOOK_KUBE")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
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

    /// The named directory, else the cached build, else a new build. What is found must report [`VERSION`].
    ///
    /// # Errors
    /// [`InstallError`].
    pub fn find_or_build(&self) -> Result<Programs, InstallError> {
        let found = match &self.named {
            Some(directory) => {
                checked(directory.clone()).map_err(|reason| format!("WAHOOK_KUBE is set, but {reason}"))
            }
            None => self.cached_or_built(),
        };
        found.map_err(|reason| InstallError { reason })
    }

    fn cached_or_built(&self) -> Result<Programs, String> {
        let cache = self
            .cache
            .as_ref()
            .ok_or("there is no cache directory (set WAHOOK_CACHE or HOME)")?;
        let home = cache.join(format!("kube-{VERSION}-{}", module_digest()));
        let target = home.join("bin");
        if target.exists() {
            return checked(target);
        }
        let go = find_program("go", &self.search_path).ok_or("there is no `go` on PATH")?;
        let text = |error: io::Error| format!("{}: {error}", home.display());
        fs::create_dir_all(&home).map_err(text)?;
        let lock = File::create(home.join("build.lock")).map_err(text)?;
        if lock.try_lock().is_err() {
            progress("another process is building it; waiting");
            lock.lock().map_err(text)?;
        }
        if target.exists() {
            return checked(target);
        }
        let scratch = tempfile::Builder::new()
            .prefix("build-")
            .tempdir_in(&home)
            .map_err(text)?;
        let built = self.build(&go, scratch.path())?;
        // The rename makes the result whole even where locks do not work.
        fs::rename(built.directory, &target).map_err(text)?;
        progress(&format!("built at {}", target.display()));
        Ok(Programs { directory: target })
    }

    fn build(&self, go: &Path, scratch: &Path) -> Result<Programs, String> {
        let text = |error: io::Error| format!("{}: {error}", scratch.display());
        let module = scratch.join("module");
        let bin = scratch.join("bin");
        fs::create_dir(&module).map_err(text)?;
        fs::create_dir(&bin).map_err(text)?;
        for (name, content) in MODULE {
            fs::write(module.join(name), content).map_err(text)?;
        }
        progress("building with Go, once; it takes about 16 minutes of processor time");
        let mut command = Command::new(go);
        command
            .current_dir(&module)
            .env("PATH", &self.search_path)
            // A pure Go build needs no C compiler; go.work and GOFLAGS of the user must not change the result.
            .env("CGO_ENABLED", "0")
            .env("GOWORK", "off")
            .env("GOFLAGS", "")
            .args([
                "build",
                "-v",
                "-trimpath",
                "-mod=readonly",
                "-buildvcs=false",
                "-ldflags",
            ])
            .arg(linker_flags())
            .arg("-o")
            .arg(bin.join("kubernetes"))
            .arg(".");
        run_aloud(&mut command)?;
        for name in NAMES {
            symlink("kubernetes", bin.join(name)).map_err(text)?;
        }
        checked(bin)
    }
}

/// Without the version in it, a client would see `v0.0.0-master`.
fn linker_flags() -> String {
    let mut numbers = VERSION.split('.');
    let (major, minor) = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    let package = "k8s.io/component-base/version";
    format!(
        "-s -w -X {package}.gitVersion=v{VERSION} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
    )
}

/// The beginning of the digest over everything that decides what is built.
fn module_digest() -> String {
    let mut hash = Sha256::new();
    for (name, content) in MODULE {
        hash.update(name);
        hash.update([0]);
        hash.update(content);
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..6])
}

/// The directory, if the programs a control plane needs are in it and report the wanted version.
fn checked(directory: PathBuf) -> Result<Programs, String> {
    let programs = Programs { directory };
    for name in ["kube-apiserver", "kube-controller-manager"] {
        let path = programs.path(name);
        let answer = Command::new(&path)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let answer = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        if answer != format!("Kubernetes v{VERSION}") {
            return Err(format!("{} reports {answer:?} as its version", path.display()));
        }
    }
    if !programs.path("etcd").is_file() {
        return Err(format!("there is no etcd in {}", programs.directory.display()));
    }
    Ok(programs)
}

/// Runs a verbose build to its end and says now and then how far it is.
fn run_aloud(command: &mut Command) -> Result<(), String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut last = VecDeque::new();
    let (started, mut spoken, mut packages) = (Instant::now(), Instant::now(), 0_u32);
    for line in child
        .stderr
        .take()
        .into_iter()
        .flat_map(|pipe| BufReader::new(pipe).lines())
    {
        let Ok(line) = line else { break };
        // A verbose build names each package on a line of its own when it begins with it.
        if !line.contains([' ', ':']) {
            packages += 1;
        }
        if spoken.elapsed() >= SPEAK_EVERY {
            spoken = Instant::now();
            progress(&format!(
                "{packages} packages after {} s",
                started.elapsed().as_secs()
            ));
        }
        last.push_back(line);
        if last.len() > LAST_LINES {
            last.pop_front();
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(());
    }
    let last: Vec<_> = last.into();
    Err(format!("`go build` ended with {status}: {}", last.join(" | ")))
}

fn progress(line: &str) {
    eprintln!("kubernetes {VERSION}: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_go_the_error_names_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let installer = Installer::new(None, "", empty.path().to_owned());
        let text = installer.find_or_build().unwrap_err().to_string();
        for part in [
            "there is no `go` on PATH",
            "install Go 1.26",
            "WAHOOK_KUBE",
            "KUBECONFIG",
        ] {
            assert!(text.contains(part), "{part:?} is missing in: {text}");
        }
    }

    #[test]
    fn a_named_directory_without_the_programs_is_refused_and_nothing_is_built() {
        let empty = tempfile::tempdir().unwrap();
        let installer = Installer::new(Some(empty.path().join("none")), "", empty.path().to_owned());
        let text = installer.find_or_build().unwrap_err().to_string();
        assert!(text.contains("WAHOOK_KUBE is set, but"), "{text}");
        assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_version_is_the_one_in_the_module() {
        assert!(MODULE[1].1.contains(&format!("k8s.io/kubernetes v{VERSION}\n")));
        assert!(linker_flags().ends_with("gitMajor=1 -X k8s.io/component-base/version.gitMinor=37"));
    }
}
