//! Whether a run kept what it promised: what was acknowledged is stored, once, and nothing else is. Pure.

use std::fmt;

use crate::corpus::Corpus;
use crate::load::{Fate, Outcome};
use crate::store::Stored;

/// What the client knows about each event.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// Genuine deliveries that were answered with another status than 200.
    pub refused: u64,
    /// Genuine deliveries without an answer.
    pub unanswered: u64,
    /// Badly signed deliveries that were answered with 200.
    pub believed: u64,
}

/// The order is that of knowledge: more is never forgotten for less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    /// It was never sent, or never with a right signature: it must not be stored.
    #[default]
    Never,
    /// It was sent and not acknowledged: it may be stored.
    Maybe,
    /// It was acknowledged: it must be stored.
    Acknowledged,
}

/// What is wrong with what is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Acknowledged and not stored.
    pub lost: u64,
    /// Stored more than once.
    pub twice: u64,
    /// Stored without having been sent with a right signature.
    pub strange: u64,
    /// Badly signed and answered with 200.
    pub believed: u64,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged and not stored, {} stored twice, {} stored that should not be, {} badly signed and believed",
            self.lost, self.twice, self.strange, self.believed
        )
    }
}

impl Ledger {
    /// Enters what became of the deliveries of a corpus.
    pub fn enter(&mut self, corpus: &Corpus, outcome: &Outcome) {
        for (delivery, fate) in corpus.deliveries().iter().zip(&outcome.fates) {
            let entry = match (delivery.genuine, fate) {
                (true, Fate::Answered(200)) => Entry::Acknowledged,
                (true, Fate::Answered(_)) => {
                    self.refused += 1;
                    Entry::Maybe
                }
                (true, Fate::Unanswered) => {
                    self.unanswered += 1;
                    Entry::Maybe
                }
                (false, Fate::Answered(200)) => {
                    self.believed += 1;
                    continue;
                }
                (_, Fate::Unsent) | (false, _) => continue,
            };
            self.set(delivery.serials.clone(), entry);
        }
    }

    /// Enters deliveries that were all acknowledged.
    pub fn acknowledged(&mut self, corpus: &Corpus) {
        for delivery in corpus.deliveries() {
            self.set(delivery.serials.clone(), Entry::Acknowledged);
        }
    }

    /// How many events were acknowledged.
    pub fn events(&self) -> u64 {
        let acknowledged = self.entries.iter().filter(|entry| **entry == Entry::Acknowledged);
        acknowledged.count() as u64
    }

    /// Compares with what is stored.
    ///
    /// # Errors
    /// [`Loss`] when that is not exactly what it must be.
    pub fn check(&self, stored: &Stored) -> Result<(), Loss> {
        let mut loss = Loss {
            strange: stored.foreign,
            believed: self.believed,
            ..Loss::default()
        };
        for place in 0..self.entries.len().max(stored.counts.len()) {
            let count = stored.counts.get(place).copied().unwrap_or_default();
            match (self.entries.get(place).copied().unwrap_or_default(), count) {
                (Entry::Acknowledged, 0) => loss.lost += 1,
                (Entry::Never, 1..) => loss.strange += 1,
                (_, 2..) => loss.twice += 1,
                _ => {}
            }
        }
        if loss == Loss::default() {
            Ok(())
        } else {
            Err(loss)
        }
    }

    fn set(&mut self, serials: std::ops::Range<u32>, entry: Entry) {
        let end = serials.end as usize;
        if self.entries.len() < end {
            self.entries.resize(end, Entry::Never);
        }
        for known in &mut self.entries[serials.start as usize..end] {
            *known = entry.max(*known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Work;
    use std::time::Duration;

    fn outcome(fates: &[Fate]) -> Outcome {
        Outcome {
            fates: fates.to_vec(),
            latencies: Vec::new(),
            elapsed: Duration::ZERO,
            reconnects: 0,
        }
    }

    fn ledger(fates: &[Fate]) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.enter(&Corpus::make(Work::Text, fates.len(), 0), &outcome(fates));
        ledger
    }

    fn stored(counts: &[u8]) -> Stored {
        Stored {
            counts: counts.to_vec(),
            foreign: 0,
        }
    }

    const OK: Fate = Fate::Answered(200);

    #[test]
    fn what_was_acknowledged_must_be_there_once() {
        let ledger = ledger(&[OK, OK, Fate::Answered(503), Fate::Unanswered, Fate::Unsent]);
        assert_eq!((ledger.events(), ledger.refused, ledger.unanswered), (2, 1, 1));
        assert_eq!(ledger.check(&stored(&[1, 1])), Ok(()));
        assert_eq!(
            ledger.check(&stored(&[1, 1, 1, 1])),
            Ok(()),
            "these may be stored"
        );
        assert_eq!(ledger.check(&stored(&[1])).unwrap_err().lost, 1);
        assert_eq!(ledger.check(&stored(&[1, 2])).unwrap_err().twice, 1);
        assert_eq!(ledger.check(&stored(&[1, 1, 2])).unwrap_err().twice, 1);
        assert_eq!(
            ledger.check(&stored(&[1, 1, 0, 0, 1])).unwrap_err().strange,
            1,
            "it was not sent"
        );
        let foreign = Stored {
            foreign: 1,
            ..stored(&[1, 1])
        };
        assert_eq!(ledger.check(&foreign).unwrap_err().strange, 1);
    }

    #[test]
    fn a_repeat_that_is_refused_takes_nothing_back() {
        let corpus = Corpus::make(Work::Repeats, 2000, 0);
        let mut fates = vec![OK; 2000];
        // Place 1999 is a repeat.
        fates[1999] = Fate::Answered(503);
        for (fate, delivery) in fates.iter_mut().zip(corpus.deliveries()) {
            if !delivery.genuine {
                *fate = Fate::Answered(401);
            }
        }
        let mut ledger = Ledger::default();
        ledger.enter(&corpus, &outcome(&fates));
        let mut counts = vec![0; corpus.next() as usize];
        for delivery in corpus.deliveries().iter().filter(|delivery| delivery.genuine) {
            counts[delivery.serials.start as usize] = 1;
        }
        assert_eq!(ledger.check(&stored(&counts)), Ok(()));
        let repeated = corpus.deliveries()[1999].serials.start as usize;
        counts[repeated] = 0;
        assert_eq!(ledger.check(&stored(&counts)).unwrap_err().lost, 1);
    }

    #[test]
    fn a_wrong_signature_must_not_be_believed() {
        let corpus = Corpus::make(Work::Repeats, 100, 0);
        let mut ledger = Ledger::default();
        ledger.enter(&corpus, &outcome(&[OK; 100]));
        let counts = vec![1; corpus.next() as usize];
        let loss = ledger.check(&stored(&counts)).unwrap_err();
        assert_eq!((loss.believed, loss.strange), (2, 2));
    }
}
