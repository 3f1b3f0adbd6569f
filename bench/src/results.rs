//! What was measured: every run by itself, as it is kept in `bench/results.json`, and what is computed of several.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::corpus::Work;
use crate::peer::Peer;
use crate::stats::{median, range};

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// As fast as they are answered, over so many connections.
    Closed(u32),
    /// So many in each second.
    PerSecond(u32),
}

/// One thing that is measured of every contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// What is sent.
    pub work: Work,
    /// How.
    pub pace: Pace,
}

impl Cell {
    /// One text message in each request, as fast as can be.
    pub const TEXT: Self = Self::closed(Work::Text, 64);
    /// One status.
    pub const STATUS: Self = Self::closed(Work::Statuses(1), 64);
    /// A hundred statuses. Over 32 connections: with more, the publish floor can come to a halt for ever, since each request
    /// waits for the library's permits while it holds others of them.
    pub const HUNDRED: Self = Self::closed(Work::Statuses(100), 32);
    /// Texts, repeats and wrong signatures.
    pub const REPEATS: Self = Self::closed(Work::Repeats, 64);
    /// Texts, 1,000 in a second.
    pub const STEADY: Self = Self {
        work: Work::Text,
        pace: Pace::PerSecond(1000),
    };
    /// Everything, 2,000 in a second.
    pub const STEADY_MIX: Self = Self {
        work: Work::Mix,
        pace: Pace::PerSecond(2000),
    };

    /// All of them, in the order of the report.
    pub const ALL: [Self; 6] = [
        Self::TEXT,
        Self::STATUS,
        Self::HUNDRED,
        Self::REPEATS,
        Self::STEADY,
        Self::STEADY_MIX,
    ];

    /// This work in a closed loop.
    pub const fn closed(work: Work, connections: u32) -> Self {
        Self {
            work,
            pace: Pace::Closed(connections),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pace {
            Pace::Closed(connections) => write!(f, "{}, {connections} connections", self.work),
            Pace::PerSecond(rate) => write!(f, "{}, {rate} requests a second", self.work),
        }
    }
}

/// One run of one contestant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Who.
    pub peer: Peer,
    /// What.
    pub cell: Cell,
    /// In which round, from 0.
    pub round: u32,
    /// Requests that were answered.
    pub requests: u64,
    /// Events in them.
    pub events: u64,
    /// Processor time of the contestant and its children for a request, in microseconds.
    pub cpu: f64,
    /// Processor time of the broker, or of Redis, for a request, in microseconds.
    pub store: f64,
    /// Answers in a second.
    pub per_second: f64,
    /// Latencies, in milliseconds.
    pub p50: f64,
    /// See `p50`.
    pub p99: f64,
    /// See `p50`.
    pub p999: f64,
    /// Memory before the load, in MiB, summed over its processes.
    pub idle: f64,
    /// Memory at most.
    pub peak: f64,
    /// From its start to the first 200, in milliseconds.
    pub first_200: f64,
    /// Good requests answered with something else than 200.
    pub refused: u64,
    /// Requests of a fixed rate that were not even sent.
    pub unsent: u64,
    /// The share of all cores that processes used which have nothing to do with this run, 0 to 1.
    pub others: f64,
}

/// A run that does not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Void {
    /// Who.
    pub peer: Peer,
    /// What.
    pub cell: Cell,
    /// In which round.
    pub round: u32,
    /// Why.
    pub reason: String,
    /// Whether events were lost, doubled or invented.
    pub broken_promise: bool,
}

/// A point of a series that shows how the receiver's cost grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Along what.
    pub series: Series,
    /// How many: connections, bytes of a body, ids remembered.
    pub at: u64,
    /// What it came to.
    pub sample: Sample,
}

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Series {
    /// Connections, each busy, one text in each request.
    Connections,
    /// The size of a body of statuses.
    Body,
    /// Ids in the memory, which is full before the clock runs.
    Remembered,
}

/// What is known of a contestant beside its runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrant {
    /// Who.
    pub peer: Peer,
    /// What it is made of.
    pub versions: String,
    /// What has to be on a disk for it beside its runtime.
    pub bytes: u64,
}

/// Everything of one run of the benchmark.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The commit that was measured.
    pub commit: String,
    /// The day.
    pub date: String,
    /// The machine.
    pub machine: String,
    /// The load average of the minute before the first run, and of the last minute of the last.
    pub load: [f64; 2],
    /// Versions of what all use: runtimes, NATS, Redis.
    pub versions: Vec<String>,
    /// The receiver's image, in bytes, if there was one.
    pub image_bytes: Option<u64>,
    /// Who took part.
    pub entrants: Vec<Entrant>,
    /// Who did not, and why.
    pub absent: BTreeMap<Peer, String>,
    /// Every run that counts.
    pub samples: Vec<Sample>,
    /// Every run that does not.
    pub void: Vec<Void>,
    /// How the receiver's cost grows.
    pub growth: Vec<Point>,
}

/// A median and what it is the median of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Middle {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Middle {
    /// Of nothing there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let (low, high) = range(values)?;
        Some(Self {
            median: median(values)?,
            low,
            high,
        })
    }
}

impl Results {
    /// As a file: one line for each run, so that a change of one is a change of one line.
    ///
    /// # Errors
    /// `serde_json`'s.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let Value::Object(parts) = serde_json::to_value(self)? else {
            return Ok(String::new());
        };
        let shown = parts.iter().map(|(name, part)| {
            let text = match part {
                Value::Array(elements) if !elements.is_empty() => {
                    let lines: Vec<String> = elements.iter().map(|element| format!("\n{element}")).collect();
                    format!("[{}\n]", lines.join(","))
                }
                other => other.to_string(),
            };
            format!("\"{name}\": {text}")
        });
        Ok(format!("{{\n{}\n}}\n", shown.collect::<Vec<_>>().join(",\n")))
    }

    /// The runs of a contestant.
    pub fn of(&self, cell: Cell, peer: Peer) -> impl Iterator<Item = &Sample> {
        self.samples
            .iter()
            .filter(move |sample| sample.cell == cell && sample.peer == peer)
    }

    /// One figure over the rounds.
    pub fn middle(&self, cell: Cell, peer: Peer, figure: impl Fn(&Sample) -> f64) -> Option<Middle> {
        let values: Vec<f64> = self.of(cell, peer).map(figure).collect();
        Middle::of(&values)
    }

    /// The receiver's processor time for a request divided by a contestant's, of the same round: what a noisy machine bends
    /// least. Over the rounds in which both count.
    pub fn ratio(&self, cell: Cell, peer: Peer) -> Option<Middle> {
        let ratios = self.of(cell, Peer::Receiver).filter_map(|receiver| {
            let other = self.of(cell, peer).find(|other| other.round == receiver.round)?;
            (other.cpu > 0.0).then_some(receiver.cpu / other.cpu)
        });
        Middle::of(&ratios.collect::<Vec<_>>())
    }

    /// The cells that were measured, in the order of the report.
    pub fn cells(&self) -> Vec<Cell> {
        let measured = |cell: &Cell| self.samples.iter().any(|sample| sample.cell == *cell);
        Cell::ALL.into_iter().filter(measured).collect()
    }

    /// The contestants that took part, in the order of the report.
    pub fn peers(&self) -> Vec<Peer> {
        let took_part = |peer: &Peer| self.entrants.iter().any(|entrant| entrant.peer == *peer);
        Peer::ALL.into_iter().filter(took_part).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run that took so long, for reports and comparisons.
    pub(crate) fn sample(peer: Peer, cell: Cell, round: u32, cpu: f64) -> Sample {
        Sample {
            peer,
            cell,
            round,
            requests: 1000,
            events: 1000,
            cpu,
            store: 20.0,
            per_second: 1e6 / cpu,
            p50: 1.0,
            p99: 2.0,
            p999: 3.0,
            idle: 5.0,
            peak: 10.0,
            first_200: 6.0,
            refused: 0,
            unsent: 0,
            others: 0.1,
        }
    }

    #[test]
    fn ratios_are_of_one_round_each() {
        let results = Results {
            samples: vec![
                sample(Peer::Receiver, Cell::TEXT, 0, 20.0),
                sample(Peer::FloorPublish, Cell::TEXT, 0, 40.0),
                // A slow round for both.
                sample(Peer::Receiver, Cell::TEXT, 1, 60.0),
                sample(Peer::FloorPublish, Cell::TEXT, 1, 100.0),
                // The other did not count here.
                sample(Peer::Receiver, Cell::TEXT, 2, 20.0),
                sample(Peer::FloorPublish, Cell::STATUS, 2, 1.0),
            ],
            ..Results::default()
        };
        let ratio = results.ratio(Cell::TEXT, Peer::FloorPublish).unwrap();
        assert_eq!((ratio.low, ratio.high), (0.5, 0.6));
        assert!((ratio.median - 0.55).abs() < 1e-9);
        assert_eq!(results.ratio(Cell::TEXT, Peer::Flask), None);
        let middle = results.middle(Cell::TEXT, Peer::Receiver, |s| s.cpu).unwrap();
        assert!((middle.median - 20.0).abs() < 1e-9);
    }

    #[test]
    fn results_are_the_same_when_read_again() {
        let results = Results {
            samples: vec![sample(Peer::Flask, Cell::STEADY_MIX, 2, 700.5)],
            absent: BTreeMap::from([(Peer::Benthos, "there is no `go` on PATH".to_owned())]),
            ..Results::default()
        };
        let text = results.to_json().unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results);
    }
}
