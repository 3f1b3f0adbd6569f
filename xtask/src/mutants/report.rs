//! The paper: how many changes the tests noticed, and which they did not. Pure.

use std::fmt::Write as _;

use wahook_testbed::setting::Setting;

use super::outcome::{Fate, Mutant};

/// Fewer caught, in per cent, is a failure.
pub(super) const GOAL: usize = 85;

/// What was found in one part.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) part: &'static str,
    pub(super) tests: String,
    pub(super) mutants: Vec<Mutant>,
}

impl Found {
    fn count(&self, fate: Fate) -> usize {
        self.mutants.iter().filter(|mutant| mutant.fate == fate).count()
    }

    /// How many of those that compile were caught, in per cent, rounded down.
    pub(super) fn caught(&self) -> usize {
        let (caught, missed) = (self.count(Fate::Caught), self.count(Fate::Missed));
        (caught * 100).checked_div(caught + missed).unwrap_or(0)
    }
}

/// The paper's table, which is also printed.
pub(super) fn table(found: &[Found]) -> String {
    let mut text = String::from(
        "| part | changes | caught | missed | do not compile | caught of those that do | tests |\n|---|---|---|---|---|---|---|\n",
    );
    for part in found {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} % | `{}` |",
            part.part,
            part.mutants.len(),
            part.count(Fate::Caught),
            part.count(Fate::Missed),
            part.count(Fate::Unviable),
            part.caught(),
            part.tests
        );
    }
    text
}

/// The whole paper.
pub(super) fn paper(found: &[Found], made: &Setting) -> String {
    let mut text = format!(
        "# Changes that no test notices\n\nWritten by `cargo xtask mutants`; not by hand. Commit {}, {}.\n\n\
         cargo-mutants changes the code one place at a time: a function returns something else, an operator is another one, an arm of a\n\
         match is gone. A change is caught when a test fails or does not end. The goal is {GOAL} % in each part.\n\n{}",
        made.commit,
        made.date,
        table(found)
    );
    for part in found {
        let missed: Vec<_> = part
            .mutants
            .iter()
            .filter(|mutant| mutant.fate == Fate::Missed)
            .collect();
        if missed.is_empty() {
            continue;
        }
        let _ = write!(text, "\n## Missed in {}\n\n", part.part);
        for mutant in missed {
            let _ = writeln!(text, "- `{}`", mutant.name);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_compile_counts_for_nothing() {
        let mutants = [Fate::Caught, Fate::Caught, Fate::Missed, Fate::Unviable]
            .into_iter()
            .map(|fate| Mutant {
                name: format!("src/a.rs:1:1: {fate:?}"),
                fate,
            });
        let made = Setting {
            commit: "abc".to_owned(),
            date: "2026-01-01".to_owned(),
            machine: String::new(),
        };
        let found = Found {
            part: "split",
            tests: "--lib".to_owned(),
            mutants: mutants.collect(),
        };
        assert_eq!(found.caught(), 66);
        let paper = paper(&[found], &made);
        assert!(
            paper.contains("| split | 4 | 2 | 1 | 1 | 66 % | `--lib` |"),
            "{paper}"
        );
        assert!(
            paper.contains("## Missed in split\n\n- `src/a.rs:1:1: Missed`\n"),
            "{paper}"
        );
    }
}
