//! A steady stream of signed messages, each repeated until it is taken, as Meta does; and what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use wahook_events::samples;
use wahook_testbed::meta::MetaClient;
use wahook_testbed::stream::Stored;

use super::error::{E2eError, Result, expect};

/// Messages a second.
pub(super) const RATE: u64 = 300;
/// How long the load runs before and after what happens under it.
const AROUND: Duration = Duration::from_secs(3);
/// When a message that was refused is sent again. Meta waits longer.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long a message may be refused.
const GIVE_UP: Duration = Duration::from_secs(60);

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How many messages.
    pub(super) sent: usize,
    /// The first answers other than 200, by status; 0 for no whole answer.
    pub(super) refused: BTreeMap<u16, usize>,
    /// The slowest answer.
    pub(super) slowest: Duration,
    tag: String,
}

/// Posts while `work` goes on, and a little before and after. Every message is taken in the end, or it is an error.
pub(super) async fn under<T>(
    meta: &MetaClient,
    tag: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<(T, Outcome)> {
    let sample = samples::get("text").ok_or_else(|| E2eError::Unmet("there is no sample `text`".into()))?;
    let tag = format!("{tag}{:08x}", rand::random::<u32>());
    let (meta, body_tag) = (meta.clone(), tag.clone());
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let sender = tokio::spawn(async move {
        let mut outcome = Outcome::default();
        let mut running = JoinSet::new();
        let mut ticks = interval(Duration::from_micros(1_000_000 / RATE));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let meta = Arc::new(meta);
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                _ = ticks.tick() => {
                    let body = samples::fresh(sample, &format!("{body_tag}-{}-", outcome.sent), None);
                    outcome.sent += 1;
                    running.spawn(deliver(Arc::clone(&meta), Bytes::from(body)));
                }
                Some(done) = running.join_next(), if !running.is_empty() => note(&mut outcome, done)?,
            }
        }
        while let Some(done) = running.join_next().await {
            note(&mut outcome, done)?;
        }
        Ok::<_, E2eError>(outcome)
    });
    sleep(AROUND).await;
    let done = work.await;
    sleep(AROUND).await;
    // It has ended already only when it failed, which it says below.
    let _ = stop.send(());
    let mut outcome = sender
        .await
        .map_err(|error| E2eError::Unmet(format!("the load ended early: {error}")))??;
    outcome.tag = tag;
    Ok((done?, outcome))
}

/// One message until it is taken: the first answer and the slowest one.
async fn deliver(meta: Arc<MetaClient>, body: Bytes) -> Result<(u16, Duration)> {
    let began = Instant::now();
    let mut first = None;
    let mut slowest = Duration::ZERO;
    loop {
        let answer = meta.post(body.clone()).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        slowest = slowest.max(answer.map(|answer| answer.elapsed).unwrap_or_default());
        let first = *first.get_or_insert(status);
        if status == 200 {
            return Ok((first, slowest));
        }
        // No answer and 5xx are what Meta repeats; anything else would be wrong for a signed message.
        expect(
            began.elapsed() < GIVE_UP && (status == 0 || status >= 500 || status == 404),
            || format!("a signed message was answered {status}"),
        )?;
        sleep(AGAIN_AFTER).await;
    }
}

fn note(
    outcome: &mut Outcome,
    done: std::result::Result<Result<(u16, Duration)>, tokio::task::JoinError>,
) -> Result {
    let (first, slowest) = done.map_err(|error| E2eError::Unmet(error.to_string()))??;
    if first != 200 {
        *outcome.refused.entry(first).or_default() += 1;
    }
    outcome.slowest = outcome.slowest.max(slowest);
    Ok(())
}

impl Outcome {
    /// Every message is in the stream, and none twice.
    pub(super) fn each_once(&self, stored: &[Stored]) -> Result {
        let mut seen = BTreeSet::new();
        for message in stored {
            let text = String::from_utf8_lossy(&message.payload);
            let Some((_, rest)) = text.split_once(&format!("{}-", self.tag)) else {
                continue;
            };
            let number: usize = rest
                .split('-')
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or(usize::MAX);
            expect(seen.insert(number), || {
                format!("message {number} of {} is stored twice", self.tag)
            })?;
        }
        let lost: Vec<_> = (0..self.sent).filter(|number| !seen.contains(number)).collect();
        expect(lost.is_empty(), || {
            format!("{} of {} messages are lost: {lost:?}", lost.len(), self.sent)
        })?;
        expect(seen.len() == self.sent, || {
            format!("{} messages are stored, {} were sent", seen.len(), self.sent)
        })
    }

    /// No first answer was anything but 200.
    pub(super) fn none_refused(&self) -> Result {
        expect(self.refused.is_empty(), || {
            format!(
                "of {} messages some were not taken at once (0 is no answer): {:?}",
                self.sent, self.refused
            )
        })
    }

    /// For the report.
    pub(super) fn told(&self) -> String {
        let refused: usize = self.refused.values().sum();
        format!(
            "{} messages, {refused} refused at first {:?}, 0 lost, 0 twice, slowest answer {} ms",
            self.sent,
            self.refused,
            self.slowest.as_millis()
        )
    }
}
