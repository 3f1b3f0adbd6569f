//! What is known of each webhook, for Prometheus.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kube::runtime::reflector::Store;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, IntGaugeVec, Opts};

use crate::jetstream::Usage;
use crate::probe::Probes;
use crate::resource::Guarded;
use crate::status::Truth;

/// How full the stream of each webhook is, by namespace and name.
type Streams = BTreeMap<(String, String), Usage>;

/// What the statuses of all webhooks say, read when Prometheus asks: a webhook that is gone leaves no series.
#[derive(Clone)]
pub(super) struct Webhooks {
    pub(super) stores: Arc<OnceLock<Vec<Store<Guarded>>>>,
    conditions: IntGaugeVec,
    desired: IntGaugeVec,
    ready: IntGaugeVec,
    certificate: IntGaugeVec,
    stream_bytes: IntGaugeVec,
    stream_limit: IntGaugeVec,
    endpoint: IntGaugeVec,
    seconds: GaugeVec,
    pub(super) probes: Arc<OnceLock<Arc<Probes>>>,
    streams: Arc<Mutex<Streams>>,
}

impl Webhooks {
    pub(super) fn new() -> prometheus::Result<Self> {
        let gauges =
            |name: &str, help: &str, labels: &[&str]| IntGaugeVec::new(Opts::new(name, help), labels);
        Ok(Self {
            stores: Arc::default(),
            conditions: gauges(
                "whatsapp_webhook_condition",
                "1 for the status (True, False, Unknown) that a condition of a webhook has, 0 for the others.",
                &["namespace", "webhook", "type", "status"],
            )?,
            desired: gauges(
                "whatsapp_webhook_desired_replicas",
                "Receivers that a webhook should have; with autoscaling, the fewest it may have.",
                &["namespace", "webhook"],
            )?,
            ready: gauges(
                "whatsapp_webhook_ready_replicas",
                "Receivers of a webhook that are ready.",
                &["namespace", "webhook"],
            )?,
            certificate: gauges(
                "whatsapp_webhook_certificate_not_after_timestamp_seconds",
                "When the certificate of a webhook expires, in seconds since 1970: as the public URL shows it, or as cert-manager says.",
                &["namespace", "webhook"],
            )?,
            stream_bytes: gauges(
                "whatsapp_webhook_stream_bytes",
                "Bytes that a webhook's stream holds, as seen at the last look; only of streams that the operator looks after.",
                &["namespace", "webhook"],
            )?,
            stream_limit: gauges(
                "whatsapp_webhook_stream_limit_bytes",
                "Bytes that a webhook's stream may hold; absent without a limit.",
                &["namespace", "webhook"],
            )?,
            endpoint: gauges(
                "whatsapp_webhook_endpoint_probe_success",
                "1 when the public URL of a webhook answered as Meta needs it, else 0; absent where that cannot be seen.",
                &["namespace", "webhook"],
            )?,
            seconds: GaugeVec::new(
                Opts::new(
                    "whatsapp_webhook_endpoint_probe_duration_seconds",
                    "How long the last look at the public URL of a webhook took.",
                ),
                &["namespace", "webhook"],
            )?,
            probes: Arc::default(),
            streams: Arc::default(),
        })
    }

    pub(super) fn set_stream(&self, namespace: &str, webhook: &str, usage: Option<Usage>) {
        let key = (namespace.to_owned(), webhook.to_owned());
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        match usage {
            Some(usage) => streams.insert(key, usage),
            None => streams.remove(&key),
        };
    }

    const fn all(&self) -> [&IntGaugeVec; 7] {
        [
            &self.conditions,
            &self.desired,
            &self.ready,
            &self.certificate,
            &self.stream_bytes,
            &self.stream_limit,
            &self.endpoint,
        ]
    }

    fn fill(&self) {
        for gauges in self.all() {
            gauges.reset();
        }
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = Streams::new();
        let stores = self.stores.get().into_iter().flatten();
        for webhook in stores.flat_map(Store::state) {
            let Ok(webhook) = &webhook.0 else { continue };
            let (Some(namespace), Some(name)) = (&webhook.metadata.namespace, &webhook.metadata.name) else {
                continue;
            };
            let labels = [namespace.as_str(), name.as_str()];
            if let Some((key, usage)) = streams.remove_entry(&(namespace.clone(), name.clone())) {
                let number = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
                self.stream_bytes
                    .with_label_values(&labels)
                    .set(number(usage.bytes));
                if let Some(limit) = usage.limit {
                    self.stream_limit.with_label_values(&labels).set(number(limit));
                }
                seen.insert(key, usage);
            }
            let receiver = &webhook.spec.receiver;
            let desired = match &receiver.autoscaling {
                _ if webhook.spec.suspend => 0,
                Some(autoscaling) => autoscaling.min_replicas,
                None => receiver.replicas,
            };
            self.desired.with_label_values(&labels).set(i64::from(desired));
            let Some(status) = &webhook.status else { continue };
            self.ready
                .with_label_values(&labels)
                .set(i64::from(status.ready_replicas.unwrap_or_default()));
            let certificate = status.certificate.as_ref();
            if let Some(not_after) = certificate.and_then(|certificate| certificate.not_after.as_ref()) {
                self.certificate
                    .with_label_values(&labels)
                    .set(not_after.0.as_second());
            }
            for condition in &status.conditions {
                for value in ["True", "False", "Unknown"] {
                    let labels = [namespace.as_str(), name, &condition.type_, value];
                    let is = i64::from(condition.status == value);
                    self.conditions.with_label_values(&labels).set(is);
                }
            }
        }
        // Those that are gone are forgotten.
        *streams = seen;
        self.fill_probes();
    }

    fn fill_probes(&self) {
        self.seconds.reset();
        let probes = self.probes.get().map(|probes| probes.all()).unwrap_or_default();
        for (webhook, outcome) in probes {
            let Some((namespace, name)) = webhook.split_once('/') else {
                continue;
            };
            let labels = [namespace, name];
            self.seconds
                .with_label_values(&labels)
                .set(outcome.took.as_secs_f64());
            if outcome.truth != Truth::Unknown {
                let is_good = i64::from(outcome.truth == Truth::True);
                self.endpoint.with_label_values(&labels).set(is_good);
            }
            if let Some(not_after) = outcome.not_after {
                self.certificate.with_label_values(&labels).set(not_after);
            }
        }
    }
}

impl Collector for Webhooks {
    fn desc(&self) -> Vec<&Desc> {
        let all = self.all().into_iter().flat_map(Collector::desc);
        all.chain(self.seconds.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.fill();
        let all = self.all().into_iter().flat_map(Collector::collect);
        all.chain(self.seconds.collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kube::runtime::reflector;
    use kube::runtime::watcher::Event;
    use prometheus::{Registry, TextEncoder};
    use serde_json::json;

    use super::*;

    fn webhook(name: &str) -> Guarded {
        serde_json::from_value(json!({
            "apiVersion": "wahook.dev/v1alpha1", "kind": "WhatsAppWebhook",
            "metadata": { "namespace": "shop", "name": name },
            "spec": {
                "endpoint": { "host": "hooks.example.com" },
                "meta": { "appSecrets": [{ "name": "meta-app", "key": "app-secret" }] },
            },
            "status": { "certificate": { "notAfter": "2026-12-24T00:00:00Z" } },
        }))
        .unwrap()
    }

    #[test]
    fn what_is_gone_leaves_no_series() {
        let webhooks = Webhooks::new().unwrap();
        let (reader, mut writer) = reflector::store();
        webhooks.stores.set(vec![reader]).unwrap();
        let registry = Registry::new();
        registry.register(Box::new(webhooks.clone())).unwrap();
        let text = || TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let usage = Usage {
            bytes: 7,
            limit: Some(10),
        };
        let labels = "{namespace=\"shop\",webhook=\"main\"}";

        writer.apply_watcher_event(&Event::Apply(webhook("main")));
        webhooks.set_stream("shop", "main", Some(usage));
        webhooks.set_stream("shop", "gone", Some(usage));
        let said = text();
        for line in [
            format!("whatsapp_webhook_stream_bytes{labels} 7"),
            format!("whatsapp_webhook_stream_limit_bytes{labels} 10"),
            format!("whatsapp_webhook_certificate_not_after_timestamp_seconds{labels} 1798070400"),
        ] {
            assert!(said.contains(&line), "{line}: {said}");
        }
        assert!(!said.contains("gone"), "{said}");
        assert_eq!(text(), said, "asked twice");

        webhooks.set_stream("shop", "main", None);
        assert!(!text().contains("stream_bytes{"));
        writer.apply_watcher_event(&Event::Delete(webhook("main")));
        assert!(!text().contains("shop"));
    }
}
