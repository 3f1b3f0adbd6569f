//! `EndpointReady`: whether the public URL answers as Meta needs it. It informs, and never blocks `Ready`.

use wahook_crds::conditions::Reason;

use super::{Facts, Finding, reads_secrets};

pub(super) fn finding(facts: &Facts<'_>) -> Finding {
    if facts.validated.spec.suspend {
        return Finding::bad(Reason::Suspended, "The webhook is suspended.");
    }
    if !facts.claim.is_held() {
        return Finding::bad(
            Reason::HostConflict,
            "The host is another webhook's: see RouteReady.",
        );
    }
    if !reads_secrets(facts) {
        return Finding::unknown(
            Reason::Unchecked,
            "The operator reads no Secrets (--secret-access none), so it could not tell whose answer it gets.",
        );
    }
    match facts.endpoint {
        Some(outcome) => Finding::new(outcome.truth, outcome.reason, outcome.message.clone()),
        None => Finding::unknown(Reason::Pending, "The public URL was not looked at yet."),
    }
}
