//! Why there is no connection: the client's own events name the kind of a failure ("IO error"), and that is no help to
//! whoever has to find a wrong certificate.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::{ConnectOptions, ServerAddr};
use tracing::warn;
use wahook_stream::connect::chain;

use super::link::Link;

/// How often the reason is looked for while nothing changes.
const EVERY: Duration = Duration::from_secs(30);

/// Connects once more by itself, only to learn why that fails.
pub(super) struct Diagnosis {
    servers: Vec<ServerAddr>,
    options: ConnectOptions,
    next: Mutex<Option<Instant>>,
}

impl Diagnosis {
    /// A diagnosis of connections to `servers` with `options`.
    pub(super) fn new(servers: Vec<ServerAddr>, options: ConnectOptions) -> Self {
        Self {
            servers,
            options,
            next: Mutex::default(),
        }
    }

    /// Begins to look for the reason, in the background, unless that was done a moment ago.
    pub(super) fn begin(&self, link: &Arc<Link>) {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_some_and(|next| now < next) {
            return;
        }
        *next = Some(now + EVERY);
        drop(next);
        let attempt = self.options.clone().connect(self.servers.clone());
        let link = Arc::clone(link);
        tokio::spawn(async move {
            if let Err(error) = attempt.await
                && !link.is_retired()
            {
                let reason = chain(&error);
                link.health().complained(&reason);
                warn!(
                    reason,
                    "cannot connect to NATS; trying for ever. Check nats.servers, the credentials and the TLS files"
                );
            }
        });
    }
}
