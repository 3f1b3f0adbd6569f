//! What is said about one condition, and how a list of conditions is kept.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use wahook_crds::conditions::{ConditionType, Reason};

use crate::api_error::shorten;

/// The API server refuses a longer message.
const LONGEST_MESSAGE: usize = 32_768;

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody knows yet.
    Unknown,
}

impl Truth {
    /// The word of the status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// What is said about one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it holds.
    pub truth: Truth,
    /// Why, in one word.
    pub reason: Reason,
    /// Why, and what to do about it.
    pub message: String,
}

impl Finding {
    /// It holds.
    pub fn good(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::True, reason, message)
    }

    /// It does not hold.
    pub fn bad(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::False, reason, message)
    }

    /// Nobody knows yet.
    pub fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::Unknown, reason, message)
    }

    /// Any of them.
    pub fn new(truth: Truth, reason: Reason, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            truth,
            reason,
            message,
        }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.truth == Truth::True
    }
}

/// The condition as the status spells it. The time of the last transition moves only with the truth.
pub(super) fn condition(
    kind: ConditionType,
    finding: &Finding,
    generation: i64,
    before: &[Condition],
    now: &Time,
) -> Condition {
    let previous = find(before, kind);
    let status = finding.truth.as_str();
    let since = previous
        .filter(|previous| previous.status == status)
        .map_or_else(|| now.clone(), |previous| previous.last_transition_time.clone());
    Condition {
        type_: kind.as_str().to_owned(),
        status: status.to_owned(),
        reason: finding.reason.as_str().to_owned(),
        message: shorten(&finding.message, LONGEST_MESSAGE),
        observed_generation: Some(generation),
        last_transition_time: since,
    }
}

/// The condition of this type.
pub fn find(conditions: &[Condition], kind: ConditionType) -> Option<&Condition> {
    conditions
        .iter()
        .find(|condition| condition.type_ == kind.as_str())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn the_transition_time_moves_only_with_the_truth() {
        let make = |finding: &Finding, before: &[Condition], second| {
            condition(ConditionType::StreamReady, finding, 1, before, &at(second))
        };
        let first = make(&Finding::unknown(Reason::Pending, ""), &[], 1);
        assert_eq!(first.last_transition_time, at(1));
        let down = make(&Finding::bad(Reason::BrokerUnreachable, "a"), &[first], 2);
        assert_eq!(down.last_transition_time, at(2));
        let denied = make(
            &Finding::bad(Reason::BrokerDenied, "b"),
            std::slice::from_ref(&down),
            3,
        );
        assert_eq!(
            (denied.last_transition_time, denied.reason.as_str()),
            (at(2), "BrokerDenied")
        );
        let up = make(&Finding::good(Reason::StreamFound, ""), &[down], 4);
        assert_eq!(up.last_transition_time, at(4));
    }
}
