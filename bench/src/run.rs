//! One run: a fresh store, a fresh contestant, a warm-up, the load between two looks at the kernel's accounts, and the
//! stored events counted.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::task::block_in_place;

use crate::corpus::{Corpus, Work};
use crate::load::{Fate, LoadError, Outcome, closed, paced};
use crate::measure::{self, MeasureError, Memory};
use crate::peer::{Keeps, Peer, Program, RedisProgram, Running, StartError, Tuning};
use crate::results::{Cell, Pace, Sample};
use crate::stats::percentile;
use crate::store::{Store, StoreError};
use crate::verify::{Ledger, Loss};

/// How long a contestant rests before its memory at rest is read.
const REST: Duration = Duration::from_millis(300);
/// The most memory that a corpus takes, in bytes.
const CORPUS_BYTES: usize = 1 << 30;
/// Connections of a fixed rate.
const PACED_CONNECTIONS: usize = 64;
/// How many deliveries of a hundred statuses fill the receiver's memory at a time.
const FILL_AT_ONCE: usize = 4000;

/// Why a run does not count.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No contestant.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No figures.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Events were lost, doubled or invented.
    #[error("{0}")]
    Loss(Loss),
    /// Hardly anything was answered.
    #[error("only {0} requests were answered. The contestant's last lines:\n{1}")]
    Idle(usize, String),
    /// Some requests got no answer at all.
    #[error("{0} requests got no answer")]
    Unanswered(u64),
    /// Workers died.
    #[error("its processes changed during the run: a worker died")]
    Restarted,
}

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The cell.
    pub cell: Cell,
    /// The round, from 0.
    pub round: u32,
    /// How long it is warmed up.
    pub warm_up: Duration,
    /// How long it is measured.
    pub time: Duration,
    /// What is changed of the receiver.
    pub tuning: Tuning,
    /// How many ids the receiver is given to remember before, in hundreds.
    pub fill: usize,
}

/// Runs a contestant once.
///
/// # Errors
/// [`RunError`]: the run does not count.
pub async fn run(program: &Program, redis: Option<&RedisProgram>, plan: &Plan) -> Result<Sample, RunError> {
    let store = Store::start(program.peer.keeps(), redis).await?;
    let running = Running::start(program, &store, plan.tuning).await?;
    let sample = measured(program.peer, &store, &running, plan).await;
    running.stop().await;
    sample
}

async fn measured(peer: Peer, store: &Store, running: &Running, plan: &Plan) -> Result<Sample, RunError> {
    let mut ledger = Ledger::default();
    let first = Corpus::make(Work::Text, 1, 0);
    let first_200 = block_in_place(|| running.first_200(first.request(0)))?;
    ledger.acknowledged(&first);
    tokio::time::sleep(REST).await;
    let idle = running.tree().memory()?;

    let mut serial = fill(running, plan.fill, first.next(), &mut ledger)?;
    let warm_up = Arc::new(Corpus::make(plan.cell.work, warm_up_count(plan), serial));
    serial = warm_up.next();
    let outcome = load(running, &warm_up, plan.cell.pace, plan.warm_up)?;
    ledger.enter(&warm_up, &outcome);
    if outcome.answered() < 2 {
        return Err(RunError::Idle(outcome.answered(), running.last_words()));
    }
    let corpus = Arc::new(Corpus::make(
        plan.cell.work,
        measured_count(plan, &outcome),
        serial,
    ));
    drop(warm_up);

    let before = Account::of(store, running)?;
    let outcome = load(running, &corpus, plan.cell.pace, plan.time)?;
    let after = Account::of(store, running)?;
    if before.tree != after.tree {
        return Err(RunError::Restarted);
    }
    ledger.enter(&corpus, &outcome);
    if peer.keeps() != Keeps::Nothing {
        ledger.check(&store.read().await?).map_err(RunError::Loss)?;
    }
    if ledger.unanswered > 0 {
        return Err(RunError::Unanswered(ledger.unanswered));
    }
    let Some(sample) = sample(peer, plan, &corpus, &outcome, &before, &after) else {
        return Err(RunError::Idle(outcome.answered(), running.last_words()));
    };
    Ok(Sample {
        idle: mebibytes(idle.now),
        peak: mebibytes(after.memory.peak),
        first_200: first_200.as_secs_f64() * 1e3,
        refused: ledger.refused,
        ..sample
    })
}

/// Gives the receiver so many hundreds of ids to remember; the next serial number.
fn fill(running: &Running, hundreds: usize, mut serial: u32, ledger: &mut Ledger) -> Result<u32, RunError> {
    let mut left = hundreds;
    while left > 0 {
        let corpus = Arc::new(Corpus::make(Work::Statuses(100), left.min(FILL_AT_ONCE), serial));
        let outcome = load(running, &corpus, Pace::Closed(32), Duration::from_secs(60))?;
        ledger.enter(&corpus, &outcome);
        serial = corpus.next();
        left -= corpus.len();
    }
    Ok(serial)
}

fn load(running: &Running, corpus: &Arc<Corpus>, pace: Pace, time: Duration) -> Result<Outcome, LoadError> {
    block_in_place(|| match pace {
        Pace::Closed(connections) => closed(running.address(), corpus, connections as usize, time),
        Pace::PerSecond(rate) => paced(running.address(), corpus, PACED_CONNECTIONS, rate),
    })
}

/// Nobody's rate is known yet.
fn warm_up_count(plan: &Plan) -> usize {
    match plan.cell.pace {
        Pace::PerSecond(rate) => at_rate(f64::from(rate), plan.warm_up),
        Pace::Closed(connections) => {
            let most = (64 << 20) / plan.cell.work.bytes();
            most.max(connections as usize * 2)
        }
    }
}

/// More than can be sent in the time, by the rate of the warm-up, so that no run is cut short; yet no more than memory takes.
fn measured_count(plan: &Plan, warm_up: &Outcome) -> usize {
    match plan.cell.pace {
        Pace::PerSecond(rate) => at_rate(f64::from(rate), plan.time),
        Pace::Closed(connections) => {
            #[allow(clippy::cast_precision_loss, reason = "a few million at most")]
            let rate = warm_up.answered() as f64 / warm_up.elapsed.as_secs_f64();
            let count = at_rate(2.0 * rate, plan.time) + 4 * connections as usize;
            count.min(CORPUS_BYTES / plan.cell.work.bytes())
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few million at most"
)]
fn at_rate(rate: f64, time: Duration) -> usize {
    (rate * time.as_secs_f64()) as usize
}

/// What everybody has used so far.
struct Account {
    tree: measure::Tree,
    memory: Memory,
    peer: Duration,
    store: Duration,
    own: Duration,
    machine: Duration,
}

impl Account {
    fn of(store: &Store, running: &Running) -> Result<Self, MeasureError> {
        let tree = running.tree();
        Ok(Self {
            memory: tree.memory()?,
            peer: tree.cpu()?,
            tree,
            store: store.cpu()?,
            own: measure::own_cpu()?,
            machine: measure::machine_cpu(),
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of a run")]
fn sample(
    peer: Peer,
    plan: &Plan,
    corpus: &Corpus,
    outcome: &Outcome,
    before: &Account,
    after: &Account,
) -> Option<Sample> {
    let answered = outcome.answered();
    let fates = corpus.deliveries().iter().zip(&outcome.fates);
    let events = fates
        .filter(|(_, fate)| matches!(fate, Fate::Answered(_)))
        .map(|(delivery, _)| delivery.serials.len() as u64)
        .sum();
    let unsent = match plan.cell.pace {
        Pace::Closed(_) => 0,
        Pace::PerSecond(_) => outcome.fates.iter().filter(|fate| **fate == Fate::Unsent).count(),
    };
    let used = |of: fn(&Account) -> Duration| of(after).saturating_sub(of(before));
    let for_each = |time: Duration| time.as_secs_f64() * 1e6 / answered as f64;
    let (of_peer, of_store) = (used(|account| account.peer), used(|account| account.store));
    let ours = of_peer + of_store + used(|account| account.own);
    let cores = available_parallelism().map_or(1, std::num::NonZero::get) as f64;
    let others = used(|account| account.machine).saturating_sub(ours).as_secs_f64();
    let milliseconds = |share: f64| f64::from(percentile(&outcome.latencies, share)) / 1e3;
    (answered > 1).then(|| Sample {
        peer,
        cell: plan.cell,
        round: plan.round,
        requests: answered as u64,
        events,
        cpu: for_each(of_peer),
        store: for_each(of_store),
        per_second: answered as f64 / outcome.elapsed.as_secs_f64(),
        p50: milliseconds(0.5),
        p99: milliseconds(0.99),
        p999: milliseconds(0.999),
        idle: 0.0,
        peak: 0.0,
        first_200: 0.0,
        refused: 0,
        unsent: unsent as u64,
        others: (others / outcome.elapsed.as_secs_f64() / cores).min(1.0),
    })
}

#[allow(clippy::cast_precision_loss, reason = "the memory of this machine")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
