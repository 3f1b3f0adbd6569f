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
    /// Grows with every change of the resource, such as of its route.
    pub generation: i64,
}

#[derive(Debug)]
struct Memory {
    url: String,
    generation: i64,
    outcome: Outcome,
    next: Instant,
}

impl Memory {
    /// Whether it is of the route as it is now.
    fn is_of(&self, due: &Due) -> bool {
        (&self.url, self.generation) == (&due.url, due.generation)
    }
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

    /// Forgets all but these: what was seen of a URL that nobody looks at any more is soon wrong.
    pub fn retain(&self, looked_at: &[Due]) {
        let urls: HashMap<String, &str> = looked_at.iter().map(|due| (key(due), due.url.as_str())).collect();
        self.lock()
            .retain(|webhook, memory| urls.get(webhook) == Some(&memory.url.as_str()));
    }

    /// Whether it is this one's turn.
    pub fn is_due(&self, due: &Due) -> bool {
        match self.lock().get(&key(due)) {
            Some(memory) => !memory.is_of(due) || Instant::now() >= memory.next,
            None => true,
        }
    }

    /// Whether a large body has to be sent along: none got through since the route last changed or broke.
    pub fn wants_body(&self, due: &Due) -> bool {
        let all = self.lock();
        let memory = all.get(&key(due)).filter(|memory| memory.is_of(due));
        memory.and_then(|memory| memory.outcome.carried) != Some(true)
    }

    /// Remembers, and answers whether this is news. What is right is looked at again after `pause`, about.
    pub fn note(&self, due: &Due, mut outcome: Outcome, pause: Duration) -> bool {
        let is_good = outcome.truth == crate::status::Truth::True;
        let pause = if is_good { pause } else { pause / EAGER };
        // Not all at the same moment.
        let next = Instant::now() + pause.mul_f64(rand::random_range(0.9..1.1));
        let mut all = self.lock();
        let before = all.get(&key(due)).filter(|memory| memory.url == due.url);
        // What got through gets through, as long as nothing breaks.
        if is_good && let Some(memory) = before.filter(|memory| memory.generation == due.generation) {
            outcome.carried = outcome.carried.or(memory.outcome.carried);
        }
        let news = before.is_none_or(|memory| !memory.outcome.says_the_same(&outcome));
        let memory = Memory {
            url: due.url.clone(),
            generation: due.generation,
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

#[cfg(test)]
mod tests {
    use wahook_crds::conditions::Reason;

    use super::*;
    use crate::status::Truth;

    #[tokio::test(start_paused = true)]
    async fn a_large_body_is_sent_until_one_got_through_and_after_every_change() {
        let due = |generation| Due {
            namespace: "shop".to_owned(),
            webhook: "main".to_owned(),
            url: "https://hooks.example.com/webhook".to_owned(),
            generation,
        };
        let outcome = |truth, carried| Outcome {
            truth,
            reason: Reason::Reachable,
            message: String::new(),
            not_after: None,
            carried,
            took: Duration::ZERO,
        };
        let pause = Duration::from_secs(100);
        let (probes, first) = (Probes::default(), due(1));
        assert!(probes.is_due(&first) && probes.wants_body(&first));
        // The receivers were too busy to tell.
        assert!(probes.note(&first, outcome(Truth::True, None), pause));
        assert!(!probes.is_due(&first) && probes.wants_body(&first));
        assert!(
            !probes.note(&first, outcome(Truth::True, Some(true)), pause),
            "no news"
        );
        assert!(!probes.wants_body(&first));
        // Looks without a body change nothing about it.
        assert!(!probes.note(&first, outcome(Truth::True, None), pause));
        assert!(!probes.wants_body(&first));
        // A change of the resource, or a failure, asks for another.
        assert!(probes.is_due(&due(2)) && probes.wants_body(&due(2)));
        assert!(probes.note(&first, outcome(Truth::False, None), pause));
        assert!(probes.wants_body(&first));
        assert!(probes.note(&first, outcome(Truth::True, Some(true)), pause));
        assert!(!probes.note(&due(2), outcome(Truth::True, None), pause));
        assert!(
            probes.wants_body(&due(2)),
            "what got through was of the old route"
        );
    }
}
