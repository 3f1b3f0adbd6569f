//! Collects refusals while a resource is read, so that one look reports all of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use wahook_crds::conditions::{ConditionType, Reason};

use super::model::Refusal;
use crate::amount;

/// Reads fields one by one. A bad one is noted and something harmless stands in for it: the result is thrown
/// away then.
#[derive(Debug, Default)]
pub(super) struct Check {
    refusals: Vec<Refusal>,
}

impl Check {
    /// Notes that the resource cannot be followed.
    pub(super) fn invalid(&mut self, message: impl Into<String>) {
        self.refuse(ConditionType::Stalled, Reason::InvalidSpec, message);
    }

    /// Notes a problem that a condition of its own shows.
    pub(super) fn refuse(&mut self, condition: ConditionType, reason: Reason, message: impl Into<String>) {
        self.refusals.push(Refusal {
            condition,
            reason,
            message: message.into(),
        });
    }

    /// A length of time within bounds.
    pub(super) fn duration(
        &mut self,
        field: &str,
        text: &wahook_crds::Duration,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        text.to_std()
            .ok()
            .filter(|value| bounds.contains(value))
            .unwrap_or_else(|| {
                self.invalid(format!(
                    "{field} must be a length of time from {} to {}, written like 250ms, 10s or 1h30m",
                    amount::duration(*bounds.start()),
                    amount::duration(*bounds.end()),
                ));
                *bounds.start()
            })
    }

    /// A size within bounds.
    pub(super) fn size(&mut self, field: &str, text: &wahook_crds::Size, bounds: RangeInclusive<i64>) -> i64 {
        text.to_bytes()
            .ok()
            .filter(|value| bounds.contains(value))
            .unwrap_or_else(|| {
                self.invalid(format!(
                    "{field} must be a size from {} to {}, written like 512Ki, 64Mi or 2Gi",
                    amount::size(*bounds.start()),
                    amount::size(*bounds.end()),
                ));
                *bounds.start()
            })
    }

    /// A number within bounds.
    pub(super) fn number(&mut self, field: &str, value: i32, bounds: RangeInclusive<i32>) -> i32 {
        if !bounds.contains(&value) {
            self.invalid(format!(
                "{field} must be a number from {} to {}",
                bounds.start(),
                bounds.end()
            ));
        }
        value
    }

    /// `value`, unless a problem was noted.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Refusal>> {
        if self.refusals.is_empty() {
            Ok(value)
        } else {
            Err(self.refusals)
        }
    }
}
