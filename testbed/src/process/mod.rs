//! The receiver as a child process: started, waited for, measured, stopped.

mod options;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::child::{self, OwnedChild};
use crate::log::{Log, Waited};
use crate::meta::{MetaClient, raw_http};
use crate::port::ReservedPort;

pub use options::{ReadyWhen, ReceiverOptions};

/// The pause between two questions to `/readyz`.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// The time the output of an ended process has to arrive here.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);

/// The receiver could not be started or controlled.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no binary to start.
    #[error(
        "no wahook-receiver beside {0}: run `cargo build -p wahook-receiver`, or set WAHOOK_RECEIVER to its path"
    )]
    NoBinary(PathBuf),
    /// A file, socket or process call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// It ended or did not get ready in time.
    #[error("wahook-receiver {problem}. Its last lines:\n{log_tail}")]
    NotReady {
        /// What happened instead.
        problem: String,
        /// The end of its output.
        log_tail: String,
    },
}

impl ProcessError {
    fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

/// A running receiver. Dropping it kills the process and deletes its directory.
#[derive(Debug)]
pub struct ReceiverProcess {
    // Dropped in this order: first the process, then its files.
    child: OwnedChild,
    port: ReservedPort,
    admin_port: ReservedPort,
    log: Log,
    directory: tempfile::TempDir,
}

impl ReceiverProcess {
    /// Starts a receiver and waits until it counts as started.
    ///
    /// # Errors
    /// [`ProcessError`]; when it did not come up, with the end of its output.
    pub async fn start(options: ReceiverOptions) -> Result<Self, ProcessError> {
        let binary = match &options.binary {
            Some(path) => path.clone(),
            None => receiver_binary()?,
        };
        let directory = tempfile::tempdir().map_err(ProcessError::io("make a directory"))?;
        let port = ReservedPort::new().map_err(ProcessError::io("find a free port"))?;
        let admin_port = ReservedPort::new().map_err(ProcessError::io("find a free port"))?;
        let fill = |text: &str| {
            text.replace("{port}", &port.number().to_string())
                .replace("{admin_port}", &admin_port.number().to_string())
                .replace("{dir}", &directory.path().to_string_lossy())
        };

        for (name, content) in &options.files {
            let content = match std::str::from_utf8(content) {
                Ok(text) if Path::new(name).extension().is_some_and(|end| end == "yaml") => {
                    fill(text).into_bytes()
                }
                _ => content.clone(),
            };
            write_below(directory.path(), name, &content).map_err(ProcessError::io("write a file"))?;
        }
        let mut command = Command::new(binary);
        command
            .current_dir(directory.path())
            .args(options.arguments.iter().map(|argument| fill(argument)));
        for (name, _) in env::vars_os() {
            command.env_remove(name);
        }
        for (name, value) in &options.environment {
            command.env(name, fill(value));
        }

        let log = Log::default();
        let child = OwnedChild::spawn(command, &log).map_err(ProcessError::io("start wahook-receiver"))?;
        let receiver = Self {
            child,
            port,
            admin_port,
            log,
            directory,
        };
        receiver
            .wait_until(&options.ready_when, options.start_limit)
            .await?;
        Ok(receiver)
    }

    /// Where the webhook listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Where `/livez`, `/readyz`, `/metrics` and `/status` are.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_port.address()
    }

    /// A client of the webhook at the path `/webhook`.
    ///
    /// # Errors
    /// `reqwest`'s, when no client can be built.
    pub fn meta(&self, secret: &str) -> reqwest::Result<MetaClient> {
        MetaClient::new(format!("http://{}/webhook", self.address()), secret)
    }

    /// GET on the admin port: status and body.
    ///
    /// # Errors
    /// [`ProcessError::Io`] when no whole answer came in 5 s.
    pub async fn admin(&self, path: &str) -> Result<(u16, String), ProcessError> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        raw_http(self.admin_address(), request.as_bytes(), Duration::from_secs(5))
            .await
            .and_then(|answer| answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into()))
            .map(|answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
            .map_err(ProcessError::io("ask the admin port"))
    }

    /// Its own directory, with the files it was given.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Replaces a file below its directory in one step, as a reload expects.
    ///
    /// # Errors
    /// [`ProcessError::Io`].
    pub fn replace_file(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), ProcessError> {
        let replace = || {
            let scratch = format!("{name}.new");
            write_below(self.directory(), &scratch, content.as_ref())?;
            fs::rename(self.directory().join(scratch), self.directory().join(name))
        };
        replace().map_err(ProcessError::io("replace a file"))
    }

    /// Everything it wrote to its standard output and error.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// How it ended, or `None` while it runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.child.exit_status()
    }

    /// Sends SIGTERM and returns at once: for what happens while it shuts down.
    ///
    /// # Errors
    /// [`ProcessError::Io`].
    pub fn begin_stop(&self) -> Result<(), ProcessError> {
        self.child
            .signal(nix::sys::signal::Signal::SIGTERM)
            .map_err(ProcessError::io("signal the receiver"))
    }

    /// Waits until it has ended by itself; its exit code, `None` when a signal ended it.
    ///
    /// # Errors
    /// [`ProcessError::Io`] when it still runs after `limit`.
    pub async fn wait(&self, limit: Duration) -> Result<Option<i32>, ProcessError> {
        let status = self.child.wait(limit).await;
        status
            .map(|status| status.code())
            .map_err(ProcessError::io("wait for the receiver"))
    }

    /// Sends SIGTERM and waits; its exit code, `None` when a signal ended it.
    ///
    /// # Errors
    /// [`ProcessError::Io`] when it had to be killed after 60 s.
    pub async fn stop(&self) -> Result<Option<i32>, ProcessError> {
        let status = self.child.terminate(Duration::from_secs(60)).await;
        status
            .map(|status| status.code())
            .map_err(ProcessError::io("stop the receiver"))
    }

    /// Kills it (SIGKILL), as a crash would, and waits until it is gone.
    pub fn kill9(&self) {
        self.child.kill_now();
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers. Returns when every thread has stopped, where the
    /// system shows that (Linux).
    ///
    /// # Errors
    /// [`ProcessError::Io`].
    pub fn pause(&self) -> Result<(), ProcessError> {
        let sent = self.child.signal(nix::sys::signal::Signal::SIGSTOP);
        sent.map_err(ProcessError::io("freeze the receiver"))?;
        child::wait_until_frozen(self.pid());
        Ok(())
    }

    /// Lets a frozen receiver go on (SIGCONT).
    ///
    /// # Errors
    /// [`ProcessError::Io`].
    pub fn resume(&self) -> Result<(), ProcessError> {
        let sent = self.child.signal(nix::sys::signal::Signal::SIGCONT);
        sent.map_err(ProcessError::io("let the receiver go on"))
    }

    /// The memory it holds now, in KiB. Linux only.
    ///
    /// # Errors
    /// [`ProcessError::Io`] when it has ended.
    pub fn rss_kib(&self) -> Result<u64, ProcessError> {
        let status = self.proc_file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .and_then(|line| line.split_whitespace().next())
            .and_then(|word| word.parse().ok());
        kib.ok_or_else(|| ProcessError::io("find VmRSS")(io::ErrorKind::InvalidData.into()))
    }

    /// The processor time it used so far, in seconds, user and system. Linux only.
    ///
    /// # Errors
    /// [`ProcessError::Io`] when it has ended.
    pub fn cpu_seconds(&self) -> Result<f64, ProcessError> {
        let stat = self.proc_file("stat")?;
        // The name in brackets may hold spaces; behind it, utime and stime are the 12th and 13th field.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: f64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|word| word.parse::<f64>().ok())
            .sum();
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
            .ok()
            .flatten()
            .unwrap_or(100);
        #[allow(clippy::cast_precision_loss)]
        Ok(ticks / per_second as f64)
    }

    /// How many files, sockets included, it has open now. Linux only.
    ///
    /// # Errors
    /// [`ProcessError::Io`] when it has ended.
    pub fn open_files(&self) -> Result<usize, ProcessError> {
        self.proc_entries("fd")
    }

    /// How many threads it has now. Linux only.
    ///
    /// # Errors
    /// [`ProcessError::Io`] when it has ended.
    pub fn threads(&self) -> Result<usize, ProcessError> {
        self.proc_entries("task")
    }

    fn proc_entries(&self, name: &str) -> Result<usize, ProcessError> {
        let entries = fs::read_dir(format!("/proc/{}/{name}", self.pid()));
        entries
            .map(Iterator::count)
            .map_err(ProcessError::io("read /proc"))
    }

    fn proc_file(&self, name: &str) -> Result<String, ProcessError> {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid())).map_err(ProcessError::io("read /proc"))
    }

    async fn wait_until(&self, ready_when: &ReadyWhen, limit: Duration) -> Result<(), ProcessError> {
        let path = match ready_when {
            ReadyWhen::Spawned => return Ok(()),
            ReadyWhen::Logged(text) => {
                return match self.log.wait_for(text, limit).await {
                    Waited::Found => Ok(()),
                    Waited::Closed => Err(self.not_ready("ended while it started".to_owned())),
                    Waited::TimedOut => Err(self.not_ready(format!("did not log {text:?} in {limit:?}"))),
                };
            }
            ReadyWhen::Ready => "/readyz",
            ReadyWhen::Live => "/livez",
        };
        let deadline = Instant::now() + limit;
        loop {
            let answer = self.admin(path).await;
            if matches!(answer, Ok((200, _))) {
                return Ok(());
            }
            if let Some(status) = self.exit_status() {
                self.log.wait_until_closed(LAST_WORDS_LIMIT).await;
                return Err(self.not_ready(format!("ended while it started ({status})")));
            }
            if Instant::now() >= deadline {
                let last = answer.map_or_else(
                    |error| error.to_string(),
                    |(status, text)| format!("{status} {text}"),
                );
                return Err(self.not_ready(format!("answers {path} with: {last}")));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn not_ready(&self, problem: String) -> ProcessError {
        ProcessError::NotReady {
            problem,
            log_tail: self.log.tail(20),
        }
    }
}

/// `WAHOOK_RECEIVER`, or the binary that cargo put beside (or one above) the running test.
fn receiver_binary() -> Result<PathBuf, ProcessError> {
    if let Some(path) = env::var_os("WAHOOK_RECEIVER").filter(|path: &OsString| !path.is_empty()) {
        return Ok(path.into());
    }
    let running = env::current_exe().map_err(ProcessError::io("find the running program"))?;
    let name = format!("wahook-receiver{}", env::consts::EXE_SUFFIX);
    let found = running
        .ancestors()
        .skip(1)
        .take(2)
        .map(|above| above.join(&name))
        .find(|path| path.is_file());
    found.ok_or(ProcessError::NoBinary(running))
}

fn write_below(directory: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, content)
}
