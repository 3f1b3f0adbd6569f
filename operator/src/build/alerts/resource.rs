//! What a webhook consists of: receivers, broker, stream, certificate, and what its conditions say.

use super::{Alert, Severity, Subject, Thresholds};

pub(super) fn alerts(subject: &Subject<'_>, thresholds: &Thresholds) -> Vec<Alert> {
    let mut alerts = vec![
        expires(
            subject,
            "WhatsAppWebhookCertificateExpires",
            Severity::Warning,
            thresholds.certificate_days,
            "The certificate of a WhatsApp webhook was not renewed in time.",
        )
        .lasting(thresholds.hours(1)),
        expires(
            subject,
            "WhatsAppWebhookCertificateExpiresSoon",
            Severity::Critical,
            thresholds.certificate_last_days,
            "The certificate of a WhatsApp webhook expires within days.",
        )
        .lasting(thresholds.hours(1)),
        Alert::new(
            "WhatsAppWebhookBrokerDisconnected",
            Severity::Warning,
            format!(
                "count({} == 0)",
                subject.series("whatsapp_webhook_nats_connected", "")
            ),
        )
        .lasting(thresholds.minutes(2))
        .says(
            "A receiver of a WhatsApp webhook is not connected to NATS.",
            subject.says("{{ $value }} receivers are not connected to NATS and can store nothing."),
        ),
        Alert::new(
            "WhatsAppWebhookStreamFull",
            Severity::Warning,
            format!(
                "max({}) / max({}) > {}",
                subject.series("whatsapp_webhook_stream_bytes", ""),
                subject.series("whatsapp_webhook_stream_limit_bytes", ""),
                thresholds.stream
            ),
        )
        .lasting(thresholds.minutes(15))
        .says(
            "The stream of a WhatsApp webhook is nearly full.",
            subject.says("its stream holds {{ $value | humanizePercentage }} of what it may hold."),
        ),
        Alert::new(
            "WhatsAppWebhookStalled",
            Severity::Critical,
            format!("max({}) == 1", condition(subject, "Stalled")),
        )
        .lasting(thresholds.minutes(5))
        .says(
            "A WhatsAppWebhook needs somebody to change something.",
            subject.says(
                "it is Stalled: nothing will change by itself. The condition's reason says what is missing.",
            ),
        ),
    ];
    if subject.is_active {
        // Twice as long as the operator waits before it looks again at what was wrong, and a retry of Meta's is not late yet.
        alerts.push(
            Alert::new(
                "WhatsAppWebhookEndpointUnreachable",
                Severity::Critical,
                format!(
                    "max({}) == 0",
                    subject.series("whatsapp_webhook_endpoint_probe_success", "")
                ),
            )
            .lasting(thresholds.minutes(10))
            .says(
                "The public URL of a WhatsApp webhook does not answer as Meta needs it.",
                subject.says(
                    "its public URL does not answer as Meta needs it. The reason of the condition EndpointReady says what is \
                     in the way.",
                ),
            ),
        );
        alerts.extend(unready(subject, thresholds));
    }
    // Without a ServiceMonitor perhaps nobody reads the metrics, and what is absent would alert for ever.
    if subject.is_active && subject.is_monitored {
        alerts.push(
            Alert::new(
                "WhatsAppWebhookDown",
                Severity::Critical,
                format!("absent({} == 1)", subject.series("whatsapp_webhook_stream_ready", "")),
            )
            .lasting(thresholds.minutes(5))
            .says(
                "No receiver of a WhatsApp webhook can store events.",
                subject.says(
                    "no receiver runs, or none reaches its stream. Meta repeats what it cannot deliver for up to seven \
                     days.",
                ),
            ),
        );
    }
    alerts
}

fn condition(subject: &Subject<'_>, of: &str) -> String {
    subject.series(
        "whatsapp_webhook_condition",
        &format!("type=\"{of}\", status=\"True\""),
    )
}

fn expires(
    subject: &Subject<'_>,
    name: &'static str,
    severity: Severity,
    days: i32,
    summary: &'static str,
) -> Alert {
    let not_after = subject.series("whatsapp_webhook_certificate_not_after_timestamp_seconds", "");
    Alert::new(name, severity, format!("min({not_after}) - time() < {days} * 86400")).says(
        summary,
        subject.says(
            "its certificate expires in {{ $value | humanizeDuration }}. Meta delivers nothing to a host whose \
             certificate has expired.",
        ),
    )
}

/// One of the two at a time: whatever keeps receivers from running also keeps the resource from being ready. And what is
/// stalled has an alert of its own.
fn unready(subject: &Subject<'_>, thresholds: &Thresholds) -> [Alert; 2] {
    let too_few = subject.too_few();
    [
        Alert::new(
            "WhatsAppWebhookReceiversMissing",
            Severity::Warning,
            too_few.clone(),
        )
        .lasting(thresholds.minutes(15))
        .says(
            "A WhatsApp webhook has fewer receivers than it should have.",
            subject.says("only {{ $value }} receivers are ready."),
        ),
        Alert::new(
            "WhatsAppWebhookNotReady",
            Severity::Warning,
            format!(
                "max({}) == 0 unless {too_few} unless max({}) == 1",
                condition(subject, "Ready"),
                condition(subject, "Stalled")
            ),
        )
        .lasting(thresholds.minutes(15))
        .says(
            "A WhatsAppWebhook is not ready.",
            subject.says(
                "it has enough receivers and is not Ready. The condition's reason says what is missing.",
            ),
        ),
    ]
}
