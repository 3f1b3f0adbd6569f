//! What the receiver is to come to, and what it came to.

use super::figure::{number, row};
use crate::peer::Peer;
use crate::results::{Cell, Results, Sample};

/// A goal: at most so much, or at least.
struct Target {
    what: &'static str,
    goal: f64,
    at_least: bool,
    unit: &'static str,
    came_to: fn(&Results) -> Option<f64>,
}

const TARGETS: [Target; 18] = [
    at_most(
        "one text message: processor time, of the publish floor's",
        0.75,
        "",
        |r| ratio(r, Cell::TEXT, Peer::FloorPublish),
    ),
    at_most("the same, stretched", 0.60, "", |r| {
        ratio(r, Cell::TEXT, Peer::FloorPublish)
    }),
    at_least("the same, under Benthos", 10.0, " x", |r| {
        under(r, Cell::TEXT, Peer::Benthos)
    }),
    at_least("the same, under Express", 13.0, " x", |r| {
        under(r, Cell::TEXT, Peer::Express)
    }),
    at_least("the same, under Flask", 35.0, " x", |r| {
        under(r, Cell::TEXT, Peer::Flask)
    }),
    at_most(
        "100 statuses: processor time, of the publish floor's",
        0.45,
        "",
        |r| ratio(r, Cell::HUNDRED, Peer::FloorPublish),
    ),
    at_most("the same, stretched", 0.26, "", |r| {
        ratio(r, Cell::HUNDRED, Peer::FloorPublish)
    }),
    at_least("the same, under Benthos", 22.0, " x", |r| {
        under(r, Cell::HUNDRED, Peer::Benthos)
    }),
    at_least("the same, under Express", 27.0, " x", |r| {
        under(r, Cell::HUNDRED, Peer::Express)
    }),
    at_least("the same, under Flask", 46.0, " x", |r| {
        under(r, Cell::HUNDRED, Peer::Flask)
    }),
    at_most(
        "100 statuses: the broker's processor time for an event",
        5.0,
        " us",
        |r| median(r, Cell::HUNDRED, |s| s.store / 100.0),
    ),
    at_most("p99 at 1,000 texts a second", 1.0, " ms", |r| {
        median(r, Cell::STEADY, |s| s.p99)
    }),
    at_most("p99 at 2,000 mixed requests a second", 25.0, " ms", |r| {
        median(r, Cell::STEADY_MIX, |s| s.p99)
    }),
    at_most("memory at rest", 12.0, " MiB", |r| {
        median(r, Cell::TEXT, |s| s.idle)
    }),
    at_most("memory with texts at full speed", 24.0, " MiB", |r| {
        median(r, Cell::TEXT, |s| s.peak)
    }),
    at_most("start to first 200, with NATS up", 30.0, " ms", |r| {
        median(r, Cell::TEXT, |s| s.first_200)
    }),
    at_most("good requests not answered with 200", 0.0, "", |r| {
        Some(refused(r))
    }),
    at_most(
        "runs in which an event was lost, doubled or invented",
        0.0,
        "",
        |r| Some(broken(r)),
    ),
];

const fn at_most(
    what: &'static str,
    goal: f64,
    unit: &'static str,
    came_to: fn(&Results) -> Option<f64>,
) -> Target {
    Target {
        what,
        goal,
        at_least: false,
        unit,
        came_to,
    }
}

const fn at_least(
    what: &'static str,
    goal: f64,
    unit: &'static str,
    came_to: fn(&Results) -> Option<f64>,
) -> Target {
    Target {
        at_least: true,
        ..at_most(what, goal, unit, came_to)
    }
}

fn ratio(results: &Results, cell: Cell, peer: Peer) -> Option<f64> {
    results.ratio(cell, peer).map(|ratio| ratio.median)
}

fn under(results: &Results, cell: Cell, peer: Peer) -> Option<f64> {
    ratio(results, cell, peer).map(|ratio| 1.0 / ratio)
}

fn median(results: &Results, cell: Cell, figure: fn(&Sample) -> f64) -> Option<f64> {
    results
        .middle(cell, Peer::Receiver, figure)
        .map(|middle| middle.median)
}

#[allow(clippy::cast_precision_loss, reason = "counts of a run")]
fn refused(results: &Results) -> f64 {
    let own = results
        .samples
        .iter()
        .filter(|sample| sample.peer == Peer::Receiver);
    own.map(|sample| sample.refused).sum::<u64>() as f64
}

#[allow(clippy::cast_precision_loss, reason = "counts of runs")]
fn broken(results: &Results) -> f64 {
    let own = results
        .void
        .iter()
        .filter(|void| void.peer == Peer::Receiver && void.broken_promise);
    own.count() as f64
}

/// The table of the goals.
pub(super) fn table(results: &Results) -> String {
    let mut text = String::from("| the receiver, complete | goal | came to | |\n|---|---|---|---|\n");
    for target in &TARGETS {
        let (sign, came_to) = (
            if target.at_least { ">=" } else { "<=" },
            (target.came_to)(results),
        );
        let unit = target.unit;
        let whole = |value: f64| {
            if value == 0.0 {
                "0".to_owned()
            } else {
                number(value)
            }
        };
        let (shown, met) = match came_to {
            None => ("not measured".to_owned(), ""),
            Some(value)
                if target.at_least == (value >= target.goal) || value.to_bits() == target.goal.to_bits() =>
            {
                (format!("{}{unit}", whole(value)), "met")
            }
            Some(value) => (format!("{}{unit}", whole(value)), "**missed**"),
        };
        text.push_str(&row(&[
            target.what.to_owned(),
            format!("{sign} {}{unit}", whole(target.goal)),
            shown,
            met.to_owned(),
        ]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::sample;

    fn line(receiver: f64, what: &str) -> String {
        let results = Results {
            samples: vec![
                sample(Peer::Receiver, Cell::TEXT, 0, receiver),
                sample(Peer::FloorPublish, Cell::TEXT, 0, 100.0),
                sample(Peer::Benthos, Cell::TEXT, 0, 700.0),
            ],
            ..Results::default()
        };
        let table = table(&results);
        table.lines().find(|line| line.contains(what)).unwrap().to_owned()
    }

    #[test]
    fn a_goal_is_met_or_missed() {
        assert!(line(70.0, "one text").contains("| 0.700 | met |"));
        assert!(
            line(75.0, "one text").contains("| met |"),
            "the goal itself is good enough"
        );
        assert!(line(76.0, "one text").contains("**missed**"));
        assert!(line(70.0, "under Benthos").contains("| 10.0 x | met |"));
        assert!(line(71.0, "under Benthos").contains("**missed**"));
        assert!(line(70.0, "under Flask").contains("not measured"));
    }
}
