//! Remembers what looks came to, whose turn the next one is, and whose changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::Outcome;

/// What is wrong is looked at this many times as often as what is right.
const EAGER: u32 = 5;

/// A webhook whose URL may be looked at.
#[derive(Clone, Debug)]
pub struct Due {
    /// The webhook's namespace.
    pub namespace: String,
    /// Its name.
    pub webhook: String,
    /// The URL, which says whether what is remembered is still of it.
    pub url: String,
}

#[derive(Debug)]
struct Memory {
    url: String,
    outcome: Outcome,
    next: Instant,
}

/// What the last looks came to, by `namespace/name`.
#[derive(Debug, Default)]
pub struct Probes(Mutex<HashMap<String, Memory>>);

impl Probes {
    /// Of one webhook's URL; nothing before it was looked at for the first time.
    pub fn of(&self, webhook: &str, url: &str) -> Option<Outcome> {
        let all = self.lock();
        let memory = all.get(webhook).filter(|memory| memory.url == url);
        memory.map(|memory| memory.outcome.clone())
    }

    /// All of them, for metrics.
    pub fn all(&self) -> Vec<(String, Outcome)> {
        let all = self.lock();
        all.iter()
            .map(|(webhook, memory)| (webhook.clone(), memory.outcome.clone()))
            .collect()
    }

    /// Forgets webhooks that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.lock().retain(|webhook, _| exists(webhook));
    }

    /// Whether it is this one's turn.
    pub fn is_due(&self, due: &Due) -> bool {
        match self.lock().get(&key(due)) {
            Some(memory) => memory.url != due.url || Instant::now() >= memory.next,
            None => true,
        }
    }

    /// Remembers, and answers whether this is news. What is right is looked at again after `pause`, about.
    pub fn note(&self, due: &Due, outcome: Outcome, pause: Duration) -> bool {
        let is_good = outcome.truth == crate::status::Truth::True;
        let pause = if is_good { pause } else { pause / EAGER };
        // Not all at the same moment.
        let next = Instant::now() + pause.mul_f64(rand::random_range(0.9..1.1));
        let mut all = self.lock();
        let before = all.get(&key(due)).filter(|memory| memory.url == due.url);
        let news = before.is_none_or(|memory| !memory.outcome.says_the_same(&outcome));
        let memory = Memory {
            url: due.url.clone(),
            outcome,
            next,
        };
        all.insert(key(due), memory);
        news
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Memory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(due: &Due) -> String {
    format!("{}/{}", due.namespace, due.webhook)
}
