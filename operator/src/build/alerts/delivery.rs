//! Requests: whether they are answered, in time, and whether they are Meta's.

use super::query::{p95, ratio};
use super::{Alert, Severity, Subject, Thresholds};

const REQUESTS: &str = "whatsapp_webhook_requests_total";
const SIGNATURES: &str = "whatsapp_webhook_signature_failures_total";

pub(super) fn alerts(subject: &Subject<'_>, thresholds: &Thresholds) -> Vec<Alert> {
    let Thresholds {
        errors,
        slow,
        too_slow,
        ..
    } = thresholds;
    let (five, fifteen) = (thresholds.minutes(5), thresholds.minutes(15));
    let requests = |status: &str| subject.rate(REQUESTS, status, &five);
    let p95 = p95(subject, thresholds);
    let mut alerts = vec![
        // Only a warning: what loses events soon burns the budget of availability, which is critical.
        Alert::new(
            "WhatsAppWebhookErrors",
            Severity::Warning,
            format!(
                "{} > {errors}",
                ratio(&requests("status=\"error\""), &requests("status=~\"success|error\""))
            ),
        )
        .says(
            "Many WhatsApp webhook requests fail.",
            subject.says(
                "over 5 minutes {{ $value | humanizePercentage }} of the requests were answered with an error. Meta \
                 repeats them.",
            ),
        ),
        Alert::new("WhatsAppWebhookSlow", Severity::Warning, format!("{p95} > {slow}"))
            .lasting(five.clone())
            .says(
                "WhatsApp webhook requests are answered slowly.",
                subject.says(
                    "the 95th percentile is {{ $value | humanizeDuration }}. Meta gives up after 20 s and repeats.",
                ),
            ),
        Alert::new(
            "WhatsAppWebhookTooSlow",
            Severity::Critical,
            format!("{p95} > {too_slow}"),
        )
        .lasting(thresholds.minutes(2))
        .says(
            "WhatsApp webhook requests are answered almost too late for Meta.",
            subject.says(
                "the 95th percentile is {{ $value | humanizeDuration }}. Meta gives up after 20 s and repeats.",
            ),
        ),
    ];
    alerts.extend(signatures(subject, thresholds, &fifteen));
    if subject.is_active {
        alerts.push(silence(subject, thresholds, &fifteen));
    }
    alerts
}

/// A wrong secret refuses everything; an attack leaves Meta's own requests alone.
fn signatures(subject: &Subject<'_>, thresholds: &Thresholds, window: &str) -> [Alert; 3] {
    let wrong = format!(
        "{} > 5 unless {} > 0",
        subject.increase(SIGNATURES, "reason=\"mismatch\"", window),
        subject.deliveries(window)
    );
    let forged = subject.rate(
        SIGNATURES,
        "reason=~\"missing|malformed|mismatch\"",
        &thresholds.minutes(5),
    );
    [
        Alert::new(
            "WhatsAppWebhookForgedRequests",
            Severity::Warning,
            format!("{forged} > {} unless ({wrong})", thresholds.forged),
        )
        .lasting(thresholds.minutes(10))
        .says(
            "Somebody sends many unsigned or forged requests to a WhatsApp webhook.",
            subject.says("{{ $value | humanize }} requests in a second are refused over their signature."),
        ),
        Alert::new("WhatsAppWebhookSecretWrong", Severity::Critical, wrong)
            .lasting(thresholds.minutes(5))
            .says(
                "The app secret of a WhatsApp webhook is probably wrong.",
                subject.says(
                    "{{ $value | humanize }} requests in 15 minutes had a signature of another secret, and none a \
                     good one.",
                ),
            ),
        Alert::new(
            "WhatsAppWebhookSecretRetired",
            Severity::Critical,
            format!(
                "{} > 0",
                subject.increase(SIGNATURES, "reason=\"retired_secret\"", window)
            ),
        )
        .says(
            "Meta still signs with an app secret that was taken away.",
            subject.says("{{ $value | humanize }} requests in 15 minutes were signed with a retired secret and refused."),
        ),
    ]
}

/// Compared with yesterday, since shops sleep at night.
fn silence(subject: &Subject<'_>, thresholds: &Thresholds, lasting: &str) -> Alert {
    let (now, day) = (thresholds.hours(2), thresholds.hours(24));
    let deliveries = subject.series(REQUESTS, "status=\"success\", type!=\"verification\"");
    let yesterday = format!("sum(increase({deliveries}[{now}] offset {day}))");
    Alert::new(
        "WhatsAppWebhookNoTraffic",
        Severity::Warning,
        format!(
            "{yesterday} > {} unless {} > 0",
            thresholds.traffic,
            subject.deliveries(&now)
        ),
    )
    .lasting(lasting.to_owned())
    .says(
        "A WhatsApp webhook that had traffic yesterday has none.",
        subject.says("nothing was delivered for two hours. In the same hours of yesterday it was {{ $value | humanize }} requests."),
    )
}
