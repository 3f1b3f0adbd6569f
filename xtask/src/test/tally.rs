//! Reads what `cargo test` prints: which binary runs, what it came to, and how long it took. Pure.

use std::fmt;
use std::time::{Duration, Instant};

/// What one test binary (or one crate's documentation tests) came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Section {
    name: String,
    passed: u64,
    failed: u64,
    ignored: u64,
    took: Duration,
    /// Whether it said how it ended; a crash does not.
    ended: bool,
}

/// Follows the output line by line.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: Vec<Section>,
    current: Option<(Section, Instant)>,
}

/// The sum, with a row for each binary. Shown, it ends with the line `N passed, N failed`.
#[derive(Debug)]
pub(super) struct Summary {
    sections: Vec<Section>,
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Tally {
    /// Takes the next line.
    pub(super) fn line(&mut self, line: &str, now: Instant) {
        if let Some(name) = section(line) {
            self.close(now);
            let section = Section {
                name,
                ..Section::default()
            };
            self.current = Some((section, now));
        } else if let (Some([passed, failed, ignored]), Some((section, _))) =
            (result(line), &mut self.current)
        {
            section.passed += passed;
            section.failed += failed;
            section.ignored += ignored;
            section.ended = true;
        }
    }

    /// Closes the last section and adds everything up.
    pub(super) fn finish(mut self, now: Instant) -> Summary {
        self.close(now);
        Summary {
            passed: self.done.iter().map(|section| section.passed).sum(),
            failed: self.done.iter().map(|section| section.failed).sum(),
            sections: self.done,
        }
    }

    fn close(&mut self, now: Instant) {
        let Some((mut section, since)) = self.current.take() else {
            return;
        };
        section.took = now.saturating_duration_since(since);
        if !section.ended {
            // It crashed or was killed: at least the test that ran then has failed.
            section.failed += 1;
        }
        self.done.push(section);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  seconds  passed  failed  ignored  test binary")?;
        // A package without tests has a binary all the same.
        for section in self
            .sections
            .iter()
            .filter(|s| s.passed + s.failed + s.ignored > 0)
        {
            writeln!(
                f,
                "{:>9.1}{:>8}{:>8}{:>9}  {}",
                section.took.as_secs_f64(),
                section.passed,
                section.failed,
                section.ignored,
                section.name
            )?;
        }
        let took: Duration = self.sections.iter().map(|section| section.took).sum();
        writeln!(f, "{:>9.1}  in all\n", took.as_secs_f64())?;
        writeln!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The name of the binary that cargo says it runs now:
/// `     Running tests/model.rs (target/debug/deps/model-0123456789abcdef)`, or `   Doc-tests wahook_events`.
fn section(line: &str) -> Option<String> {
    if let Some(package) = line.strip_prefix("   Doc-tests ") {
        return Some(format!("{package}: documentation"));
    }
    let (source, path) = line
        .strip_prefix("     Running ")?
        .strip_suffix(')')?
        .split_once(" (")?;
    let file = path.rsplit(['/', '\\']).next()?;
    let package = file.rsplit_once('-').map_or(file, |(package, _hash)| package);
    let source = source.trim_start_matches("unittests ");
    // An integration test is named after its file; only a unit test needs its package beside it.
    Some(if source.starts_with("src/") {
        format!("{package}: {source}")
    } else {
        source.to_owned()
    })
}

/// Passed, failed and ignored of `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
fn result(line: &str) -> Option<[u64; 3]> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        counts
            .split("; ")
            .find_map(|part| part.strip_suffix(word)?.trim_end().parse().ok())
    };
    Some([count("passed")?, count("failed")?, count("ignored")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
   Compiling wahook-events v0.1.0
    Finished `test` profile [unoptimized + debuginfo] target(s) in 1.00s
     Running unittests src/lib.rs (target/debug/deps/wahook_events-0123456789abcdef)

running 2 tests
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

     Running tests/model.rs (target/debug/deps/model-0123456789abcdef)
test result: FAILED. 4 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

     Running tests/crash.rs (target/debug/deps/crash-0123456789abcdef)
running 1 test
   Doc-tests wahook_events
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";

    fn tallied(output: &str) -> Summary {
        let mut tally = Tally::default();
        let start = Instant::now();
        for (place, line) in (0_u32..).zip(output.lines()) {
            tally.line(line, start + place * Duration::from_secs(1));
        }
        tally.finish(start + Duration::from_secs(60))
    }

    #[test]
    fn results_are_summed_over_binaries_and_documentation() {
        let summary = tallied(OUTPUT);
        assert_eq!(summary.passed, 2 + 4 + 1 + 5);
        assert_eq!(summary.failed, 3 + 1, "a binary that says nothing has failed");
        let names: Vec<_> = summary
            .sections
            .iter()
            .map(|section| section.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "wahook_events: src/lib.rs",
                "tests/model.rs",
                "tests/crash.rs",
                "wahook_events: documentation"
            ]
        );
        assert_eq!(summary.sections[0].took, Duration::from_secs(5));
        assert!(
            summary.to_string().ends_with("\n12 passed, 4 failed\n"),
            "{summary}"
        );
    }

    #[test]
    fn nothing_run_is_nothing_passed() {
        assert!(
            tallied("error: could not compile")
                .to_string()
                .ends_with("\n0 passed, 0 failed\n")
        );
    }
}
