//! Service levels: how fast the budget of failed and of late requests burns, over four pairs of windows.

use super::query::{bound, ratio};
use super::{Alert, Severity, Subject, Thresholds};

/// How many times faster than the budget allows, over how many minutes, long and short, and for how many.
struct Burn {
    factor: f64,
    long: u64,
    short: u64,
    lasting: u64,
    severity: Severity,
}

const BURNS: [Burn; 4] = [
    Burn {
        factor: 14.4,
        long: 60,
        short: 5,
        lasting: 2,
        severity: Severity::Critical,
    },
    Burn {
        factor: 6.0,
        long: 6 * 60,
        short: 30,
        lasting: 15,
        severity: Severity::Critical,
    },
    Burn {
        factor: 3.0,
        long: 24 * 60,
        short: 2 * 60,
        lasting: 60,
        severity: Severity::Warning,
    },
    Burn {
        factor: 1.0,
        long: 72 * 60,
        short: 6 * 60,
        lasting: 180,
        severity: Severity::Warning,
    },
];

pub(super) fn alerts(subject: &Subject<'_>, thresholds: &Thresholds) -> Vec<Alert> {
    let requests = "whatsapp_webhook_requests_total";
    let answered = "status=~\"success|error\"";
    let availability = |window: &str| {
        let part = subject.rate(requests, "status=\"error\"", window);
        ratio(&part, &subject.rate(requests, answered, window))
    };
    let buckets = "whatsapp_webhook_latency_seconds_bucket";
    let count = "whatsapp_webhook_latency_seconds_count";
    let latency = |window: &str| {
        let part = subject.rate(buckets, &bound(1), window);
        format!("1 - {}", ratio(&part, &subject.rate(count, "", window)))
    };
    let mut alerts = Vec::new();
    for burn in &BURNS {
        let (long, short) = (thresholds.minutes(burn.long), thresholds.minutes(burn.short));
        let limit = trimmed(burn.factor * thresholds.budget);
        // Where one bad request alone would be too much, there is too little traffic to judge by.
        let guard = (1.0 / (burn.factor * thresholds.budget)).ceil();
        let alert = |name, bad: &dyn Fn(&str) -> String, all: String, summary, what: &str| {
            let expr = format!(
                "({}) > {limit} and ({}) > {limit} and {all} > {guard}",
                bad(&long),
                bad(&short)
            );
            let text = format!(
                "over {long} {{{{ $value | humanizePercentage }}}} of the requests {what}, {} times what the budget of a \
                 month allows.",
                burn.factor
            );
            Alert {
                window: Some(long.clone()),
                ..Alert::new(name, burn.severity, expr)
                    .lasting(thresholds.minutes(burn.lasting))
                    .says(summary, subject.says(&text))
            }
        };
        alerts.push(alert(
            "WhatsAppWebhookAvailabilityBurn",
            &availability,
            subject.increase(requests, answered, &long),
            "A WhatsApp webhook uses up its budget of failed requests too fast.",
            "failed",
        ));
        alerts.push(alert(
            "WhatsAppWebhookLatencyBurn",
            &latency,
            subject.increase(count, "", &long),
            "A WhatsApp webhook uses up its budget of late requests too fast.",
            "took more than 1 s",
        ));
    }
    alerts
}

/// Without what multiplying adds at the end.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
