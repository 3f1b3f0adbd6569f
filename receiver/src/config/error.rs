//! What is wrong with a setting, said so that a person can repair it without reading the source.

use std::fmt;

use serde::{Serialize, Serializer};

/// One thing that is wrong with one setting or secret. It never carries the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting: a path in the configuration file (`stream.maxAge`), an environment variable or a secret's
    /// file name.
    pub setting: String,
    /// What is wrong with it, without a full stop: `has 9 characters, at least 16 are needed`.
    pub problem: String,
    /// What to do about it, without a full stop.
    pub fix: String,
}

impl Problem {
    /// Says that `setting` suffers from `fault`.
    pub(crate) fn new(setting: impl Into<String>, fault: Fault) -> Self {
        Self {
            setting: setting.into(),
            problem: fault.problem,
            fix: fault.fix,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.setting, self.problem, self.fix)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a parser found wrong, before it is known which setting the value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    problem: String,
    fix: String,
}

impl Fault {
    /// A fault and its repair, both without a full stop.
    pub(crate) fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            fix: fix.into(),
        }
    }
}

/// The configuration cannot be used. Lists every problem, one line each, so that one attempt is enough to
/// repair them all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// An error that lists `problems`.
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Every problem found, in the order of the settings.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [only] => write!(f, "the configuration cannot be used: {only}"),
            all => {
                write!(f, "the configuration cannot be used, {} problems:", all.len())?;
                all.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}
