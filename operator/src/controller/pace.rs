//! When a webhook is looked at again although nobody changed anything. Pure, but for a little chance.
//!
//! Most changes come by themselves: watches tell of the resource and its children, a Certificate among them. What no
//! watch tells is asked for: Secrets (the operator may not list them), the broker, and whether a host is free.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use wahook_crds::WhatsAppWebhookStatus;
use wahook_crds::conditions::{ConditionType, Reason};

use super::backoff::jitter;
use crate::status::find;
use crate::validate::TlsSource;

/// Who lost a host asks as often as this.
pub(super) const HOST: Duration = Duration::from_secs(10);
/// Who waits for its turn to roll, and is woken when it comes.
const TURN: Duration = Duration::from_secs(60);
/// At first something missing is looked for as often as this, ...
const EAGER: Duration = Duration::from_secs(2);
/// ... and never less often than this.
const PATIENT: Duration = Duration::from_secs(30);
/// What the API server refused.
const REFUSED: Duration = Duration::from_secs(30);

/// The broker itself wakes everyone when it is back. Asking often for each webhook would only load the API server.
const BROKER: [&str; 2] = [Reason::BrokerUnreachable.as_str(), Reason::BrokerDenied.as_str()];

/// How long to wait, about. `tls` says where the certificate comes from.
pub(super) fn pause(
    status: &WhatsAppWebhookStatus,
    tls: &TlsSource,
    now: &Time,
    resync: Duration,
) -> Duration {
    let conditions = &status.conditions;
    let reason = |kind| find(conditions, kind).map_or("", |condition| condition.reason.as_str());
    let is = |kind, wanted: Reason| reason(kind) == wanted.as_str();
    let mut shortest = resync;
    let mut no_longer = |pause: Duration| shortest = shortest.min(pause);
    for kind in [ConditionType::SecretsReady, ConditionType::StreamReady] {
        if let Some(condition) = find(conditions, kind)
            && condition.status != "True"
            && condition.reason != Reason::CheckedByReceivers.as_str()
            && condition.reason != Reason::Unchecked.as_str()
        {
            no_longer(if BROKER.contains(&condition.reason.as_str()) {
                PATIENT
            } else {
                growing(condition, now)
            });
        }
    }
    let route = ConditionType::RouteReady;
    if is(route, Reason::HostConflict) {
        no_longer(HOST);
    }
    if matches!(tls, TlsSource::Secret(_))
        && is(route, Reason::CertificatePending)
        && let Some(condition) = find(conditions, route)
    {
        no_longer(growing(condition, now));
    }
    if is(ConditionType::ReceiverReady, Reason::RolloutQueued) {
        no_longer(TURN);
    }
    for kind in ConditionType::BLOCKING {
        if is(kind, Reason::NameConflict) || is(kind, Reason::ApiRefused) {
            no_longer(REFUSED);
        }
    }
    jitter(shortest)
}

/// A thirtieth of the time that it has been so.
fn growing(condition: &Condition, now: &Time) -> Duration {
    let since = now.0.duration_since(condition.last_transition_time.0);
    let since = Duration::try_from(since).unwrap_or_default();
    (since / 30).clamp(EAGER, PATIENT)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;
    use wahook_crds::conditions::ConditionType as C;

    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).unwrap())
    }

    fn status(kind: ConditionType, truth: &str, reason: Reason) -> WhatsAppWebhookStatus {
        WhatsAppWebhookStatus {
            conditions: vec![Condition {
                type_: kind.as_str().to_owned(),
                status: truth.to_owned(),
                reason: reason.as_str().to_owned(),
                message: String::new(),
                observed_generation: None,
                last_transition_time: at(0),
            }],
            ..WhatsAppWebhookStatus::default()
        }
    }

    #[test]
    fn what_no_watch_tells_is_asked_for() {
        let resync = Duration::from_secs(300);
        for (kind, truth, reason, now, expected) in [
            (C::SecretsReady, "False", Reason::SecretNotFound, 0, 2),
            (C::SecretsReady, "False", Reason::SecretNotFound, 60, 2),
            (C::SecretsReady, "False", Reason::SecretKeyNotFound, 600, 20),
            (C::SecretsReady, "False", Reason::SecretNotFound, 86_400, 30),
            // A clock that was set back.
            (C::SecretsReady, "False", Reason::SecretNotFound, -60, 2),
            (C::SecretsReady, "True", Reason::SecretsFound, 0, 300),
            (C::SecretsReady, "Unknown", Reason::Unchecked, 0, 300),
            (C::StreamReady, "False", Reason::BrokerUnreachable, 0, 30),
            (C::StreamReady, "False", Reason::BrokerDenied, 0, 30),
            (C::StreamReady, "False", Reason::StreamNotFound, 0, 2),
            (C::StreamReady, "Unknown", Reason::CheckedByReceivers, 0, 300),
            (C::RouteReady, "False", Reason::HostConflict, 86_400, 10),
            (C::RouteReady, "False", Reason::CertificatePending, 0, 2),
            (C::RouteReady, "False", Reason::NameConflict, 0, 30),
            (C::ReceiverReady, "True", Reason::RolloutQueued, 0, 60),
            (C::ReceiverReady, "False", Reason::RollingOut, 0, 300),
        ] {
            let tls = TlsSource::Secret("hooks-tls".to_owned());
            let status = status(kind, truth, reason);
            assert_about(pause(&status, &tls, &at(now), resync), expected, reason);
        }
    }

    /// cert-manager's Certificate is ours and watched.
    #[test]
    fn a_certificate_is_not_asked_for() {
        let status = status(C::RouteReady, "False", Reason::CertificatePending);
        let tls = TlsSource::Missing;
        let pause = pause(&status, &tls, &at(0), Duration::from_secs(300));
        assert_about(pause, 300, Reason::CertificatePending);
    }

    fn assert_about(pause: Duration, expected: u32, reason: Reason) {
        let (pause, expected) = (pause.as_secs_f64(), f64::from(expected));
        assert!(
            (expected * 0.8..expected * 1.2).contains(&pause),
            "{reason}: {pause}"
        );
    }
}
