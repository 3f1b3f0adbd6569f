//! A process that outlives the program that started it, and is found again by a file.
//!
//! The file holds the process id and when that process began. Both must match before anything is signalled: after a
//! crash of the machine, or a year, the number may be someone else's.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::KubeError;
use super::plane::Part;
use crate::child::find_program;

/// Where the tools of the script below are on every system.
const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// The process writes its own file before it becomes the program: whoever started it may die at any moment and
/// leaves no process that has no file.
const SCRIPT: &str = r#"{ echo $$; cat /proc/$$/stat 2>/dev/null || ps -o state= -o lstart= -p $$; } >"$0.new" && mv "$0.new" "$0" && exec "$@""#;
/// How often a wait looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the shell may take to write the file.
const FILE_LIMIT: Duration = Duration::from_secs(10);
/// How long after SIGKILL a process may still be there.
const KILL_LIMIT: Duration = Duration::from_secs(10);
/// How much of the end of a log is read for an error message.
const LAST_BYTES: u64 = 4096;

/// The place of one process: its file and its log. There may or may not be a process.
#[derive(Clone, Debug)]
pub(crate) struct Detached {
    name: &'static str,
    pid_file: PathBuf,
    log: PathBuf,
}

impl Detached {
    pub(crate) fn new(directory: &Path, name: &'static str) -> Self {
        Self {
            name,
            pid_file: directory.join("pid").join(name),
            log: directory.join("log").join(format!("{name}.log")),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// The process id, while that very process runs.
    pub(crate) fn pid(&self) -> Option<i32> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let (pid, then) = text.split_once('\n')?;
        let pid = pid.parse().ok()?;
        let now = described(pid)?;
        (!has_ended(&now) && began(&now)? == began(then)?).then_some(pid)
    }

    /// Whether it was started and has ended without being stopped.
    pub(crate) fn has_ended(&self) -> bool {
        self.pid_file.exists() && self.pid().is_none()
    }

    /// Starts it in a session of its own, so that no terminal's end reaches it, and waits until its file is there.
    pub(crate) async fn start(&self, program: &Path, part: &Part, directory: &Path) -> Result<(), KubeError> {
        let failed = |source| KubeError::io(format!("start {}", self.name))(source);
        self.prepare().map_err(failed)?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(failed)?;
        let mut command = if let Some(setsid) = find_program("setsid", OsStr::new(SYSTEM_PATH)) {
            let mut command = Command::new(setsid);
            command.arg("/bin/sh");
            command
        } else {
            // A process group of its own does nearly as well.
            let mut command = Command::new("/bin/sh");
            command.process_group(0);
            command
        };
        command
            .args(["-c", SCRIPT])
            .arg(&self.pid_file)
            .arg(program)
            .args(&part.arguments)
            .current_dir(directory)
            .env_clear()
            .env("PATH", SYSTEM_PATH)
            .env("HOME", directory)
            .envs(part.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log);
        let mut child = command.spawn().map_err(failed)?;
        let deadline = Instant::now() + FILE_LIMIT;
        while !self.pid_file.exists() {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Err(failed(io::Error::other(format!("the shell ended with {status}"))));
            }
            if Instant::now() >= deadline {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Ends it: SIGTERM, after `limit` SIGKILL. Does nothing when it does not run.
    pub(crate) async fn stop(&self, limit: Duration) -> Result<(), KubeError> {
        for (signal, limit) in [(Signal::SIGTERM, limit), (Signal::SIGKILL, KILL_LIMIT)] {
            let Some(pid) = self.pid() else { break };
            match kill(Pid::from_raw(pid), signal) {
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(KubeError::io(format!("stop {}", self.name))(error.into())),
            }
            let deadline = Instant::now() + limit;
            while self.pid().is_some() && Instant::now() < deadline {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        if let Some(pid) = self.pid() {
            return Err(KubeError::StillRuns {
                part: self.name.to_owned(),
                pid,
                waited: KILL_LIMIT,
            });
        }
        remove(&self.pid_file).map_err(KubeError::io("delete a process file"))
    }

    /// The last lines of its log.
    pub(crate) fn last_lines(&self, lines: usize) -> String {
        let text = tail_of(&self.log).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    fn prepare(&self) -> io::Result<()> {
        for file in [&self.pid_file, &self.log] {
            if let Some(directory) = file.parent() {
                fs::create_dir_all(directory)?;
            }
        }
        remove(&self.pid_file)
    }
}

/// What the system says of a process, in the form in which the script wrote it down.
fn described(pid: i32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        return fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    }
    let output = Command::new("ps")
        .args(["-o", "state=", "-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    String::from_utf8(output.stdout)
        .ok()
        .filter(|text| !text.trim().is_empty())
}

/// The fields behind the name in brackets (which may hold spaces), or the whole of what `ps` says: either way the
/// state comes first.
fn fields(description: &str) -> &str {
    description
        .rsplit_once(')')
        .map_or(description, |(_, rest)| rest)
        .trim()
}

/// Ended, but not yet fetched by its parent. A first thread that has ended waits for the others, which may still
/// hold ports and files: field 20 of `/proc/<pid>/stat` counts them.
fn has_ended(description: &str) -> bool {
    let mut fields = fields(description).split_whitespace();
    fields.next().is_some_and(|state| state.starts_with('Z'))
        && (!description.contains(')')
            || fields
                .nth(16)
                .is_none_or(|threads| threads == "0" || threads == "1"))
}

/// When it began. Field 22 of `/proc/<pid>/stat` (proc(5)), of which the first two are cut off; else what `ps`
/// says behind the state.
fn began(description: &str) -> Option<&str> {
    let fields = fields(description);
    if description.contains(')') {
        fields.split_whitespace().nth(19)
    } else {
        fields.split_once(' ').map(|(_, start)| start.trim())
    }
}

fn tail_of(path: &Path) -> io::Result<String> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Part {
        Part {
            name: "sleep",
            arguments: vec!["60".into()],
            environment: Vec::new(),
        }
    }

    async fn started(directory: &Path) -> Detached {
        let detached = Detached::new(directory, "sleep");
        detached
            .start(Path::new("/bin/sleep"), &sleeper(), directory)
            .await
            .unwrap();
        detached
    }

    #[tokio::test]
    async fn it_is_found_by_its_file_and_stopped_by_it() {
        let directory = tempfile::tempdir().unwrap();
        let detached = started(directory.path()).await;
        let found = Detached::new(directory.path(), "sleep");
        let pid = found.pid().unwrap();
        assert_eq!(
            nix::unistd::getsid(Some(Pid::from_raw(pid))).unwrap().as_raw(),
            pid,
            "its own session"
        );
        found.stop(Duration::from_secs(5)).await.unwrap();
        assert_eq!(detached.pid(), None);
        assert!(!detached.has_ended(), "stopped, not ended");
        found.stop(Duration::from_secs(5)).await.unwrap();
    }

    #[tokio::test]
    async fn a_process_that_began_at_another_time_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let detached = started(directory.path()).await;
        let pid = detached.pid().unwrap();
        let text = fs::read_to_string(&detached.pid_file).unwrap();
        let start = began(&text).unwrap().to_owned();
        fs::write(&detached.pid_file, text.replace(&start, "7")).unwrap();
        assert_eq!(detached.pid(), None);
        assert!(detached.has_ended());
        detached.stop(Duration::from_secs(5)).await.unwrap();
        assert!(kill(Pid::from_raw(pid), None).is_ok(), "still there");
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }

    #[test]
    fn both_descriptions_are_understood() {
        let linux = "17 (a ) b) S 1 17 17 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4711 19 20";
        assert_eq!(began(linux), Some("4711"));
        let ps = "S    Mon Nov 23 21:45:00 2026\n";
        assert_eq!(began(ps), Some("Mon Nov 23 21:45:00 2026"));
        let zombie = linux.replace(") S", ") Z");
        assert!(has_ended(&zombie) && !has_ended(linux) && !has_ended(ps));
        let last_threads = zombie.replace("20 0 1 0 4711", "20 0 3 0 4711");
        assert!(!has_ended(&last_threads));
        assert!(has_ended(&ps.replace('S', "Z")));
    }
}
