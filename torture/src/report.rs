//! What the runs came to, as text: the table on the terminal and the document. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use crate::mix::{MIXES, Outcome};
use crate::trial::Trial;

/// The columns.
const HEAD: [&str; 11] = [
    "mix", "strikes", "events", "POSTs", "200", "503", "none", "slowest", "lost", "twice", "late",
];

/// What each mix came to, in the order they ran.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The name of each mix and what it came to.
    pub rows: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// The head of the table.
    pub fn head() -> [&'static str; 11] {
        HEAD
    }

    /// One row for each mix.
    pub fn table(&self) -> Vec<Vec<String>> {
        let row = |(name, outcome): &(&'static str, Outcome)| match outcome {
            Outcome::Skipped(_) => {
                let mut row = vec!["skipped".to_owned(); HEAD.len()];
                (*name).clone_into(&mut row[0]);
                row
            }
            Outcome::Ran(trial) => row(trial),
        };
        self.rows.iter().map(row).collect()
    }

    /// Everything that was broken, a line each, with the name of the mix.
    pub fn broken(&self) -> Vec<String> {
        let broken = self.rows.iter().flat_map(|(name, outcome)| match outcome {
            Outcome::Skipped(_) => Vec::new(),
            Outcome::Ran(trial) => {
                let violations = trial.violations();
                violations
                    .into_iter()
                    .map(|what| format!("{name}: {what}"))
                    .collect()
            }
        });
        broken.collect()
    }

    /// Every mix that could not run here, and why.
    pub fn skipped(&self) -> Vec<String> {
        let skipped = self.rows.iter().filter_map(|(name, outcome)| match outcome {
            Outcome::Skipped(why) => Some(format!("{name}: {why}")),
            Outcome::Ran(_) => None,
        });
        skipped.collect()
    }

    /// The section of the document about the mixes.
    pub fn section(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "| {} |", HEAD.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(HEAD.len()));
        for row in self.table() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text.push('\n');
        for mix in MIXES
            .iter()
            .filter(|mix| self.rows.iter().any(|row| row.0 == mix.name))
        {
            let _ = writeln!(text, "- `{}`: {}.", mix.name, mix.about);
        }
        text.push_str(&outcome(&self.broken(), "every promise, in every mix"));
        for line in self.skipped() {
            let _ = writeln!(text, "\n**Skipped**: {line}.");
        }
        for (name, outcome) in &self.rows {
            if let Outcome::Ran(trial) = outcome {
                for note in &trial.notes {
                    let _ = writeln!(text, "\n`{name}`: {note}.");
                }
            }
        }
        text
    }
}

fn row(trial: &Trial) -> Vec<String> {
    let answers = |status| trial.answers.get(&status).copied().unwrap_or(0);
    let verdict = &trial.verdict;
    let posts = trial.answers.values().sum::<usize>() + trial.unanswered;
    vec![
        trial.name.to_owned(),
        trial.strikes.to_string(),
        trial.events.to_string(),
        posts.to_string(),
        answers(200).to_string(),
        answers(503).to_string(),
        trial.unanswered.to_string(),
        shown(trial.slowest),
        (verdict.lost.len() + verdict.early.len()).to_string(),
        verdict.twice.len().to_string(),
        verdict.late.len().to_string(),
    ]
}

/// What was not kept, a line each; or that all was, in the words of `kept`.
pub fn outcome(broken: &[String], kept: &str) -> String {
    if broken.is_empty() {
        return format!("\nKept: {kept}.\n");
    }
    let mut text = String::from("\n**Not kept:**\n\n");
    for line in broken {
        let _ = writeln!(text, "- {line}");
    }
    text
}

/// A time as it is read.
pub fn shown(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lost: Vec<u64>) -> Report {
        let mut trial = Trial {
            name: "rollout",
            ..Trial::default()
        };
        trial.verdict.lost = lost;
        Report {
            rows: vec![
                ("rollout", trial.into()),
                ("disk_full", Outcome::Skipped("no root".to_owned())),
            ],
        }
    }

    #[test]
    fn every_row_has_every_column() {
        let table = report(Vec::new()).table();
        assert_eq!(table.len(), 2);
        assert!(table.iter().all(|row| row.len() == HEAD.len()));
    }

    #[test]
    fn what_is_broken_and_what_was_skipped_is_told() {
        let kept = report(Vec::new());
        assert!(kept.broken().is_empty());
        assert!(kept.section().contains("Kept: every promise"));
        assert!(kept.section().contains("**Skipped**: disk_full: no root."));
        let broken = report(vec![7]);
        assert_eq!(broken.broken().len(), 1);
        let section = broken.section();
        assert!(section.contains("**Not kept:**") && section.contains("rollout: 1 events were answered 200"));
        assert!(!section.contains("Kept: every"));
    }
}
