//! How the receiver's cost grows: with connections, with the size of a body, with the ids it remembers. (How the
//! operator's grows with resources is what `cargo xtask scale` measures.)

use std::time::Duration;

use crate::corpus::{Corpus, Work};
use crate::peer::{Program, Tuning};
use crate::results::{Cell, Point, Results, Series, Void};
use crate::run::{Plan, RunError, run};

/// Up to the receiver's default limit.
const CONNECTIONS: [u32; 5] = [1, 8, 64, 512, 4096];
/// Statuses in a body: about 1 KB, 10 KB, 100 KB, 1 MB, and nearly the 3 MiB that are the default limit.
const STATUSES: [u32; 5] = [2, 27, 285, 2850, 8900];
/// Few, since each body of the largest is admitted alone.
const LARGE_CONNECTIONS: u32 = 4;
/// Ids remembered. The default is 100,000, and none at all cannot be asked for.
const REMEMBERED: [u32; 4] = [1, 100_000, 1_000_000, 5_000_000];

/// Measures all three series with the receiver; `keep` is called after each point.
pub async fn run_all(
    receiver: &Program,
    rounds: u32,
    times: (Duration, Duration),
    results: &mut Results,
    keep: &mut dyn FnMut(&Results),
) {
    for round in 0..rounds {
        for (series, at, plan) in plans(round, times) {
            // Five million ids are filled in once.
            if series == Series::Remembered && round > 0 && at > 1_000_000 {
                continue;
            }
            let outcome = run(receiver, None, &plan).await;
            let told = match &outcome {
                Ok(sample) => format!("{:.1} us/request", sample.cpu),
                Err(error) => format!("does not count: {error}"),
            };
            eprintln!("bench: growth, round {}: {series:?} {at}: {told}", round + 1);
            match outcome {
                Ok(sample) => results.growth.push(Point { series, at, sample }),
                Err(error) => results.void.push(Void {
                    peer: receiver.peer,
                    cell: plan.cell,
                    round,
                    broken_promise: matches!(error, RunError::Loss(_)),
                    reason: error.to_string(),
                }),
            }
            keep(results);
        }
    }
}

fn plans(round: u32, (warm_up, time): (Duration, Duration)) -> Vec<(Series, u64, Plan)> {
    let plan = Plan {
        cell: Cell::TEXT,
        round,
        warm_up,
        time,
        tuning: Tuning::default(),
        fill: 0,
    };
    let mut plans = Vec::new();
    for connections in CONNECTIONS {
        let cell = Cell::closed(Work::Text, connections);
        plans.push((Series::Connections, u64::from(connections), Plan { cell, ..plan }));
    }
    for statuses in STATUSES {
        let work = Work::Statuses(statuses);
        let cell = Cell::closed(work, LARGE_CONNECTIONS);
        let bytes = body_bytes(&Corpus::make(work, 1, 0));
        plans.push((Series::Body, bytes, Plan { cell, ..plan }));
    }
    for ids in REMEMBERED {
        let tuning = Tuning {
            memory_entries: Some(ids),
        };
        let fill = ids as usize / 100;
        plans.push((Series::Remembered, u64::from(ids), Plan { tuning, fill, ..plan }));
    }
    plans
}

fn body_bytes(corpus: &Corpus) -> u64 {
    let request = corpus.request(0);
    let head = request.windows(4).position(|window| window == b"\r\n\r\n");
    head.map_or(0, |head| request.len() - head - 4) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_grow_from_one_kilobyte_to_the_limit() {
        let plans = plans(0, (Duration::ZERO, Duration::ZERO));
        let sizes: Vec<u64> = plans
            .iter()
            .filter(|(series, _, _)| *series == Series::Body)
            .map(|(_, at, _)| *at)
            .collect();
        for (size, about) in sizes.iter().zip([1_000, 10_000, 100_000, 1_000_000, 3_100_000]) {
            assert!(
                (about * 8 / 10..=about * 12 / 10).contains(size),
                "{size} for {about}"
            );
        }
        assert!(sizes.iter().all(|size| *size <= 3 << 20), "{sizes:?}");
    }
}
