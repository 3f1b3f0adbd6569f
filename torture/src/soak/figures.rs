//! What a soak measured and what it means. Pure.

use std::fmt::Write as _;

use super::trend::Trend;
use crate::report::{outcome, shown};
use crate::trial::Trial;

/// The receiver at rest, at the end of a cycle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Minutes since the beginning.
    pub minutes: f64,
    /// Resident memory, in KiB.
    pub memory_kib: f64,
    /// Open files, sockets included.
    pub files: usize,
    /// Tasks of its runtime.
    pub tasks: usize,
    /// Threads.
    pub threads: usize,
}

/// Growth below this share of the memory over the whole time is not called growth, however sure it is.
const NO_GROWTH: f64 = 0.02;
/// The share of the time that is left out in the beginning: the memory of ids, the allocator and the stacks fill up.
const WARM_UP: f64 = 0.25;
/// By how many the count of files or tasks may differ: connections at rest come and go.
const NO_LEAK: usize = 4;

/// A whole soak.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// The load and the judge.
    pub trial: Trial,
    /// How often each fault struck.
    pub faults: Vec<(&'static str, usize)>,
    /// One for each cycle.
    pub samples: Vec<Sample>,
    /// Seconds between two faults.
    pub cycle_seconds: u64,
}

impl Figures {
    /// The samples after the warm-up.
    fn warm(&self) -> &[Sample] {
        let end = self.samples.last().map_or(0.0, |sample| sample.minutes);
        let from = self
            .samples
            .partition_point(|sample| sample.minutes < end * WARM_UP);
        &self.samples[from..]
    }

    /// How the memory developed, in KiB a minute.
    fn memory(&self) -> Option<Trend> {
        let points: Vec<_> = self.warm().iter().map(|s| (s.minutes, s.memory_kib)).collect();
        Trend::of(&points)
    }

    /// Everything that was broken.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = self.trial.violations();
        match self.memory() {
            None => broken.push("too few cycles to say whether the memory grows".to_owned()),
            Some(trend) => {
                let minutes = match self.warm() {
                    [first, .., last] => last.minutes - first.minutes,
                    _ => 0.0,
                };
                if trend.surely_grows() && trend.slope * minutes > trend.mean * NO_GROWTH {
                    broken.push(format!(
                        "memory grew by {:.1} KiB a minute (± {:.1})",
                        trend.slope, trend.margin
                    ));
                }
            }
        }
        let mut flat = |what: &str, count: fn(&Sample) -> usize| {
            if let Some((before, after)) = self.thirds(count)
                && after > before + NO_LEAK
            {
                broken.push(format!("{what} grew from {before} to {after}"));
            }
        };
        flat("open files", |sample| sample.files);
        flat("tasks", |sample| sample.tasks);
        flat("threads", |sample| sample.threads);
        broken
    }

    /// The medians of the first and of the last third.
    fn thirds(&self, count: fn(&Sample) -> usize) -> Option<(usize, usize)> {
        let counts: Vec<usize> = self.warm().iter().map(count).collect();
        let third = counts.len().div_ceil(3);
        Some((
            median(counts.get(..third)?)?,
            median(counts.get(counts.len() - third..)?)?,
        ))
    }

    /// The rows: what, how much.
    pub fn rows(&self) -> Vec<(String, String)> {
        let trial = &self.trial;
        let faults: Vec<_> = self
            .faults
            .iter()
            .map(|(name, count)| format!("{count} × {name}"))
            .collect();
        let range = |count: fn(&Sample) -> usize| {
            let counts = self.warm().iter().map(count);
            let (least, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
            let (before, after) = self.thirds(count).unwrap_or_default();
            format!("{least} to {most}; median {before} in the first third, {after} in the last")
        };
        let memory = self.memory().map_or_else(
            || "too few cycles".to_owned(),
            |trend| {
                format!(
                    "{:.1} MiB; slope {:+.1} ± {:.1} KiB a minute (95 %)",
                    trend.mean / 1024.0,
                    trend.slope,
                    trend.margin
                )
            },
        );
        let verdict = &trial.verdict;
        let rows = [
            (
                "time",
                format!(
                    "{:.0} minutes, a fault every {} s",
                    trial.took.as_secs_f64() / 60.0,
                    self.cycle_seconds
                ),
            ),
            ("faults", faults.join(", ")),
            (
                "load",
                format!(
                    "{} events in {} deliveries, {} POSTs not answered 200, slowest {}",
                    trial.events,
                    trial.deliveries,
                    trial.failed(),
                    shown(trial.slowest)
                ),
            ),
            (
                "lost, twice, late",
                format!(
                    "{}, {}, {}",
                    verdict.lost.len() + verdict.early.len(),
                    verdict.twice.len(),
                    verdict.late.len()
                ),
            ),
            ("memory after warm-up", memory),
            ("open files", range(|sample| sample.files)),
            ("tasks", range(|sample| sample.tasks)),
            ("threads", range(|sample| sample.threads)),
        ];
        rows.map(|(what, came)| (what.to_owned(), came)).into()
    }

    /// The section of the document.
    pub fn section(&self) -> String {
        let mut text = format!(
            "Mixed load on one receiver, with a fault every {} s from a list; the receiver itself is stopped and never restarted. Memory,\n\
             files and tasks are read at the end of each cycle, when the last fault is over. The first quarter is warm-up. Memory counts as\n\
             grown when the 95 % interval of the slope is above nothing and the growth is more than 2 %.\n\n| | |\n|---|---|\n",
            self.cycle_seconds
        );
        for (what, came) in self.rows() {
            let _ = writeln!(text, "| {what} | {came} |");
        }
        text.push_str(&outcome(&self.broken(), "every promise, and nothing grew"));
        text
    }
}

fn median(counts: &[usize]) -> Option<usize> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soak(sample: impl Fn(u32) -> Sample) -> Figures {
        let samples = (1..=60).map(|n| Sample {
            minutes: f64::from(n) / 2.0,
            ..sample(n)
        });
        Figures {
            samples: samples.collect(),
            ..Figures::default()
        }
    }

    fn steady(n: u32) -> Sample {
        Sample {
            memory_kib: 20_000.0 + f64::from(n * 7919 % 97),
            files: 30 + (n % 3) as usize,
            tasks: 20,
            threads: 3,
            ..Sample::default()
        }
    }

    #[test]
    fn what_rests_is_kept_even_when_it_grew_in_the_warm_up() {
        assert_eq!(soak(steady).broken(), Vec::<String>::new());
        let warming = soak(|n| Sample {
            memory_kib: steady(n).memory_kib - f64::from(15_u32.saturating_sub(n)) * 500.0,
            ..steady(n)
        });
        assert_eq!(warming.broken(), Vec::<String>::new());
        assert!(warming.section().contains("nothing grew"));
    }

    #[test]
    fn growth_is_told() {
        let leaking = soak(|n| Sample {
            memory_kib: steady(n).memory_kib + f64::from(n) * 20.0,
            files: 30 + n as usize / 2,
            tasks: 20 + n as usize,
            ..steady(n)
        });
        let broken = leaking.broken();
        assert_eq!(broken.len(), 3, "{broken:?}");
        assert!(leaking.section().contains("memory grew by"));
        assert!(!soak(|_| Sample::default()).section().contains("memory grew"));
    }
}
