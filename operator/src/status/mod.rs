//! From what was found and done to the resource's status. Pure.
//!
//! ```text
//! secrets  stream  receiver  route        one finding each, then Ready, Reconciling and Stalled from these
//! ```

mod endpoint;
mod finding;
mod receiver;
mod receiving;
mod route;
mod secrets;
mod transitions;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_crds::{StreamStatus, WhatsAppWebhook, WhatsAppWebhookStatus};

pub use finding::{Finding, Truth, find};
pub use transitions::{Transition, transitions};

use crate::apply::{Applied, Outcome as ChildOutcome};
use crate::child::ChildKind;
use crate::hosts::Claim;
use crate::jetstream::StreamReport;
use crate::observe::Observed;
use crate::probe::Outcome;
use crate::receivers::Seen;
use crate::settings::{SecretAccess, Settings};
use crate::validate::{Refusal, Validated};

/// What a status is concluded from, when the resource can be followed.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The resource, as the API server has it.
    pub resource: &'a WhatsAppWebhook,
    /// What it says.
    pub validated: &'a Validated,
    /// What was found.
    pub observed: &'a Observed,
    /// What was done.
    pub applied: &'a Applied,
    /// How the stream is.
    pub stream: &'a StreamReport,
    /// What the receivers have seen, once they were asked.
    pub seen: Option<&'a Seen>,
    /// What a look at the public URL came to.
    pub endpoint: Option<&'a Outcome>,
    /// Who holds the host.
    pub claim: &'a Claim,
    /// The operator's settings.
    pub settings: &'a Settings,
    /// The time.
    pub now: Time,
}

/// The status of a resource that can be followed.
pub fn conclude(facts: &Facts<'_>) -> WhatsAppWebhookStatus {
    let receiver = receiver::finding(facts);
    let findings = [
        (
            ConditionType::SecretsReady,
            secrets::finding(facts, receiver.holds()),
        ),
        (ConditionType::StreamReady, stream(facts, receiver.holds())),
        (ConditionType::ReceiverReady, receiver),
        (ConditionType::RouteReady, route::finding(facts)),
    ];
    let suspended = facts.validated.spec.suspend;
    let ready = ready(&findings, suspended);
    let stalled = stalled(&findings, suspended);
    let reconciling = if stalled.holds() {
        Finding::bad(stalled.reason, "Nothing more is done: see Stalled.")
    } else {
        reconciling(&ready, suspended, &missing_kinds(facts.applied))
    };
    let all = [(ConditionType::Ready, ready)]
        .into_iter()
        .chain(findings)
        .chain([
            (ConditionType::EndpointReady, endpoint::finding(facts)),
            (ConditionType::Receiving, receiving::finding(facts)),
            (ConditionType::Reconciling, reconciling),
            (ConditionType::Stalled, stalled),
        ]);

    let before = facts.resource.status.clone().unwrap_or_default();
    let generation = facts.validated.generation;
    let deployment = facts
        .applied
        .children
        .get(&ChildKind::Deployment)
        .and_then(ChildOutcome::live);
    WhatsAppWebhookStatus {
        conditions: all
            .map(|(kind, finding)| {
                finding::condition(kind, &finding, generation, &before.conditions, &facts.now)
            })
            .collect(),
        observed_generation: Some(generation),
        callback_url: facts.claim.is_held().then(|| facts.validated.route.url()),
        verify_token_secret: Some(facts.validated.verify_token.clone()),
        stream: Some(StreamStatus {
            name: facts.validated.stream.spec.name.clone(),
            subjects: vec![facts.validated.stream.spec.subjects.clone()],
            subject_prefix: Some(facts.validated.stream.subject_prefix().to_owned()),
            servers: facts.validated.nats.servers.clone(),
            config_map: Some(ChildKind::Events.name(&facts.validated.name)),
        }),
        replicas: deployment.map(|object| receiver::number(object, "replicas")),
        ready_replicas: deployment.map(|object| receiver::number(object, "readyReplicas")),
        selector: deployment.and_then(receiver::selector),
        secret_generation: facts
            .seen
            .and_then(|seen| seen.generation)
            .or(before.secret_generation),
        certificate: route::certificate(facts),
    }
}

/// The status of a resource that cannot be followed: what it was, and why nothing happens.
pub fn refuse(
    generation: i64,
    before: &WhatsAppWebhookStatus,
    refusals: &[Refusal],
    now: &Time,
) -> WhatsAppWebhookStatus {
    let mut status = before.clone();
    let before = std::mem::take(&mut status.conditions);
    let message = |of: Option<ConditionType>| {
        let messages: Vec<&str> = refusals
            .iter()
            .filter(|refusal| of.is_none_or(|kind| refusal.condition == kind))
            .map(|refusal| refusal.message.as_str())
            .collect();
        messages.join("; ")
    };
    let first = refusals
        .first()
        .map_or(Reason::InvalidSpec, |refusal| refusal.reason);
    let conditions = ConditionType::ALL.iter().filter_map(|kind| {
        let refusal = refusals.iter().find(|refusal| refusal.condition == *kind);
        let finding = match (kind, refusal) {
            (ConditionType::Stalled, _) => Finding::good(Reason::InvalidSpec, message(None)),
            (ConditionType::Ready, _) => Finding::bad(first, message(None)),
            (ConditionType::Reconciling, _) => {
                Finding::bad(Reason::InvalidSpec, "Nothing is done: see Stalled.")
            }
            (_, Some(refusal)) => Finding::bad(refusal.reason, message(Some(*kind))),
            // What was said about the last good resource still holds, and names its generation.
            (_, None) if find(&before, *kind).is_some() => return find(&before, *kind).cloned(),
            (_, None) => pending("The resource cannot be followed as it is written: see Stalled."),
        };
        Some(finding::condition(*kind, &finding, generation, &before, now))
    });
    status.conditions = conditions.collect();
    status.observed_generation = Some(generation);
    status
}

/// The first status: every condition is there and none is known yet.
pub fn begin(generation: i64, now: &Time) -> WhatsAppWebhookStatus {
    let conditions = ConditionType::ALL.iter().map(|kind| {
        let finding = match kind {
            ConditionType::Reconciling => Finding::good(Reason::Progressing, "The resource was just seen."),
            ConditionType::Stalled => {
                Finding::bad(Reason::UpToDate, "Nothing is known against the resource.")
            }
            _ => pending("Not looked at yet."),
        };
        finding::condition(*kind, &finding, generation, &[], now)
    });
    WhatsAppWebhookStatus {
        conditions: conditions.collect(),
        ..WhatsAppWebhookStatus::default()
    }
}

fn pending(message: &str) -> Finding {
    Finding::unknown(Reason::Pending, message)
}

fn stream(facts: &Facts<'_>, receivers_ready: bool) -> Finding {
    let report = facts.stream;
    let truth = match (report.ok, report.reason) {
        // A receiver is ready only with a stream that keeps its promises.
        (_, Reason::CheckedByReceivers) if receivers_ready => Truth::True,
        (_, Reason::CheckedByReceivers | Reason::Pending) => Truth::Unknown,
        (true, _) => Truth::True,
        (false, _) => Truth::False,
    };
    Finding::new(truth, report.reason, report.message.clone())
}

fn ready(findings: &[(ConditionType, Finding); 4], suspended: bool) -> Finding {
    if suspended {
        return Finding::bad(
            Reason::Suspended,
            "The webhook is suspended: no receiver runs. Meta repeats what it cannot deliver for up to seven days.",
        );
    }
    // What is wrong goes before what is not known.
    let bad = findings.iter().find(|(_, finding)| finding.truth == Truth::False);
    let unknown = findings
        .iter()
        .find(|(_, finding)| finding.truth == Truth::Unknown);
    match bad.or(unknown) {
        Some((kind, finding)) => Finding::new(
            finding.truth,
            finding.reason,
            format!("{kind}: {}", finding.message),
        ),
        None => Finding::good(
            Reason::AllReady,
            "Secrets, stream, receivers and route are ready.",
        ),
    }
}

fn reconciling(ready: &Finding, suspended: bool, missing: &[String]) -> Finding {
    if ready.holds() || suspended {
        let without = if missing.is_empty() {
            String::new()
        } else {
            format!(
                " The cluster has no {}, so there is none.",
                missing.join(" and no ")
            )
        };
        return Finding::bad(
            Reason::UpToDate,
            format!("The cluster is what the resource says.{without}"),
        );
    }
    Finding::good(Reason::Progressing, ready.message.clone())
}

/// Whatever does not come right by waiting.
const STALLED: [Reason; 7] = [
    Reason::NameConflict,
    Reason::StreamImmutable,
    Reason::OwnedByOther,
    Reason::RouteRefused,
    Reason::HostConflict,
    Reason::KindNotInstalled,
    Reason::TLSNotConfigured,
];

fn stalled(findings: &[(ConditionType, Finding); 4], suspended: bool) -> Finding {
    let blocked = findings
        .iter()
        .find(|(_, finding)| finding.truth == Truth::False && STALLED.contains(&finding.reason));
    match blocked {
        Some((kind, finding)) if !suspended => {
            Finding::good(finding.reason, format!("{kind}: {}", finding.message))
        }
        _ => Finding::bad(Reason::UpToDate, "The resource can be followed as it is written."),
    }
}

/// The kinds of children that are left out because the cluster does not have them.
fn missing_kinds(applied: &Applied) -> Vec<String> {
    applied
        .children
        .iter()
        .filter(|(_, outcome)| **outcome == ChildOutcome::NoSuchKind)
        .map(|(kind, _)| kind.resource().kind)
        .collect()
}

/// What is wrong with the first of these children that is not as it should be.
fn trouble(applied: &Applied, name: &str, kinds: &[ChildKind]) -> Option<Finding> {
    kinds.iter().find_map(|kind| {
        let resource = kind.resource();
        let what = format!("{} {}", resource.kind, kind.name(name));
        match applied.children.get(kind)? {
            ChildOutcome::Conflict => Some(Finding::bad(
                Reason::NameConflict,
                format!(
                    "The {what} belongs to someone else and is left as it is. Rename or remove it, or give the \
                     resource another name."
                ),
            )),
            ChildOutcome::Refused(message) => Some(Finding::bad(
                Reason::ApiRefused,
                format!("The API server refused the {what}: {message}"),
            )),
            _ => None,
        }
    })
}

/// Whether the operator looks at Secrets.
fn reads_secrets(facts: &Facts<'_>) -> bool {
    facts.settings.secret_access == SecretAccess::ByName
}
