//! Where the receivers are: the addresses behind their Services, kept by one watch.

use std::net::{IpAddr, SocketAddr};

use futures_util::StreamExt;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::Api;
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use tracing::warn;

use crate::metrics::Metrics;
use crate::names::{ADMIN_PORT, MANAGED_BY, MANAGED_BY_LABEL, WEBHOOK_LABEL};

/// More receivers than this are not asked one by one.
const MOST: usize = 32;

/// The addresses behind the Services of one namespace, or of all.
pub struct Endpoints {
    reader: Store<EndpointSlice>,
    writer: reflector::store::Writer<EndpointSlice>,
}

impl Default for Endpoints {
    fn default() -> Self {
        let (reader, writer) = reflector::store();
        Self { reader, writer }
    }
}

impl Endpoints {
    /// Where they can be looked up.
    pub fn reader(&self) -> Store<EndpointSlice> {
        self.reader.clone()
    }

    /// Keeps them for ever. Slices have the labels of their Service.
    pub async fn watch(self, api: Api<EndpointSlice>, metrics: &Metrics) {
        let config = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"));
        let events = watcher(api, config).default_backoff().reflect(self.writer);
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            if let Err(error) = event {
                metrics.watch_failed("EndpointSlice");
                warn!(%error, "the watch of receivers' addresses failed and begins again");
            }
        }
    }
}

/// The admin ports of a webhook's receivers, ready or not.
pub(super) fn addresses(stores: &[Store<EndpointSlice>], namespace: &str, webhook: &str) -> Vec<SocketAddr> {
    let port = u16::try_from(ADMIN_PORT.0).unwrap_or_default();
    let is_its_own = |slice: &EndpointSlice| {
        let labels = slice.metadata.labels.as_ref();
        slice.metadata.namespace.as_deref() == Some(namespace)
            && labels
                .and_then(|labels| labels.get(WEBHOOK_LABEL))
                .map(String::as_str)
                == Some(webhook)
    };
    let slices = stores.iter().flat_map(|store| store.state_filter(is_its_own));
    let mut addresses: Vec<SocketAddr> = slices
        .flat_map(|slice| {
            let endpoints = slice.endpoints.iter();
            let texts = endpoints.flat_map(|endpoint| &endpoint.addresses);
            texts
                .filter_map(|text| text.parse().ok())
                .collect::<Vec<IpAddr>>()
        })
        .map(|address| SocketAddr::new(address, port))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(MOST);
    addresses
}
