//! What the operator asked of the API server, from the audit log, phase by phase.

use std::collections::BTreeMap;

use wahook_testbed::kube::{AuditEvent, AuditTail};

use super::error::Result;

/// The audit log and whose requests count.
pub(super) struct Requests {
    tail: AuditTail,
    user: String,
}

/// How many requests there were.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    /// `get` and `list`.
    pub(super) reads: usize,
    /// `watch`.
    pub(super) watches: usize,
    /// Renewals of the operator's own Lease, which is how the others know that it lives.
    pub(super) lease: usize,
    /// Every other write by verb and resource, Kubernetes Events included.
    pub(super) writes: BTreeMap<String, usize>,
}

impl Requests {
    pub(super) fn new(tail: AuditTail, user: &str) -> Self {
        Self {
            tail,
            user: user.to_owned(),
        }
    }

    /// Those since the last call.
    pub(super) fn more(&mut self) -> Result<Count> {
        let mut count = Count::default();
        for event in self.tail.more()? {
            // A watch is noted twice: when it begins and when it ends.
            if event.user() == self.user && !(event.verb == "watch" && event.stage != "ResponseStarted") {
                count.note(&event);
            }
        }
        Ok(count)
    }
}

impl Count {
    fn note(&mut self, event: &AuditEvent) {
        let object = event.object_ref.clone().unwrap_or_default();
        if event.verb == "watch" {
            self.watches += 1;
        } else if !event.is_write() {
            self.reads += 1;
        } else if object.resource == "leases" {
            self.lease += 1;
        } else {
            let mut what = format!("{} {}", event.verb, object.resource);
            if !object.subresource.is_empty() {
                what = format!("{what}/{}", object.subresource);
            }
            *self.writes.entry(what).or_default() += 1;
        }
    }

    /// Both together.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.reads += other.reads;
        self.watches += other.watches;
        self.lease += other.lease;
        for (what, number) in other.writes {
            *self.writes.entry(what).or_default() += number;
        }
        self
    }

    /// All writes but those of the Lease.
    pub(super) fn written(&self) -> usize {
        self.writes.values().sum()
    }
}

/// Counts in words.
pub(super) fn told(counts: &BTreeMap<String, usize>) -> String {
    let parts: Vec<_> = counts
        .iter()
        .map(|(what, number)| format!("{number} {what}"))
        .collect();
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn event(verb: &str, resource: &str, subresource: &str) -> AuditEvent {
        let text = format!(
            r#"{{"stage":"ResponseComplete","verb":"{verb}","requestURI":"/","user":{{"username":"o"}},"objectRef":{{"resource":"{resource}","subresource":"{subresource}"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_lease_is_told_from_what_is_written_for_a_resource() {
        let mut count = Count::default();
        for event in [
            event("get", "secrets", ""),
            event("patch", "leases", ""),
            event("patch", "whatsappwebhooks", "status"),
            event("create", "events", ""),
            event("deletecollection", "pods", ""),
        ] {
            count.note(&event);
        }
        assert_eq!((count.reads, count.lease, count.written()), (1, 1, 3));
        let words = "1 create events, 1 deletecollection pods, 1 patch whatsappwebhooks/status";
        assert_eq!(told(&count.writes), words);
        assert_eq!(count.clone().and(count).written(), 6);
    }
}
