//! What a process and its children cost, by the kernel's own account. Linux.

use std::fs;
use std::time::Duration;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// A process could not be measured: most likely it has ended.
#[derive(Debug, thiserror::Error)]
#[error("cannot measure process {pid}: {reason}")]
pub struct MeasureError {
    pid: u32,
    reason: String,
}

impl MeasureError {
    fn of(pid: u32, reason: &dyn ToString) -> Self {
        Self {
            pid,
            reason: reason.to_string(),
        }
    }
}

/// A process and everything below it, the root first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(Vec<u32>);

/// The memory of a tree, in KiB. Pages that processes share count for each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub now: u64,
    /// Resident at most, since each process began.
    pub peak: u64,
}

impl Tree {
    /// The process `root` and its descendants of this moment.
    pub fn of(root: u32) -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
        let mut tree = vec![root];
        let mut at = 0;
        while let Some(above) = tree.get(at).copied() {
            tree.extend(
                parents
                    .iter()
                    .filter(|(_, parent)| *parent == above)
                    .map(|(pid, _)| *pid),
            );
            at += 1;
        }
        Self(tree)
    }

    /// The process ids, the root first.
    pub fn pids(&self) -> &[u32] {
        &self.0
    }

    /// The processor time used so far, user and system, of all threads there ever were.
    ///
    /// # Errors
    /// [`MeasureError`] when one of the processes has ended.
    pub fn cpu(&self) -> Result<Duration, MeasureError> {
        self.0.iter().map(|pid| cpu(*pid)).sum()
    }

    /// The memory.
    ///
    /// # Errors
    /// [`MeasureError`] when one of the processes has ended.
    pub fn memory(&self) -> Result<Memory, MeasureError> {
        let mut memory = Memory::default();
        for pid in &self.0 {
            let path = format!("/proc/{pid}/status");
            let status = fs::read_to_string(path).map_err(|error| MeasureError::of(*pid, &error))?;
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
                    .ok_or_else(|| MeasureError::of(*pid, &format!("there is no {name}")))
            };
            memory.now += field("VmRSS:")?;
            memory.peak += field("VmHWM:")?;
        }
        Ok(memory)
    }
}

/// The processor time of this program, which makes the load.
///
/// # Errors
/// [`MeasureError`] where there is no such clock.
pub fn own_cpu() -> Result<Duration, MeasureError> {
    cpu(std::process::id())
}

/// The clock of a process: nanoseconds, not the ticks of 10 ms of `/proc/PID/stat`.
fn cpu(pid: u32) -> Result<Duration, MeasureError> {
    let number = i32::try_from(pid).map_err(|error| MeasureError::of(pid, &error))?;
    let clock = clock_getcpuclockid(Pid::from_raw(number)).map_err(|error| MeasureError::of(pid, &error))?;
    let time = clock_gettime(clock).map_err(|error| MeasureError::of(pid, &error))?;
    Ok(time.into())
}

/// The parent's id (proc(5): the second field after the name in parentheses).
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// The processor time that everything on this machine has used so far, all cores together, in ticks of 10 ms.
pub fn machine_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; guest time is part of user time.
    let busy: u64 = fields.iter().take(8).sum::<u64>() - fields.iter().skip(3).take(2).sum::<u64>();
    Duration::from_millis(busy * 10)
}

/// The load average of the last minute.
pub fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn children_belong_to_the_tree_and_their_time_counts() {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "sh -c 'while :; do :; done' & wait"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        let tree = loop {
            let tree = Tree::of(shell.id());
            if tree.pids().len() == 2 {
                break tree;
            }
            assert!(std::time::Instant::now() < deadline, "the child does not show");
        };
        let before = tree.cpu().unwrap();
        while tree.cpu().unwrap() < before + Duration::from_millis(20) {
            assert!(
                std::time::Instant::now() < deadline,
                "the child's time does not count"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        let memory = tree.memory().unwrap();
        assert!(memory.now > 0 && memory.peak >= memory.now);
        let child = i32::try_from(tree.pids()[1]).unwrap();
        nix::sys::signal::kill(Pid::from_raw(child), nix::sys::signal::Signal::SIGKILL).unwrap();
        shell.wait().unwrap();
        assert!(tree.cpu().is_err(), "what has ended is not measured");
    }

    #[test]
    fn the_machine_has_worked() {
        assert!(machine_cpu() > Duration::ZERO);
    }
}
