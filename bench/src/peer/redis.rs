//! Redis: found on PATH, or the distribution's package unpacked into the cache, without root and without installing it.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use wahook_testbed::cache_directory;
use wahook_testbed::child::{OwnedChild, find_program};
use wahook_testbed::log::{Log, Waited};
use wahook_testbed::port::ReservedPort;

/// Everything of Debian's that must be there to unpack a package of Debian's.
const DEBIAN: [&str; 3] = ["apt-get", "apt-cache", "dpkg-deb"];
/// In every image; unpacking others beside them would mix two C libraries.
const OF_THE_SYSTEM: [&str; 3] = ["libc6", "libssl", "libsystemd"];

/// A redis-server program and where the libraries are that came with it.
#[derive(Clone, Debug)]
pub struct RedisProgram {
    path: PathBuf,
    libraries: Option<PathBuf>,
    /// What it says its version is.
    pub version: String,
}

/// Finds redis-server on PATH, else fetches the distribution's package. Blocks.
///
/// # Errors
/// Why there is none.
pub fn find_redis() -> Result<RedisProgram, String> {
    let search_path = env::var_os("PATH").unwrap_or_default();
    if let Some(path) = find_program("redis-server", &search_path) {
        return checked(path, None);
    }
    for program in DEBIAN {
        find_program(program, &search_path)
            .ok_or_else(|| format!("there is no redis-server on PATH, and no {program} to fetch one"))?;
    }
    let cache = cache_directory().ok_or("there is no cache directory (set WAHOOK_CACHE or HOME)")?;
    let home = cache.join("redis-server");
    let text = |error: io::Error| format!("{}: {error}", home.display());
    fs::create_dir_all(&home).map_err(text)?;
    let lock = File::create(home.join("install.lock")).map_err(text)?;
    lock.lock().map_err(text)?;
    let root = home.join("root");
    if !root.is_dir() {
        eprintln!("bench: fetching redis-server, the distribution's package, without installing it");
        let scratch = tempfile::Builder::new()
            .prefix("fetch-")
            .tempdir_in(&home)
            .map_err(text)?;
        unpack(scratch.path())?;
        fs::rename(scratch.path().join("root"), &root).map_err(text)?;
    }
    // Debian's redis-server is a link to the program that also checks files.
    let path = root.join("usr/bin/redis-server");
    let libraries = fs::read_dir(root.join("usr/lib"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.is_dir() && path.to_string_lossy().contains("-linux-"));
    checked(path, libraries)
}

fn checked(path: PathBuf, libraries: Option<PathBuf>) -> Result<RedisProgram, String> {
    let program = RedisProgram {
        path,
        libraries,
        version: String::new(),
    };
    let said = output(program.command().arg("--version"))?;
    let version = said.split_whitespace().find_map(|word| word.strip_prefix("v="));
    let version = version.ok_or("redis-server does not say its version")?.to_owned();
    Ok(RedisProgram { version, ..program })
}

/// The packages and the libraries they need, one beside the other below `root`.
fn unpack(scratch: &Path) -> Result<(), String> {
    let packages = ["redis-server", "redis-tools"];
    let needs = output(Command::new("apt-cache").arg("depends").args(packages))?;
    let libraries = needs
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .filter(|name| {
            name.starts_with("lib") && !OF_THE_SYSTEM.iter().any(|system| name.starts_with(system))
        });
    let mut wanted: Vec<&str> = packages.into_iter().chain(libraries).collect();
    wanted.sort_unstable();
    wanted.dedup();
    output(
        Command::new("apt-get")
            .arg("download")
            .args(&wanted)
            .current_dir(scratch),
    )?;
    let root = scratch.join("root");
    for entry in fs::read_dir(scratch)
        .map_err(|error| error.to_string())?
        .flatten()
    {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "deb") {
            output(Command::new("dpkg-deb").arg("--extract").arg(path).arg(&root))?;
        }
    }
    Ok(())
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let last = complaint.lines().last().unwrap_or_default();
        return Err(format!("{name} ended with {}: {last}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl RedisProgram {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// A running Redis that appends to a file and syncs it every second. Dropping it kills it and deletes its directory.
#[derive(Debug)]
pub struct RedisServer {
    child: OwnedChild,
    port: ReservedPort,
    _directory: tempfile::TempDir,
}

impl RedisServer {
    /// Starts one and waits until it takes connections.
    ///
    /// # Errors
    /// Why it did not come up.
    pub async fn start(program: &RedisProgram) -> Result<Self, String> {
        let text = |error: io::Error| format!("redis-server: {error}");
        let directory = tempfile::tempdir().map_err(text)?;
        let port = ReservedPort::new().map_err(text)?;
        let log = Log::default();
        let mut command = program.command();
        command
            .args(["--bind", "127.0.0.1", "--port", &port.number().to_string()])
            .args(["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""])
            .arg("--dir")
            .arg(directory.path());
        let child = OwnedChild::spawn(command, &log).map_err(text)?;
        match log
            .wait_for("eady to accept connections", Duration::from_secs(10))
            .await
        {
            Waited::Found => Ok(Self {
                child,
                port,
                _directory: directory,
            }),
            _ => Err(format!("redis-server did not come up: {}", log.tail(3))),
        }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port.number())
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Every element of a list, in order. Blocks.
    ///
    /// # Errors
    /// The operating system's, or what is no answer of Redis'.
    pub fn list(&self, key: &str, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        const AT_ONCE: usize = 10_000;
        let mut socket = TcpStream::connect(self.port.address())?;
        let mut answers = BufReader::new(socket.try_clone()?);
        let mut from = 0;
        loop {
            socket.write_all(format!("LRANGE {key} {from} {}\r\n", from + AT_ONCE - 1).as_bytes())?;
            let count = number(&mut answers, '*')?;
            for _ in 0..count {
                let length = number(&mut answers, '$')?;
                let mut element = vec![0; length + 2];
                answers.read_exact(&mut element)?;
                element.truncate(length);
                each(&element);
            }
            from += count;
            if count < AT_ONCE {
                return Ok(());
            }
        }
    }
}

/// The number of a line such as `*3` or `$12` (RESP, the Redis serialization protocol).
fn number(answers: &mut BufReader<TcpStream>, mark: char) -> io::Result<usize> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let number = line
        .trim_end()
        .strip_prefix(mark)
        .and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no answer of Redis'"))
}
