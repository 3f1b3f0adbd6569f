//! The alerts about a webhook.

use serde::Serialize;

use super::labelled;
use super::labels::{self, Pairs};
use crate::child::{Child, ChildKind};
use crate::validate::Validated;

/// The part of a `PrometheusRule` (`monitoring.coreos.com/v1`) that is written.
#[derive(Serialize)]
struct PrometheusRule {
    spec: Spec,
}

#[derive(Serialize)]
struct Spec {
    groups: [Group; 1],
}

#[derive(Serialize)]
struct Group {
    name: String,
    rules: Vec<Alert>,
}

#[derive(Serialize)]
struct Alert {
    #[serde(rename = "alert")]
    name: &'static str,
    expr: String,
    /// At once when absent.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    lasting: Option<&'static str>,
    labels: Pairs,
    annotations: Pairs,
}

pub(super) fn build(webhook: &Validated) -> Option<Child> {
    let wanted = &webhook.spec.monitoring.prometheus_rule;
    let rule = PrometheusRule {
        spec: Spec {
            groups: [Group {
                name: format!("wahook.{}.{}", webhook.namespace, webhook.name),
                rules: alerts(webhook),
            }],
        },
    };
    wanted
        .enabled
        .then(|| labelled(webhook, ChildKind::PrometheusRule, &wanted.labels, &rule))
}

/// Names are DNS labels, so they need no quoting in a query.
fn alerts(webhook: &Validated) -> Vec<Alert> {
    let (namespace, own) = (&webhook.namespace, &webhook.name);
    let of = format!("namespace=\"{namespace}\", webhook=\"{own}\"");
    let alert = |name, severity: &str, lasting, expr: String, summary: &str, description: &str| Alert {
        name,
        expr,
        lasting,
        labels: labels::pairs([("severity", severity), ("namespace", namespace), ("webhook", own)]),
        annotations: labels::pairs([("summary", summary), ("description", description)]),
    };
    let requests =
        |status: &str| format!("sum(rate(whatsapp_webhook_requests_total{{{of}, status{status}}}[5m]))");
    let p95 = format!(
        "histogram_quantile(0.95, sum by (le) (rate(whatsapp_webhook_latency_seconds_bucket{{{of}}}[5m])))"
    );
    let events =
        |outcome: &str| format!("sum(rate(whatsapp_webhook_events_total{{{of}, outcome{outcome}}}[15m]))");
    let mut alerts = vec![
        alert(
            "WhatsAppWebhookErrors",
            "critical",
            None,
            format!(
                "{} / {} > 0.05",
                requests("=\"error\""),
                requests("=~\"success|error\"")
            ),
            "More than 5 % of WhatsApp webhook requests fail.",
            "Over 5 minutes {{ $value | humanizePercentage }} of the requests to the webhook were answered with \
             an error. Meta repeats them. Look at the conditions of the WhatsAppWebhook and at the receivers' \
             log.",
        ),
        alert(
            "WhatsAppWebhookSlow",
            "warning",
            Some("5m"),
            format!("{p95} > 10"),
            "WhatsApp webhook requests take more than 10 s.",
            "The 95th percentile is {{ $value | humanizeDuration }}. Meta gives up after 20 s and repeats.",
        ),
        alert(
            "WhatsAppWebhookTooSlow",
            "critical",
            Some("2m"),
            format!("{p95} > 15"),
            "WhatsApp webhook requests take more than 15 s.",
            "The 95th percentile is {{ $value | humanizeDuration }}. Meta gives up after 20 s and repeats.",
        ),
        alert(
            "WhatsAppWebhookDuplicates",
            "warning",
            Some("15m"),
            format!(
                "{} / {} > 0.2 and {} > 0.1",
                events("=\"duplicate\""),
                events("=~\"stored|duplicate\""),
                events("=\"duplicate\"")
            ),
            "Meta repeats many WhatsApp events.",
            "{{ $value | humanizePercentage }} of the events had been stored before. Meta repeats what was not \
             answered in time or answered with an error.",
        ),
        alert(
            "WhatsAppWebhookCertificateExpires",
            "warning",
            Some("1h"),
            format!("whatsapp_webhook_certificate_not_after_timestamp_seconds{{{of}}} - time() < 30 * 86400"),
            "The certificate of a WhatsApp webhook expires within 30 days.",
            "It expires in {{ $value | humanizeDuration }}. Meta delivers nothing to a host whose certificate \
             has expired.",
        ),
    ];
    // Without a ServiceMonitor perhaps nobody reads the metrics, and what is absent would alert for ever.
    if !webhook.spec.suspend && webhook.spec.monitoring.service_monitor.enabled {
        alerts.push(alert(
            "WhatsAppWebhookDown",
            "critical",
            Some("5m"),
            format!("absent(whatsapp_webhook_stream_ready{{{of}}} == 1)"),
            "No receiver of a WhatsApp webhook can store events.",
            "No receiver runs, or none reaches its stream. Meta repeats what it cannot deliver for up to seven \
             days. Look at the conditions of the WhatsAppWebhook.",
        ));
    }
    alerts
}
