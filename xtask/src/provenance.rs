//! What a report was made from and on.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use crate::workspace::Workspace;

/// The commit, the day and the machine of a report.
#[derive(Debug)]
pub(crate) struct Provenance {
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) machine: String,
}

impl Provenance {
    /// As they are now. Ask before anything is built: what is changed meanwhile is not what was measured.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        let git = |words: &[&str]| {
            let output = Command::new("git")
                .args(words)
                .current_dir(workspace.file(""))
                .output();
            let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
            text.unwrap_or_default()
        };
        let mut commit = git(&["rev-parse", "--short=12", "HEAD"]);
        if !git(&["status", "--porcelain", "--", ".", ":!docs/reports"]).is_empty() {
            commit.push_str(" with changes");
        }
        let cores = available_parallelism().map_or(0, std::num::NonZero::get);
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory = memory.lines().find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        });
        Self {
            commit,
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            machine: format!(
                "{cores} cores ({}), {:.0} GiB of memory",
                std::env::consts::ARCH,
                memory.unwrap_or_default() / f64::from(1 << 20)
            ),
        }
    }
}
