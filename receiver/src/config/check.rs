//! Collects problems while settings are read, so that one start reports all of them.

use super::error::{ConfigError, Fault, Problem};
use super::scalar::Raw;

/// Reads settings one by one. A bad one leaves its default in place, is noted, and the reading goes on.
#[derive(Debug, Default)]
pub(super) struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    /// Notes a problem.
    pub(super) fn refuse(&mut self, setting: impl Into<String>, fault: Fault) {
        self.problems.push(Problem::new(setting, fault));
    }

    /// Notes problems found elsewhere.
    pub(super) fn extend(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
    }

    /// The checked value of one setting, or `default` when it is absent or bad.
    pub(super) fn read<T>(
        &mut self,
        setting: &str,
        raw: Option<Raw>,
        default: T,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> T {
        self.read_optional(setting, raw, parse).unwrap_or(default)
    }

    /// The checked value of one setting that has no default.
    pub(super) fn read_optional<T>(
        &mut self,
        setting: &str,
        raw: Option<Raw>,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let parsed = match raw? {
            Raw::Scalar(text) => parse(&text),
            Raw::List(_) => Err(Fault::new("is a list", "Write a single value")),
            Raw::Mapping => Err(Fault::new("is a mapping", "Write a single value")),
        };
        parsed.map_err(|fault| self.refuse(setting, fault)).ok()
    }

    /// The checked items of a list, `None` when the setting is absent. A bad item is noted as
    /// `setting[index]`.
    pub(super) fn read_list<T>(
        &mut self,
        setting: &str,
        raw: Option<Raw>,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Vec<T>> {
        let Raw::List(items) = raw? else {
            self.refuse(
                setting,
                Fault::new("is not a list", "Write a list: [first, second]"),
            );
            return None;
        };
        let items = items.into_iter().enumerate();
        Some(
            items
                .filter_map(|(i, item)| self.read_optional(&format!("{setting}[{i}]"), Some(item), &parse))
                .collect(),
        )
    }

    /// Whether none of these settings, nor an item of them, has a problem of its own, so that a rule between
    /// them may be checked.
    pub(super) fn is_clean(&self, settings: &[&str]) -> bool {
        let whole = |problem: &Problem| {
            problem
                .setting
                .split('[')
                .next()
                .is_some_and(|name| settings.contains(&name))
        };
        !self.problems.iter().any(whole)
    }

    /// `value`, unless a problem was noted.
    pub(super) fn finish<T>(self, value: T) -> Result<T, ConfigError> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(ConfigError::new(self.problems))
        }
    }
}
