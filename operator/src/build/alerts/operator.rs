//! The operator itself, for all webhooks at once. The chart has these.

use super::{Alert, Severity, Thresholds};

/// Every alert about the operator.
pub fn operator(thresholds: &Thresholds) -> Vec<Alert> {
    let fifteen = thresholds.minutes(15);
    let of = "{controller=\"whatsappwebhook\"}";
    let rate = |metric: &str| format!("sum(rate({metric}{of}[{fifteen}]))");
    vec![
        Alert::new(
            "WahookOperatorReconcileErrors",
            Severity::Warning,
            format!(
                "{} / {} > {}",
                rate("controller_runtime_reconcile_errors_total"),
                rate("controller_runtime_reconcile_total"),
                thresholds.reconcile_errors
            ),
        )
        .lasting(fifteen.clone())
        .says(
            "Many reconciles of the Wahook operator fail.",
            "{{ $value | humanizePercentage }} of the operator's reconciles of WhatsAppWebhooks failed over 15 minutes."
                .to_owned(),
        ),
        Alert::new(
            "WahookOperatorUpgradeStopped",
            Severity::Warning,
            "max(whatsapp_webhook_operator_rollouts{state=\"failed\"}) > 0".to_owned(),
        )
        .lasting(thresholds.minutes(5))
        .says(
            "An upgrade of the Wahook operator has stopped.",
            "The new receivers of {{ $value }} WhatsAppWebhooks do not become ready, so the others keep the old ones."
                .to_owned(),
        ),
        Alert::new(
            "WahookOperatorNoLeader",
            Severity::Critical,
            "absent(whatsapp_webhook_operator_leader == 1)".to_owned(),
        )
        .lasting(thresholds.minutes(5))
        .says(
            "No Wahook operator works.",
            "No replica of the operator of WhatsAppWebhooks runs, or none has become the leader. Webhooks go on \
             receiving, but nothing is repaired or changed."
                .to_owned(),
        ),
        Alert::new(
            "WahookOperatorWatchErrors",
            Severity::Warning,
            format!(
                "sum by (kind) (increase(whatsapp_webhook_operator_watch_errors_total[{fifteen}])) > {}",
                thresholds.watch_errors
            ),
        )
        .lasting(fifteen.clone())
        .says(
            "The Wahook operator cannot follow a kind.",
            "The operator's watch of {{ $labels.kind }} failed {{ $value | humanize }} times in 15 minutes. What it knows of \
             this kind is old."
                .to_owned(),
        ),
    ]
}
