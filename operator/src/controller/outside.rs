//! What no watch tells: what the receivers have seen, and what the world sees of a webhook. Asked again and again beside the
//! reconciles, which only read what came of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::reflector::{ObjectRef, Store};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::mpsc::Sender;
use tracing::warn;

use super::context::Context;
use super::wake;
use super::watches::Wake;
use crate::names;
use crate::observe::read_own_value;
use crate::probe::{Due, LARGEST, Outcome, Prober, Proxies, Sight, Target};
use crate::receivers::{self, Asker};
use crate::settings::SecretAccess;

/// How often is looked whose URL's turn it is.
const TICK: Duration = Duration::from_secs(5);
/// How many URLs are looked at a time.
const AT_ONCE: usize = 4;

/// Asks the receivers what they have seen, and wakes those of whom there is news.
pub(super) async fn follow_receivers(
    context: Arc<Context>,
    slices: Vec<Store<EndpointSlice>>,
    wakers: Vec<Sender<Wake>>,
) {
    let asker = match Asker::new() {
        Ok(asker) => asker,
        Err(error) => {
            warn!(%error, "receivers cannot be asked what they have seen");
            return;
        }
    };
    let webhooks = || context.with_receivers();
    let news = |namespace: &str, name: &str| wake(&ObjectRef::new(name).within(namespace), &wakers);
    receivers::follow(
        &asker,
        &slices,
        &context.sightings,
        context.timing.receivers,
        webhooks,
        news,
    )
    .await;
}

/// Looks at the public URLs as Meta would, and wakes those of which there is news.
pub(super) async fn follow_endpoints(context: Arc<Context>, wakers: Vec<Sender<Wake>>) {
    let Some(pause) = context.timing.probe else {
        return;
    };
    if context.settings.secret_access == SecretAccess::None {
        return;
    }
    let proxies = Proxies::from_env();
    let mut latest = Latest::default();
    loop {
        tokio::time::sleep(TICK.min(pause)).await;
        let authorities = context.settings.probe.ca.current();
        let make = |authorities: Option<&str>| prober_with(&context, authorities, &proxies);
        // A file that is no use may be mended.
        let Some(prober) = latest.of(authorities, make) else {
            continue;
        };
        let due = context
            .with_url()
            .into_iter()
            .filter(|due| context.probes.is_due(due));
        let looks: Vec<_> = due
            .map(|due| look_at(Arc::clone(&context), prober.clone(), due))
            .collect();
        let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
        while let Some((due, outcome)) = looks.next().await {
            if let Some(outcome) = outcome
                && context.probes.note(&due, outcome, pause)
            {
                wake(&ObjectRef::new(&due.webhook).within(&due.namespace), &wakers);
            }
        }
    }
}

/// What was made of the newest authorities that are of use. What is of none is tried once, until it changes.
struct Latest<T> {
    tried: Option<String>,
    made: Option<T>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self {
            tried: None,
            made: None,
        }
    }
}

impl<T> Latest<T> {
    fn of(
        &mut self,
        authorities: Option<String>,
        make: impl FnOnce(Option<&str>) -> Option<T>,
    ) -> Option<&T> {
        let is_first = self.made.is_none() && authorities.is_none();
        if is_first || self.tried != authorities {
            self.made = make(authorities.as_deref()).or(self.made.take());
            self.tried = authorities;
        }
        self.made.as_ref()
    }
}

/// Nothing, and a line in the log, when these authorities are none.
fn prober_with(context: &Context, authorities: Option<&str>, proxies: &Proxies) -> Option<Prober> {
    let pem = authorities.unwrap_or_default().as_bytes();
    let authorities = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>();
    let prober = authorities
        .map_err(|error| error.to_string())
        .and_then(|authorities| {
            let sight = Sight {
                private_addresses: context.settings.probe.private_addresses,
                authorities,
                proxies: proxies.clone(),
            };
            Prober::new(sight).map_err(|error| error.to_string())
        });
    prober
        .inspect_err(|error| warn!(error, "public URLs cannot be looked at with these authorities"))
        .ok()
}

/// Looks at one URL; at none without the key that receivers prove themselves with.
async fn look_at(context: Arc<Context>, prober: Prober, due: Due) -> (Due, Option<Outcome>) {
    let outcome = match target(&context, &due).await {
        Some(target) => Some(prober.probe(&target).await),
        None => None,
    };
    (due, outcome)
}

async fn target(context: &Context, due: &Due) -> Option<Target> {
    let (host, path) = due.url.strip_prefix("https://")?.split_once('/')?;
    let secret = names::child(&due.webhook);
    let key = read_own_value(&context.client, &due.namespace, &secret, names::PROBE_KEY).await?;
    Some(Target {
        host: host.to_owned(),
        path: format!("/{path}"),
        key,
        body: context.probes.wants_body(due).then_some(LARGEST),
    })
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::authorities::Authorities;
    use crate::controller::context::tests::context;

    #[tokio::test(start_paused = true)]
    async fn authorities_that_are_no_use_end_nothing() {
        let mut context = context(&[]);
        context.settings.probe.ca = Authorities::from("-----BEGIN CERTIFICATE-----\nnone\n");
        let following = follow_endpoints(Arc::new(context), Vec::new());
        assert!(timeout(TICK * 10, following).await.is_err());
    }

    #[test]
    fn what_is_of_no_use_is_tried_once_and_mended() {
        let mut latest = Latest::default();
        let mut tried = 0;
        let mut of = |authorities: &str| {
            let make = |authorities: Option<&str>| {
                tried += 1;
                authorities?.parse::<u8>().ok()
            };
            latest.of(Some(authorities.to_owned()), make).copied()
        };
        let made = ["none", "none", "1", "1", "none", "none", "2"].map(&mut of);
        let last_good = [None, None, Some(1), Some(1), Some(1), Some(1), Some(2)];
        assert_eq!((made, tried), (last_good, 4));
    }
}
