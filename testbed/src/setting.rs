//! What something was measured on: for the head of a report.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

/// Commit, day and machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The commit, with the words "with changes" when there are any.
    pub commit: String,
    /// The day, in UTC.
    pub date: String,
    /// Cores and memory.
    pub machine: String,
}

impl Setting {
    /// The setting of this moment. Changes below `reports`, a path from the workspace's root, are not counted.
    pub fn of(workspace: &Path, reports: &str) -> Self {
        let git = |words: &[&str]| {
            let output = Command::new("git").args(words).current_dir(workspace).output();
            let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
            text.unwrap_or_default()
        };
        let mut commit = git(&["rev-parse", "--short=12", "HEAD"]);
        if !git(&["status", "--porcelain", "--", ".", &format!(":!{reports}")]).is_empty() {
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
