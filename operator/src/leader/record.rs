//! What a Lease says, and whether it may be taken. Pure.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;

/// What the one who waits has seen of a Lease, and since when it has looked the same.
#[derive(Debug, Default)]
pub(super) struct Watched {
    seen: Option<(LeaseSpec, Instant)>,
}

/// What to do about a Lease.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is ours: renew it.
    Ours,
    /// Nobody holds it, or its holder has stopped renewing it.
    Free,
    /// Somebody holds it.
    Held,
}

impl Watched {
    /// Looks at the Lease as it is `now`.
    pub(super) fn look(&mut self, lease: &Lease, identity: &str, now: Instant) -> Verdict {
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        if holder.is_empty() {
            return Verdict::Free;
        }
        if holder == identity {
            return Verdict::Ours;
        }
        let duration = spec.lease_duration_seconds.unwrap_or(0).max(0).unsigned_abs();
        let since = match &self.seen {
            Some((last, since)) if *last == spec => *since,
            _ => {
                self.seen = Some((spec, now));
                now
            }
        };
        if now.duration_since(since) >= Duration::from_secs(u64::from(duration)) {
            Verdict::Free
        } else {
            Verdict::Held
        }
    }
}

/// The Lease after we took or renewed it. Keeps its version, so that only one of two who do this succeeds.
pub(super) fn taken(mut lease: Lease, identity: &str, duration: Duration, now: Timestamp) -> Lease {
    let spec = lease.spec.get_or_insert_default();
    if spec.holder_identity.as_deref() != Some(identity) {
        spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(-1).saturating_add(1));
        spec.acquire_time = Some(MicroTime(now));
    }
    spec.holder_identity = Some(identity.to_owned());
    spec.lease_duration_seconds = Some(i32::try_from(duration.as_secs()).unwrap_or(i32::MAX));
    spec.renew_time = Some(MicroTime(now));
    lease
}

/// The Lease after we gave it back: whoever waits may take it at once.
pub(super) fn given_back(mut lease: Lease, now: Timestamp) -> Lease {
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = Some(String::new());
    spec.lease_duration_seconds = Some(1);
    spec.renew_time = Some(MicroTime(now));
    lease
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: Duration = Duration::from_secs(15);

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(second, 0)
    }

    #[test]
    fn a_lease_is_free_only_when_it_was_not_renewed_for_its_duration_as_we_saw_it() {
        let begin = Instant::now();
        let mut watched = Watched::default();
        let lease = taken(Lease::default(), "a", DURATION, at(0));
        // However old its own time is: clocks need not agree.
        assert_eq!(watched.look(&lease, "b", begin), Verdict::Held);
        assert_eq!(
            watched.look(&lease, "b", begin + Duration::from_secs(14)),
            Verdict::Held
        );
        let renewed = taken(lease, "a", DURATION, at(14));
        assert_eq!(
            watched.look(&renewed, "b", begin + Duration::from_secs(16)),
            Verdict::Held
        );
        assert_eq!(
            watched.look(&renewed, "b", begin + Duration::from_secs(31)),
            Verdict::Free
        );
    }

    #[test]
    fn ours_free_and_given_back() {
        let now = Instant::now();
        let mut watched = Watched::default();
        assert_eq!(watched.look(&Lease::default(), "a", now), Verdict::Free);
        let lease = taken(Lease::default(), "a", DURATION, at(0));
        assert_eq!(watched.look(&lease, "a", now), Verdict::Ours);
        assert_eq!(watched.look(&given_back(lease, at(1)), "b", now), Verdict::Free);
    }

    #[test]
    fn changes_of_hands_are_counted_and_renewals_are_not() {
        let first = taken(Lease::default(), "a", DURATION, at(0));
        let renewed = taken(first.clone(), "a", DURATION, at(5));
        let second = taken(given_back(renewed.clone(), at(6)), "b", DURATION, at(7));
        let transitions = |lease: &Lease| lease.spec.as_ref().and_then(|spec| spec.lease_transitions);
        assert_eq!(
            [&first, &renewed, &second].map(transitions),
            [Some(0), Some(0), Some(1)]
        );
        let acquired = |lease: &Lease| lease.spec.as_ref().and_then(|spec| spec.acquire_time.clone());
        assert_eq!(acquired(&first), acquired(&renewed));
    }
}
