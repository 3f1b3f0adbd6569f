//! The soak: one receiver under mixed load for long, a fault every so often, and whether anything of it grows.

mod faults;
mod figures;
mod trend;

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use wahook_testbed::process::ReceiverProcess;

pub use figures::{Figures, Sample};
pub use trend::Trend;

use self::faults::{FAULTS, Place};
use crate::client::Pace;
use crate::error::{Result, TortureError};
use crate::mix::{Disturbs, Linked, Scene};
use crate::trial::Ground;

/// The webhook.
const NAME: &str = "soak";
/// New deliveries a second.
pub const RATE: u64 = 60;
/// Ids remembered by the receiver: few, so that this memory is full before the warm-up is over.
const REMEMBERED: u32 = 10_000;

/// Soaks a receiver for so long. Progress is told a line a cycle.
///
/// # Errors
/// When it could not be carried through. What was broken is in the figures.
pub async fn soak(
    ground: &Ground,
    length: Duration,
    cycle: Duration,
    tell: impl Fn(String),
) -> Result<Figures> {
    let scene = Scene::named(NAME, Disturbs::Always, ground, Pace::of(ground));
    let remembered = format!("deduplication: {{memoryEntries: {REMEMBERED}}}");
    let linked = Linked::start(&scene, |setup| setup.section(&remembered)).await?;
    let place = Place {
        scene: &scene,
        linked: &linked,
        deadline: ground.deadline,
    };
    let mut figures = Figures {
        faults: FAULTS.iter().map(|fault| (fault.name, 0)).collect(),
        cycle_seconds: cycle.as_secs(),
        ..Figures::default()
    };
    let strikes = async {
        let (began, end) = (Instant::now(), Instant::now() + length);
        let mut next = began + cycle;
        for (nth, fault) in FAULTS.iter().enumerate().cycle() {
            scene.strike();
            figures.faults[nth].1 += 1;
            (fault.strike)(&place).await?;
            scene.until_taken_again().await?;
            if Instant::now() > next {
                let name = fault.name;
                return Err(TortureError::Unmet(format!("{name}: not over within {cycle:?}")));
            }
            sleep_until(next).await;
            let sample = sample(&linked.member.receiver, began.elapsed()).await?;
            tell(format!(
                "{:5.1} min  {:8.0} KiB  {:3} files  {:3} tasks  {:2} threads  after: {}",
                sample.minutes, sample.memory_kib, sample.files, sample.tasks, sample.threads, fault.name
            ));
            figures.samples.push(sample);
            next += cycle;
            if next > end {
                return Ok(());
            }
        }
        Ok(())
    };
    let reader = async || Ok(linked.broker.client().await?);
    figures.trial = scene.run(&linked.setup, strikes, reader).await?;
    Ok(figures)
}

#[allow(clippy::cast_precision_loss, reason = "far below what a float holds exactly")]
async fn sample(receiver: &ReceiverProcess, at: Duration) -> Result<Sample> {
    let (_, status) = receiver.admin("/status").await?;
    let status: Option<Value> = serde_json::from_str(&status).ok();
    let tasks = status.and_then(|status| status["tasks"].as_u64());
    let tasks = tasks.ok_or_else(|| TortureError::Unmet("/status tells no number of tasks".to_owned()))?;
    Ok(Sample {
        minutes: at.as_secs_f64() / 60.0,
        memory_kib: receiver.rss_kib()? as f64,
        files: receiver.open_files()?,
        tasks: usize::try_from(tasks).unwrap_or(usize::MAX),
        threads: receiver.threads()?,
    })
}
