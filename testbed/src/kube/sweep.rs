//! Ends what the node's processes leave behind: containers, mounts, control groups, links to logs.
//!
//! containerd and the kubelet leave containers running when they end, which is right for a restart and wrong for the
//! end. Everything is recognised as the node's own: a shim by the containerd it answers to, a mount by its path.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::command::run;
use super::error::KubeError;
use super::host::Host;
use super::network::STATE;
use super::worker::containerd_socket;

/// How long containers may take to end by themselves.
const GRACE: Duration = Duration::from_secs(5);
/// How long after SIGKILL something may still be there.
const KILL_LIMIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Where the kubelet links the logs of containers, whatever it is told.
const LOG_LINKS: &str = "/var/log/containers";
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";
/// The kubelet's control group.
const PODS_GROUP: &str = "kubepods";

/// Ends every container of the node. containerd and the kubelet must have ended, or they would start new ones.
pub(crate) async fn containers() -> Result<(), KubeError> {
    for (signal, limit) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, KILL_LIMIT)] {
        let inside: Vec<i32> = shims().into_iter().flat_map(children).collect();
        send(&inside, signal)?;
        if gone(&inside, limit).await {
            break;
        }
    }
    // With nothing inside, a shim has nothing to end in order.
    let shims = shims();
    send(&shims, Signal::SIGKILL)?;
    if gone(&shims, KILL_LIMIT).await {
        return Ok(());
    }
    let left = shims.into_iter().find(|pid| is_there(*pid)).unwrap_or_default();
    Err(KubeError::StillRuns {
        part: "the process of a container".to_owned(),
        pid: left,
        waited: KILL_LIMIT,
    })
}

/// Takes away what no process holds any more: below `directory`, and what the node of this machine shares where that is
/// this one. Does nothing where there is nothing.
pub(crate) async fn traces(host: &Host, directory: &Path, with_shared: bool) -> Result<(), KubeError> {
    let mut below = vec![directory];
    below.extend(with_shared.then_some(Path::new(STATE)));
    for path in mounts_below(&below)? {
        run(&host.umount, &["--lazy".as_ref(), path.as_os_str()]).await?;
    }
    if with_shared {
        control_groups();
    }
    log_links(directory).map_err(KubeError::io(format!("tidy {LOG_LINKS}")))
}

/// The processes that hold the node's containers, one or more for each pod.
fn shims() -> Vec<i32> {
    let socket = containerd_socket();
    processes()
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words
                .windows(2)
                .any(|pair| pair[0] == b"-address" && pair[1] == socket.as_os_str().as_encoded_bytes())
        })
        .collect()
}

fn children(parent: i32) -> Vec<i32> {
    let parent = parent.to_string();
    processes()
        .filter(|pid| stat(*pid).is_some_and(|fields| fields.get(1) == Some(&parent)))
        .collect()
}

fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The fields behind the name, which may hold spaces: state, parent, ... (proc(5)).
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// A process that has ended and waits for its parent holds nothing.
fn is_there(pid: i32) -> bool {
    stat(pid).is_some_and(|fields| fields.first().is_some_and(|state| state != "Z" && state != "X"))
}

fn send(pids: &[i32], signal: Signal) -> Result<(), KubeError> {
    for pid in pids {
        match kill(Pid::from_raw(*pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(KubeError::io("end a container")(error.into())),
        }
    }
    Ok(())
}

async fn gone(pids: &[i32], limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while pids.iter().any(|pid| is_there(*pid)) {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}

/// What is mounted below the directories, the last one first.
fn mounts_below(directories: &[&Path]) -> Result<Vec<PathBuf>, KubeError> {
    let table = fs::read_to_string("/proc/self/mounts").map_err(KubeError::io("read the mounts"))?;
    let mut mounts: Vec<PathBuf> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .map(unescaped)
        .filter(|path| directories.iter().any(|directory| path.starts_with(directory)))
        .collect();
    mounts.reverse();
    Ok(mounts)
}

/// Spaces and the like are written as three octal digits (fstab(5)).
fn unescaped(path: &str) -> PathBuf {
    let mut text = path.to_owned();
    for (escaped, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(escaped, character);
    }
    text.into()
}

/// Removes the pods' groups, in every hierarchy there is. A group that someone is in stays.
fn control_groups() {
    let root = Path::new(CONTROL_GROUPS);
    let hierarchies = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    for hierarchy in hierarchies.chain([root.to_owned()]) {
        remove_groups(&hierarchy.join(PODS_GROUP));
    }
}

fn remove_groups(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    // Refused while a process is in it, which is then not ours.
    let _ = fs::remove_dir(group);
}

/// Removes the links to logs below `directory`, and the directory of links if they were the only ones.
fn log_links(directory: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(LOG_LINKS) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if fs::read_link(&path).is_ok_and(|target| target.starts_with(directory)) {
            fs::remove_file(&path)?;
        }
    }
    // Refused while something of others is in it.
    let _ = fs::remove_dir(LOG_LINKS);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_mounts_are_read_as_they_are() {
        assert_eq!(
            unescaped("/a\\040b/c\\134d"),
            Path::new("/a b/c\\d"),
            "a space and a backslash"
        );
    }

    #[test]
    fn children_are_found() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(children(own).contains(&pid) && is_there(pid));
        child.kill().unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while is_there(pid) && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(!is_there(pid), "ended, though nobody fetched it");
        child.wait().unwrap();
    }
}
