//! One child process that cannot outlive the value that owns it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::log::{Log, lock};

/// How often a wait for the end of a process looks. There is no portable event for "this child ended" that needs
/// neither a signal handler nor a runtime.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running child process. Dropping it kills that process, by its own id, and waits until it is gone.
///
/// Where the system has `setpriv` (util-linux), the kernel also kills the child when the owning process itself dies
/// by a signal, so that an interrupted test run leaves nothing behind.
#[derive(Debug)]
pub struct OwnedChild {
    pid: u32,
    /// The lock makes "has it ended?" and "signal it" one step: a reaped process id is never signalled.
    child: Mutex<Child>,
}

impl OwnedChild {
    /// Starts `command` with nothing on its standard input and both outputs followed by `log`.
    ///
    /// # Errors
    /// The operating system's, when the program cannot be started.
    pub fn spawn(command: Command, log: &Log) -> io::Result<Self> {
        let mut command = tied_to_this_process(command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawn_on_lasting_thread(command)?;
        if let Some(stdout) = child.stdout.take() {
            log.follow(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        Ok(Self {
            pid: child.id(),
            child: Mutex::new(child),
        })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How the process ended, or `None` while it runs (or is stopped).
    pub fn exit_status(&self) -> Option<ExitStatus> {
        lock(&self.child).try_wait().ok().flatten()
    }

    /// Sends a signal. A process that has ended already is left alone.
    ///
    /// # Errors
    /// The operating system's, when it refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let mut child = lock(&self.child);
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        let pid = i32::try_from(self.pid).map_err(io::Error::other)?;
        kill(Pid::from_raw(pid), signal).map_err(io::Error::from)
    }

    /// Waits until the process has ended, at most `limit`.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when it still runs then.
    pub async fn wait(&self, limit: Duration) -> io::Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = lock(&self.child).try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("process {} still runs after {limit:?}", self.pid),
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks the process to end (SIGTERM) and waits; after `limit` it is killed.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when it had to be killed.
    pub async fn terminate(&self, limit: Duration) -> io::Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        let ended = self.wait(limit).await;
        if ended.is_err() {
            self.kill_now();
        }
        ended
    }

    /// Kills the process (SIGKILL) and waits until it is gone. Also ends one that is paused.
    pub fn kill_now(&self) {
        let mut child = lock(&self.child);
        // Both fail only when the process is gone already, which is the aim.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Waits until every thread of a process that was sent SIGSTOP has stopped: the signal is delivered a moment later than it
/// is sent. Gives up after a second, and at once where there is no `/proc`.
pub(crate) fn wait_until_frozen(pid: u32) {
    let deadline = Instant::now() + Duration::from_secs(1);
    while Instant::now() < deadline && runs(pid) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a thread of the process is in another state than stopped (proc(5): the field after the name in parentheses).
fn runs(pid: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    threads.flatten().any(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        !matches!(state, Some('T' | 't') | None)
    })
}

impl Drop for OwnedChild {
    fn drop(&mut self) {
        self.kill_now();
    }
}

/// Finds a program by name in a search path of the form of `PATH`.
pub fn find_program(name: &str, search_path: &std::ffi::OsStr) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Wraps the command in `setpriv --pdeathsig KILL`, which sets the wish and then becomes the program, same id.
fn tied_to_this_process(command: Command) -> Command {
    static SETPRIV: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = SETPRIV.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        find_program("setpriv", &path).filter(|setpriv| {
            Command::new(setpriv)
                .args(["--pdeathsig", "KILL", "--", "true"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
    });
    let Some(setpriv) = found else { return command };

    let mut wrapped = Command::new(setpriv);
    wrapped
        .args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        wrapped.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}

/// Starts children from one thread that lives as long as this process: the kernel sends the parent-death signal
/// when the starting *thread* ends, and test threads end early.
fn spawn_on_lasting_thread(command: Command) -> io::Result<Child> {
    type Job = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, inbox) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                // A receiver that went away drops the answer and with it a handle nobody wants.
                let _ = answer.send(command.spawn());
            }
        });
        jobs
    });
    let (answer, result) = mpsc::channel();
    spawner.send((command, answer)).map_err(io::Error::other)?;
    result.recv().map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn sleeper() -> OwnedChild {
        let mut command = Command::new("/bin/sleep");
        command.arg("60");
        OwnedChild::spawn(command, &Log::default()).unwrap()
    }

    #[tokio::test]
    async fn a_child_ends_by_terminate_even_on_another_thread() {
        let child = std::thread::spawn(sleeper).join().unwrap();
        assert!(child.exit_status().is_none());
        let status = child.terminate(Duration::from_secs(5)).await.unwrap();
        assert_eq!(status.signal(), Some(15));
    }

    #[tokio::test]
    async fn a_paused_child_is_killed_on_drop() {
        let child = sleeper();
        let proc_entry = PathBuf::from(format!("/proc/{}", child.pid()));
        child.signal(Signal::SIGSTOP).unwrap();
        assert!(proc_entry.exists());
        drop(child);
        assert!(!proc_entry.exists());
    }
}
