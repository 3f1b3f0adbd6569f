//! Who is run when: in every round all contestants one after the other at each work, and every other round in reverse, so
//! that what a machine does meanwhile meets all of them alike.

use std::ops::Range;
use std::time::Duration;

use crate::peer::{Peer, Program, RedisProgram, Tuning};
use crate::results::{Cell, Results, Void};
use crate::run::{Plan, RunError, run};

/// What a series of rounds measures.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The works, each with who takes part and in which rounds.
    pub cells: Vec<(Cell, Vec<Peer>, Range<u32>)>,
    /// How long each run is warmed up.
    pub warm_up: Duration,
    /// How long each run is measured.
    pub time: Duration,
}

/// One run to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What.
    pub cell: Cell,
    /// Who.
    pub peer: Peer,
    /// In which round, from 0.
    pub round: u32,
}

impl Schedule {
    /// Every run, in order.
    pub fn turns(&self) -> Vec<Turn> {
        let rounds = self
            .cells
            .iter()
            .map(|(_, _, rounds)| rounds.end)
            .max()
            .unwrap_or_default();
        let mut turns = Vec::new();
        for round in 0..rounds {
            for (cell, peers, _) in self.cells.iter().filter(|(_, _, rounds)| rounds.contains(&round)) {
                let mut order = peers.clone();
                if round % 2 == 1 {
                    order.reverse();
                }
                turns.extend(order.into_iter().map(|peer| Turn {
                    cell: *cell,
                    peer,
                    round,
                }));
            }
        }
        turns
    }

    /// Runs everything; `keep` is called after each run, so that a long series that is cut off is not lost.
    pub async fn run(
        &self,
        programs: &[Program],
        redis: Option<&RedisProgram>,
        results: &mut Results,
        keep: &mut dyn FnMut(&Results),
    ) {
        let turns = self.turns();
        for (number, turn) in turns.iter().enumerate() {
            let Some(program) = programs.iter().find(|program| program.peer == turn.peer) else {
                continue;
            };
            let plan = Plan {
                cell: turn.cell,
                round: turn.round,
                warm_up: self.warm_up,
                time: self.time,
                tuning: Tuning::default(),
                fill: 0,
            };
            let outcome = run(program, redis, &plan).await;
            let told = match &outcome {
                Ok(sample) => format!("{:.1} us/request, {:.0}/s", sample.cpu, sample.per_second),
                Err(error) => format!("does not count: {error}"),
            };
            eprintln!(
                "bench: {}/{} round {}: {}: {}: {told}",
                number + 1,
                turns.len(),
                turn.round + 1,
                turn.cell,
                turn.peer
            );
            match outcome {
                Ok(sample) => results.samples.push(sample),
                Err(error) => results.void.push(Void {
                    peer: turn.peer,
                    cell: turn.cell,
                    round: turn.round,
                    broken_promise: matches!(error, RunError::Loss(_)),
                    reason: error.to_string(),
                }),
            }
            keep(results);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_round_is_reversed_and_works_stay_together() {
        let own = vec![Peer::FloorEcho, Peer::Receiver];
        let schedule = Schedule {
            cells: vec![(Cell::TEXT, own.clone(), 0..2), (Cell::HUNDRED, own, 0..1)],
            warm_up: Duration::ZERO,
            time: Duration::ZERO,
        };
        let turns: Vec<_> = schedule
            .turns()
            .into_iter()
            .map(|turn| (turn.round, turn.cell, turn.peer))
            .collect();
        assert_eq!(
            turns,
            [
                (0, Cell::TEXT, Peer::FloorEcho),
                (0, Cell::TEXT, Peer::Receiver),
                (0, Cell::HUNDRED, Peer::FloorEcho),
                (0, Cell::HUNDRED, Peer::Receiver),
                (1, Cell::TEXT, Peer::Receiver),
                (1, Cell::TEXT, Peer::FloorEcho),
            ]
        );
    }
}
