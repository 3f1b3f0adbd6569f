//! Asks all receivers again and again, remembers what they have seen, and says whose changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::reflector::Store;
use tracing::debug;

use super::ask::Asker;
use super::endpoints::addresses;
use super::seen::Seen;

/// How many receivers are asked at a time.
const AT_ONCE: usize = 16;

/// What the receivers of each webhook have seen, by `namespace/name`.
#[derive(Debug, Default)]
pub struct Sightings(Mutex<HashMap<String, Seen>>);

impl Sightings {
    /// Of one webhook; nothing before it was asked for the first time.
    pub fn of(&self, webhook: &str) -> Option<Seen> {
        self.lock().get(webhook).cloned()
    }

    /// Forgets webhooks that are gone.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.lock().retain(|webhook, _| exists(webhook));
    }

    /// Answers whether this is news.
    fn note(&self, webhook: String, seen: Seen) -> bool {
        let mut all = self.lock();
        let news = all.get(&webhook) != Some(&seen);
        all.insert(webhook, seen);
        news
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for ever, once in `pause`. `webhooks` are those that should have receivers, by namespace and name; `news` is
/// called with whose sightings changed.
pub async fn follow(
    asker: &Asker,
    stores: &[Store<EndpointSlice>],
    sightings: &Sightings,
    pause: Duration,
    webhooks: impl Fn() -> Vec<(String, String)>,
    news: impl Fn(&str, &str),
) {
    loop {
        tokio::time::sleep(pause).await;
        let looks = stream::iter(webhooks()).map(async |(namespace, webhook)| {
            let mut pages = Vec::new();
            for address in addresses(stores, &namespace, &webhook) {
                match asker.ask(address).await {
                    Ok(page) => pages.push(page),
                    Err(error) => debug!(namespace, webhook, %address, %error, "a receiver did not say what it has seen"),
                }
            }
            let seen = Seen::of(&namespace, &webhook, &pages);
            (namespace, webhook, seen)
        });
        let mut looks = std::pin::pin!(looks.buffer_unordered(AT_ONCE));
        while let Some((namespace, webhook, seen)) = looks.next().await {
            if sightings.note(format!("{namespace}/{webhook}"), seen) {
                news(&namespace, &webhook);
            }
        }
    }
}
