//! Posts many bodies over several connections and counts what came back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::MetaClient;
use crate::log::lock;

/// What a load run brought.
#[derive(Clone, Debug, Default)]
pub struct LoadReport {
    /// How often each status came.
    pub statuses: BTreeMap<u16, usize>,
    /// Requests without a whole answer: refused, reset, timed out.
    pub failures: usize,
    /// The time of each answered request, shortest first.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

impl LoadReport {
    /// How often this status came.
    pub fn count(&self, status: u16) -> usize {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// The latency that this share of the answers (0.0 to 1.0) did not exceed; zero without answers.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss
    )]
    pub fn percentile(&self, share: f64) -> Duration {
        let rank = (share.clamp(0.0, 1.0) * self.latencies.len() as f64).ceil() as usize;
        self.latencies
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }

    /// Answers per second.
    #[allow(clippy::cast_precision_loss)]
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// Posts every body once, signed, from `connections` tasks that each keep a connection of their own.
///
/// # Errors
/// `reqwest`'s, when no client can be built. A request that fails is counted, not an error.
pub async fn load<I>(client: &MetaClient, bodies: I, connections: usize) -> reqwest::Result<LoadReport>
where
    I: IntoIterator<Item = Vec<u8>>,
    I::IntoIter: Send + 'static,
{
    let bodies = Arc::new(Mutex::new(bodies.into_iter()));
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..connections.max(1) {
        let (client, bodies) = (client.with_new_connections()?, Arc::clone(&bodies));
        tasks.push(tokio::spawn(async move {
            let mut report = LoadReport::default();
            let next = || lock(&bodies).next();
            while let Some(body) = next() {
                match client.post(Bytes::from(body)).await {
                    Ok(answer) => {
                        *report.statuses.entry(answer.status).or_default() += 1;
                        report.latencies.push(answer.elapsed);
                    }
                    Err(_) => report.failures += 1,
                }
            }
            report
        }));
    }
    let mut total = LoadReport::default();
    for task in tasks {
        // A task can only end early by a panic of the caller's iterator; its requests are then missing in the sums.
        let part = task.await.unwrap_or_default();
        total.failures += part.failures;
        total.latencies.extend(part.latencies);
        for (status, count) in part.statuses {
            *total.statuses.entry(status).or_default() += count;
        }
    }
    total.elapsed = started.elapsed();
    total.latencies.sort_unstable();
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_rank() {
        let latencies = (1..=100).map(Duration::from_millis).collect();
        let report = LoadReport {
            latencies,
            ..LoadReport::default()
        };
        assert_eq!(report.percentile(0.5), Duration::from_millis(50));
        assert_eq!(report.percentile(0.99), Duration::from_millis(99));
        assert_eq!(report.percentile(1.0), Duration::from_millis(100));
        assert_eq!(LoadReport::default().percentile(0.5), Duration::ZERO);
    }
}
