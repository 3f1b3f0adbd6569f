//! What is wrong with a stream, in words that say the next step.

use wahook_crds::conditions::Reason;

use super::api::{Failure, Refused};
use super::connection::{INBOX_PREFIX, Unanswered};

/// Something that keeps a stream from being what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The reason of the condition.
    pub(super) reason: Reason,
    /// What is wrong and what to do.
    pub(super) text: String,
}

impl Problem {
    /// A problem.
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }

    /// How much it matters: what refuses or loses events comes before what merely differs.
    pub(super) fn rank(&self) -> usize {
        let order = [
            Reason::BrokerUnreachable,
            Reason::BrokerDenied,
            Reason::OwnedByOther,
            Reason::StreamNotFound,
            Reason::StreamUnsafe,
            Reason::StreamFull,
            Reason::StreamRefused,
        ];
        order
            .iter()
            .position(|reason| *reason == self.reason)
            .unwrap_or(order.len())
    }
}

/// What a failure to do something with `what` means.
pub(super) fn explain(doing: &str, what: &str, failure: &Failure, domain: Option<&str>) -> Problem {
    match failure {
        Failure::Unanswered(unanswered) => unanswered_problem(what, unanswered, domain),
        Failure::Refused(refused) => refused_problem(doing, what, refused),
        Failure::Unreadable => Problem::new(
            Reason::StreamUnsafe,
            format!(
                "{what} has settings that this version of the operator does not know. Remove them, or upgrade the operator"
            ),
        ),
    }
}

fn unanswered_problem(what: &str, unanswered: &Unanswered, domain: Option<&str>) -> Problem {
    match unanswered {
        Unanswered::Denied(subject) if subject.starts_with(INBOX_PREFIX) => Problem::new(
            Reason::BrokerDenied,
            format!(
                "the operator's NATS user may not subscribe to {INBOX_PREFIX}.> and hears no answer. Grant it, \
                 docs/nats-permissions.md lists all"
            ),
        ),
        Unanswered::Denied(subject) => Problem::new(
            Reason::BrokerDenied,
            format!(
                "the operator's NATS user may not publish to {subject}. Grant it, docs/nats-permissions.md lists all"
            ),
        ),
        Unanswered::Nobody => Problem::new(
            Reason::BrokerUnreachable,
            match domain {
                Some(domain) => format!(
                    "no JetStream answers in the domain {domain}. Check nats.domain, and that JetStream is on there"
                ),
                None => "no JetStream answers. Turn it on in the broker, or set nats.domain".to_owned(),
            },
        ),
        Unanswered::Silence => Problem::new(
            Reason::BrokerUnreachable,
            format!(
                "the broker is connected and does not answer about {what}. Check its health and its leaders"
            ),
        ),
        Unanswered::Lost => Problem::new(
            Reason::BrokerUnreachable,
            "the connection to the broker was lost. It is tried again by itself",
        ),
    }
}

fn refused_problem(doing: &str, what: &str, refused: &Refused) -> Problem {
    let Refused { number, words } = refused;
    let (reason, fix) = match number {
        10_008 | 10_076 => {
            let text =
                format!("JetStream is not available at the moment: {words}. Check the broker's health");
            return Problem::new(Reason::BrokerUnreachable, text);
        }
        10_039 | 10_035 => {
            let text = "JetStream is not enabled for the operator's NATS account. Enable it".to_owned();
            return Problem::new(Reason::BrokerDenied, text);
        }
        10_065 => (
            Reason::OwnedByOther,
            "Another stream stores these subjects already: remove it or narrow its subjects",
        ),
        10_005 => (
            Reason::StreamRefused,
            "The broker has too few servers with JetStream and room for as many copies: add servers, or set \
             nats.stream.replicas",
        ),
        10_074 => (
            Reason::StreamRefused,
            "More than one copy needs a cluster and this broker is a single server: set nats.stream.replicas: 1, or \
             run NATS as a cluster",
        ),
        10_002 | 10_023 | 10_028 | 10_047 | 10_122 => (
            Reason::StreamRefused,
            "Streams reserve nats.stream.maxBytes, for events and once more for large ones: lower it, or give \
             JetStream more room",
        ),
        _ => (Reason::StreamRefused, "Change what JetStream names"),
    };
    Problem::new(
        reason,
        format!("{what} could not be {doing}: {words} ({number}). {fix}"),
    )
}
