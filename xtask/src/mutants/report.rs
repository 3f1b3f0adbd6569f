//! The paper: how many changes the tests noticed, and which they did not. Pure.

use std::fmt::Write as _;

use super::outcome::{Fate, Mutant};

/// Fewer caught, in per cent, is a failure.
pub(super) const GOAL: usize = 85;

pub(super) const TITLE: &str = "\
# Changes that no test notices

Written by `cargo xtask mutants`, a section for each part of the code; not by hand.

cargo-mutants changes the code one place at a time: a function returns something else, an operator is another one, an arm of a
match is gone. A change is caught when a test fails or does not end. The goal is 85 % of those that compile, in each part.
";

/// What was found in one part.
#[derive(Debug)]
pub(super) struct Found {
    /// The command that was to notice.
    pub(super) tests: String,
    pub(super) mutants: Vec<Mutant>,
}

impl Found {
    fn of(&self, fate: Fate) -> impl Iterator<Item = &Mutant> {
        self.mutants.iter().filter(move |mutant| mutant.fate == fate)
    }

    /// How many of those that compile were caught, in per cent, rounded down.
    pub(super) fn caught(&self) -> usize {
        let (caught, missed) = (self.of(Fate::Caught).count(), self.of(Fate::Missed).count());
        (caught * 100).checked_div(caught + missed).unwrap_or(0)
    }

    /// The part's section, which is also printed.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "**{} %** caught: of {} changes {} were caught, {} were missed, and {} do not compile.\n",
            self.caught(),
            self.mutants.len(),
            self.of(Fate::Caught).count(),
            self.of(Fate::Missed).count(),
            self.of(Fate::Unviable).count(),
        );
        let mut missed = self.of(Fate::Missed).peekable();
        if missed.peek().is_some() {
            text.push_str("\nMissed:\n\n");
        }
        for mutant in missed {
            // Writing to a string does not fail.
            let _ = writeln!(text, "- `{}`", mutant.name);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(fates: &[Fate]) -> Found {
        let mutants = fates.iter().map(|&fate| Mutant {
            name: format!("src/a.rs:1:1: {fate:?}"),
            fate,
        });
        Found {
            tests: "--lib".to_owned(),
            mutants: mutants.collect(),
        }
    }

    #[test]
    fn what_does_not_compile_counts_for_nothing() {
        let some = found(&[Fate::Caught, Fate::Caught, Fate::Missed, Fate::Unviable]);
        assert_eq!(some.caught(), 66);
        assert_eq!(
            some.text(),
            "**66 %** caught: of 4 changes 2 were caught, 1 were missed, and 1 do not compile.\n\n\
             Missed:\n\n- `src/a.rs:1:1: Missed`\n"
        );
        assert_eq!(found(&[Fate::Unviable]).caught(), 0);
        assert!(!found(&[Fate::Caught]).text().contains("Missed:"));
    }

    #[test]
    fn the_title_names_the_goal() {
        assert!(TITLE.contains(&format!("The goal is {GOAL} %")));
    }
}
