//! Whom alerts are about, and the pieces their queries are made of.

use super::Thresholds;

/// A webhook. Its names are DNS labels, so they need no quoting in a query or a template.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// It should receive.
    pub is_active: bool,
    /// Prometheus surely reads the receivers' metrics, so their absence means something.
    pub is_monitored: bool,
}

impl Subject<'_> {
    /// The series of a metric, with further matchers.
    pub(super) fn series(&self, metric: &str, matchers: &str) -> String {
        let Self { namespace, name, .. } = self;
        let separator = if matchers.is_empty() { "" } else { ", " };
        format!("{metric}{{namespace=\"{namespace}\", webhook=\"{name}\"{separator}{matchers}}}")
    }

    /// What a counter grows by in a second.
    pub(super) fn rate(&self, metric: &str, matchers: &str, window: &str) -> String {
        format!("sum(rate({}[{window}]))", self.series(metric, matchers))
    }

    /// What a counter grows by in a window.
    pub(super) fn increase(&self, metric: &str, matchers: &str, window: &str) -> String {
        format!("sum(increase({}[{window}]))", self.series(metric, matchers))
    }

    /// The same of a counter that comes into being with its first event, which no increase shows.
    pub(super) fn grown(&self, metric: &str, matchers: &str, window: &str) -> String {
        let series = self.series(metric, matchers);
        format!(
            "(sum(increase({series}[{window}])) > 0 or sum({series} unless {series} offset {window}) > 0)"
        )
    }

    /// Signed deliveries, which handshakes are not.
    pub(super) fn deliveries(&self, window: &str) -> String {
        self.increase(
            "whatsapp_webhook_requests_total",
            "status=\"success\", type!=\"verification\"",
            window,
        )
    }

    /// How a description names it.
    pub(super) fn says(&self, text: &str) -> String {
        format!("WhatsAppWebhook {}/{}: {text}", self.namespace, self.name)
    }

    /// Whether there are fewer receivers than there should be.
    pub(super) fn too_few(&self) -> String {
        format!(
            "max({}) < max({})",
            self.series("whatsapp_webhook_ready_replicas", ""),
            self.series("whatsapp_webhook_desired_replicas", "")
        )
    }
}

/// `part / whole`.
pub(super) fn ratio(part: &str, whole: &str) -> String {
    format!("{part} / {whole}")
}

/// The upper bound of a bucket as it is written before and after Prometheus 3.
pub(super) fn bound(seconds: u64) -> String {
    format!("le=~\"{seconds}|{seconds}[.]0\"")
}

/// The 95th percentile of the latency.
pub(super) fn p95(subject: &Subject<'_>, thresholds: &Thresholds) -> String {
    let buckets = subject.series("whatsapp_webhook_latency_seconds_bucket", "");
    format!(
        "histogram_quantile(0.95, sum by (le) (rate({buckets}[{}])))",
        thresholds.minutes(5)
    )
}
