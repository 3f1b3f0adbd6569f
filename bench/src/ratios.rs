//! The ratios of this run beside the last committed ones. Ratios only: absolute times say more about a machine than about a
//! change. Pure.

use std::fmt::Write as _;

use crate::peer::Peer;
use crate::results::{Cell, Results};

/// By how much a ratio may differ before it is worth a look: on a machine that does other things too, the same programs differ
/// by this much from run to run.
pub const NOISE: f64 = 0.25;

/// A ratio, then and now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The work.
    pub cell: Cell,
    /// Who the receiver is compared with.
    pub peer: Peer,
    /// The receiver's processor time divided by the other's.
    pub now: f64,
    /// What it was in the committed results; `None` when that was not measured.
    pub then: Option<f64>,
}

/// Which way a ratio moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Not measurably.
    No,
    /// The receiver takes more than it did.
    Dearer,
    /// It takes less.
    Cheaper,
    /// There is nothing to compare with.
    New,
}

impl Compared {
    /// Whether it moved beyond the noise.
    pub fn moved(&self) -> Moved {
        match self.then {
            None => Moved::New,
            Some(then) if self.now > then * (1.0 + NOISE) => Moved::Dearer,
            Some(then) if self.now < then / (1.0 + NOISE) => Moved::Cheaper,
            Some(_) => Moved::No,
        }
    }
}

/// Every ratio of `now`, beside the committed one.
pub fn compare(now: &Results, committed: &Results) -> Vec<Compared> {
    let mut rows = Vec::new();
    for cell in now.cells() {
        for peer in Peer::ALL.into_iter().filter(|peer| *peer != Peer::Receiver) {
            if let Some(ratio) = now.ratio(cell, peer) {
                rows.push(Compared {
                    cell,
                    peer,
                    now: ratio.median,
                    then: committed.ratio(cell, peer).map(|ratio| ratio.median),
                });
            }
        }
    }
    rows
}

/// For the terminal.
pub fn table(rows: &[Compared]) -> String {
    let mut text = format!(
        "The receiver's processor time for a request, divided by:\n\n{:<36}{:<16}{:>9}{:>11}\n",
        "", "", "now", "committed"
    );
    for row in rows {
        let then = row
            .then
            .map_or_else(|| "-".to_owned(), |then| format!("{then:.3}"));
        let remark = match row.moved() {
            Moved::No | Moved::New => "",
            Moved::Dearer => "  DEARER",
            Moved::Cheaper => "  cheaper",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<36}{:<16}{:>9.3}{then:>11}{remark}",
            row.cell.to_string(),
            row.peer.name(),
            row.now
        );
    }
    let moved = rows
        .iter()
        .filter(|row| matches!(row.moved(), Moved::Dearer | Moved::Cheaper))
        .count();
    let _ = write!(
        text,
        "\n{moved} of {} moved by more than {:.0} %, which is what noise comes to here. One that moved is a reason to run it again \
         on a quiet machine, and no failure.",
        rows.len(),
        NOISE * 100.0
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::sample;

    fn results(receiver: f64, floor: f64) -> Results {
        Results {
            samples: vec![
                sample(Peer::Receiver, Cell::TEXT, 0, receiver),
                sample(Peer::FloorPublish, Cell::TEXT, 0, floor),
            ],
            ..Results::default()
        }
    }

    fn moved(now: f64, then: f64) -> Moved {
        compare(&results(now, 1.0), &results(then, 1.0))[0].moved()
    }

    #[test]
    fn noise_is_no_change() {
        assert_eq!(moved(0.60, 0.60), Moved::No);
        assert_eq!(moved(0.74, 0.60), Moved::No);
        assert_eq!(moved(0.76, 0.60), Moved::Dearer);
        assert_eq!(moved(0.49, 0.60), Moved::No);
        assert_eq!(moved(0.47, 0.60), Moved::Cheaper);
    }

    #[test]
    fn a_slower_machine_moves_nothing() {
        let rows = compare(&results(60.0, 100.0), &results(6.0, 10.0));
        assert_eq!(rows[0].moved(), Moved::No);
        assert!(table(&rows).contains("0 of 1 moved"), "{}", table(&rows));
    }

    #[test]
    fn what_was_not_measured_before_is_new() {
        let rows = compare(&results(1.0, 1.0), &Results::default());
        assert_eq!((rows[0].then, rows[0].moved()), (None, Moved::New));
        assert!(table(&rows).contains("floor-publish"));
    }
}
