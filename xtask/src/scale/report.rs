//! The figures of a run: the table on the terminal, and the paper.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;

use super::operator::Cost;
use super::requests::{Count, told};
use super::streams::Changes;
use crate::workspace::Workspace;

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) resources: usize,
    pub(super) namespaces: usize,
    pub(super) children: usize,
    /// Seconds until all was applied, observed with every child there, ready.
    pub(super) applied: f64,
    pub(super) converged: f64,
    pub(super) ready: f64,
    /// Until the operator wrote nothing more.
    pub(super) work: Count,
    pub(super) work_cost: Cost,
    pub(super) work_looks: u64,
    pub(super) streams: Changes,
    /// The quiet time.
    pub(super) quiet_seconds: u64,
    pub(super) quiet: Count,
    pub(super) quiet_looks: u64,
    pub(super) quiet_cpu: f64,
    pub(super) quiet_cost: Cost,
    pub(super) quiet_streams: Changes,
    /// The start over what has converged.
    pub(super) again_seconds: f64,
    pub(super) again: Count,
    pub(super) again_cost: Cost,
    pub(super) again_memory: f64,
    pub(super) again_streams: Changes,
}

/// What it was measured on.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) profile: &'static str,
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) machine: String,
}

impl Setting {
    pub(crate) fn of(workspace: &Workspace, profile: &'static str) -> Self {
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
            profile,
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

impl Figures {
    /// The rows: what, how much.
    fn rows(&self) -> Vec<(String, String)> {
        let each = |number: usize| per(number, self.resources);
        let quiet = format!("{} quiet seconds", self.quiet_seconds);
        let work = &self.work;
        let work_looks = self.work_looks.to_string();
        let rows = [
            ("applied", format!("{:.1} s", self.applied)),
            (
                "every generation observed, every child there",
                format!("{:.1} s", self.converged),
            ),
            ("every webhook ready", format!("{:.1} s", self.ready)),
            (
                "requests for it",
                format!(
                    "{} reads, {} writes, {} watches: {:.1} reads and {:.1} writes for a resource",
                    work.reads,
                    work.written(),
                    work.watches,
                    each(work.reads),
                    each(work.written())
                ),
            ),
            ("looks for it", work_looks),
            (
                "processor for it",
                format!(
                    "{:.1} s, {:.1} ms for a resource",
                    self.work_cost.cpu,
                    self.work_cost.cpu * 1000.0 / count(self.resources)
                ),
            ),
            ("changes of streams for it", told(&self.streams)),
            (
                &quiet,
                format!(
                    "{} writes; changes of streams: {}",
                    self.quiet.written(),
                    told(&self.quiet_streams)
                ),
            ),
            (
                "looks and reads in them",
                format!("{} looks, {} reads", self.quiet_looks, self.quiet.reads),
            ),
            ("renewals of the Lease in them", self.quiet.lease.to_string()),
            ("processor in them", format!("{:.2} s", self.quiet_cpu)),
            (
                "memory",
                format!(
                    "{:.0} MiB at most, {:.0} MiB at rest",
                    self.quiet_cost.peak, self.quiet_cost.memory
                ),
            ),
            (
                "started again: until all were looked at",
                format!("{:.1} s", self.again_seconds),
            ),
            (
                "started again: writes",
                format!(
                    "{}; changes of streams: {}",
                    self.again.written(),
                    told(&self.again_streams)
                ),
            ),
            (
                "started again: reads",
                format!(
                    "{}: {:.1} for a resource",
                    self.again.reads,
                    each(self.again.reads)
                ),
            ),
            (
                "started again: processor, memory",
                format!(
                    "{:.1} s, {:.0} MiB at most, {:.0} MiB at rest",
                    self.again_cost.cpu, self.again_cost.peak, self.again_memory
                ),
            ),
        ];
        rows.into_iter()
            .map(|(what, came)| (what.to_owned(), came))
            .collect()
    }

    /// For the terminal.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_style(UTF8_BORDERS_ONLY)
            .set_header([format!("{} webhooks", self.resources), "came to".to_owned()]);
        for (what, came) in self.rows() {
            table.add_row([what, came]);
        }
        table
    }

    /// For the repository.
    pub(super) fn paper(&self, setting: &Setting) -> String {
        let mut text = format!(
            "# Many webhooks, one operator\n\n\
             Written by `cargo xtask scale`; not by hand. Figures of one run on one machine, no promise.\n\n\
             | | |\n|---|---|\n\
             | commit | {} |\n| date | {} |\n| machine | {} |\n| operator | {} build, its defaults, leader election on |\n\
             | webhooks | {} in {} namespaces, each with {} children and a managed stream |\n\n\
             A real control plane (etcd, API server, controllers) and a real NATS server run on the same cores, and so do the stand-ins\n\
             for a kubelet, an ingress controller and cert-manager, which agree to everything. How soon all webhooks are ready is up to\n\
             Kubernetes' controllers, which limit themselves to 20 requests a second each. A look is one pass over one webhook: every\n\
             change of a child leads to one. Requests are counted in the API server's audit log, changes of streams as JetStream tells\n\
             of them. Times begin with the first webhook.\n\n\
             | | |\n|---|---|\n",
            setting.commit,
            setting.date,
            setting.machine,
            setting.profile,
            self.resources,
            self.namespaces,
            self.children,
        );
        for (what, came) in self.rows() {
            let _ = writeln!(text, "| {what} | {came} |");
        }
        let _ = write!(
            text,
            "\nThe writes while it worked:\n\n{}\nKept: everything converged, and neither in the quiet time nor after a new start \
             anything was written but the Lease.\n",
            list(&self.work.writes)
        );
        text
    }
}

fn list(counts: &BTreeMap<String, usize>) -> String {
    let lines = counts.iter().map(|(what, number)| format!("- {number} {what}\n"));
    lines.collect()
}

fn per(number: usize, resources: usize) -> f64 {
    count(number) / count(resources)
}

/// Counts of a run are far below what a float holds exactly.
#[allow(clippy::cast_precision_loss)]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_says_what_was_measured_where() {
        let mut figures = Figures {
            resources: 20,
            ..Figures::default()
        };
        figures.work.reads = 400;
        figures.work.writes.insert("create secrets".to_owned(), 20);
        let paper = figures.paper(&Setting {
            profile: "release",
            commit: "0123456789ab".to_owned(),
            date: "2026-11-24".to_owned(),
            machine: "2 cores".to_owned(),
        });
        for part in [
            "| commit | 0123456789ab |",
            "400 reads, 20 writes",
            "20.0 reads and 1.0 writes for a resource",
            "- 20 create secrets",
        ] {
            assert!(paper.contains(part), "{part}\n{paper}");
        }
    }
}
