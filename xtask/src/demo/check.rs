//! Compares what came back and what the stream holds with what the script asked for. Pure.

use std::collections::BTreeSet;

use wahook_testbed::stream::Stored;

use super::expected::Expected;
use super::house::Done;
use super::script::{Request, Signature, Step};

/// A stored event as the table shows it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) seq: u64,
    pub(super) family: String,
    pub(super) kind: String,
    pub(super) account: String,
    pub(super) lane: String,
    pub(super) id: String,
    pub(super) payload: Vec<u8>,
}

impl Row {
    /// Reads a stored event.
    ///
    /// # Errors
    /// What is wrong with its address, in a sentence.
    pub(super) fn of(stored: &Stored) -> Result<Self, String> {
        let subject = &stored.subject;
        let tokens: Vec<&str> = subject.split('.').collect();
        let &["whatsapp", "local", "webhook", account, family, kind, lane] = tokens.as_slice() else {
            return Err(format!(
                "stored event {}: {subject} is not a subject of the contract",
                stored.seq
            ));
        };
        let id = stored
            .id()
            .ok_or_else(|| format!("stored event {}: it has no Nats-Msg-Id", stored.seq))?;
        let wanted = [
            ("ce-id", id.to_owned()),
            ("ce-type", format!("com.whatsapp.{family}.{kind}")),
        ];
        for (header, must) in wanted {
            let is = stored.header(header).unwrap_or("absent");
            if is != must {
                return Err(format!(
                    "stored event {}: {header} is {is}, expected {must}",
                    stored.seq
                ));
            }
        }
        Ok(Self {
            seq: stored.seq,
            family: family.to_owned(),
            kind: kind.to_owned(),
            account: account.to_owned(),
            lane: lane.to_owned(),
            id: id.to_owned(),
            payload: stored.payload.to_vec(),
        })
    }

    fn is(&self, expected: &Expected) -> bool {
        self.family == expected.family
            && self.kind == expected.kind
            && self.account == expected.account
            && expected.payload.fits(&self.payload)
    }
}

/// The receiver's own counters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) stored: u64,
    pub(super) duplicates: u64,
    pub(super) signature_failures: u64,
}

impl Totals {
    /// Reads them from the Prometheus text format.
    pub(super) fn read(metrics: &str) -> Self {
        let sum = |name: &str, label: &str| {
            metrics
                .lines()
                .filter(|line| line.starts_with(name) && line.contains(label))
                .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .sum()
        };
        Self {
            stored: sum("whatsapp_webhook_events_total{", "outcome=\"stored\""),
            duplicates: sum("whatsapp_webhook_duplicates_total{", ""),
            signature_failures: sum("whatsapp_webhook_signature_failures_total{", ""),
        }
    }

    /// What they must be after these steps.
    pub(super) fn expected(steps: &[Step]) -> Self {
        let count = |of: fn(&Step) -> usize| steps.iter().map(of).sum::<usize>() as u64;
        let unsigned = |step: &&Step| matches!(&step.request, Request::Delivery { signature, .. } if *signature != Signature::Right);
        Self {
            stored: count(|step| step.new.len()),
            duplicates: count(|step| step.known),
            signature_failures: steps.iter().filter(unsigned).count() as u64,
        }
    }
}

/// Every difference between what is and what must be, a sentence each; none if all is well.
pub(super) fn differences(steps: &[Step], done: &[Done], rows: &[Row], totals: Totals) -> Vec<String> {
    let mut found = Vec::new();
    for (number, (step, done)) in (1..).zip(steps.iter().zip(done)) {
        let mut compare = |what: &str, is: &str, must: &str| {
            if is != must {
                found.push(format!(
                    "step {number} ({}): {what} {is}, expected {must}",
                    step.what
                ));
            }
        };
        compare("answered", &done.status.to_string(), &step.status.to_string());
        compare("said", &done.says, &step.says);
        compare(
            "new events in the stream:",
            &done.new.to_string(),
            &step.new.len().to_string(),
        );
    }

    let mut unexplained: Vec<&Row> = rows.iter().collect();
    for expected in steps.iter().flat_map(|step| &step.new) {
        match unexplained.iter().position(|row| row.is(expected)) {
            Some(place) => {
                unexplained.remove(place);
            }
            None => found.push(format!(
                "the stream holds no {} of type {} for account {} with Meta's bytes unchanged",
                expected.family, expected.kind, expected.account
            )),
        }
    }
    for row in unexplained {
        found.push(format!(
            "the stream holds {} of type {} (sequence {}), which nobody sent or which was sent once and is there twice",
            row.family, row.kind, row.seq
        ));
    }
    let ids: BTreeSet<_> = rows.iter().map(|row| &row.id).collect();
    if ids.len() != rows.len() {
        found.push(format!(
            "{} events have {} ids, expected one each",
            rows.len(),
            ids.len()
        ));
    }
    let must = Totals::expected(steps);
    if totals != must {
        found.push(format!(
            "the receiver's metrics say {totals:?}, expected {must:?}"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::expected::Payload;
    use super::*;

    fn step(new: usize) -> Step {
        let event = Expected {
            family: "messages".to_owned(),
            kind: "text".to_owned(),
            account: "1".to_owned(),
            payload: Payload::Is("x".to_owned()),
        };
        Step {
            what: "a message",
            why: "",
            request: Request::Delivery {
                body: String::new(),
                signature: Signature::Right,
            },
            status: 200,
            says: "ok".to_owned(),
            new: vec![event; new],
            known: 0,
        }
    }

    fn done(status: u16, new: u64) -> Done {
        Done {
            status,
            says: "ok".to_owned(),
            new,
            took: Duration::ZERO,
        }
    }

    fn row(seq: u64, payload: &str) -> Row {
        Row {
            seq,
            family: "messages".to_owned(),
            kind: "text".to_owned(),
            account: "1".to_owned(),
            lane: "0".to_owned(),
            id: seq.to_string(),
            payload: payload.as_bytes().to_vec(),
        }
    }

    fn totals(stored: u64) -> Totals {
        Totals {
            stored,
            ..Totals::default()
        }
    }

    #[test]
    fn what_is_as_it_must_be_differs_in_nothing() {
        let found = differences(
            &[step(2)],
            &[done(200, 2)],
            &[row(1, "x"), row(2, "x")],
            totals(2),
        );
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_named() {
        let one = |done: Done, rows: &[Row], stored| {
            let found = differences(&[step(1)], &[done], rows, totals(stored));
            assert_eq!(found.len(), 1, "{found:?}");
            found.concat()
        };
        assert!(one(done(503, 1), &[row(1, "x")], 1).contains("answered 503, expected 200"));
        assert!(one(done(200, 0), &[row(1, "x")], 1).contains("stream: 0, expected 1"));
        assert!(one(done(200, 1), &[], 1).contains("holds no messages of type text"));
        assert!(one(done(200, 1), &[row(1, "x"), row(2, "x")], 1).contains("(sequence 2)"));
        assert!(one(done(200, 1), &[row(1, "x")], 7).contains("stored: 7"));
        let changed = differences(&[step(1)], &[done(200, 1)], &[row(1, "y")], totals(1));
        assert_eq!(changed.len(), 2, "missing, and there in other bytes: {changed:?}");
        let shared = differences(
            &[step(2)],
            &[done(200, 2)],
            &[row(1, "x"), row(1, "x")],
            totals(2),
        );
        assert!(shared.concat().contains("2 events have 1 ids"), "{shared:?}");
    }

    #[test]
    fn counters_are_summed_over_their_series() {
        let metrics = "\
# TYPE whatsapp_webhook_events_total counter
whatsapp_webhook_events_total{family=\"messages\",outcome=\"stored\",type=\"text\"} 3
whatsapp_webhook_events_total{family=\"messages\",outcome=\"duplicate\",type=\"text\"} 9
whatsapp_webhook_events_total{family=\"statuses\",outcome=\"stored\",type=\"sent\"} 4
whatsapp_webhook_duplicates_total{source=\"local\"} 2
whatsapp_webhook_signature_failures_total{reason=\"missing\"} 1
whatsapp_webhook_signature_failures_total{reason=\"mismatch\"} 1";
        let expected = Totals {
            stored: 7,
            duplicates: 2,
            signature_failures: 2,
        };
        assert_eq!(Totals::read(metrics), expected);
    }
}
