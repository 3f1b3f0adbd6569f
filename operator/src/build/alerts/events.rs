//! Events: repeated, unreadable, of unlisted numbers, and those that Meta says are lost.

use super::query::ratio;
use super::{Alert, Severity, Subject, Thresholds};

const EVENTS: &str = "whatsapp_webhook_events_total";

pub(super) fn alerts(subject: &Subject<'_>, thresholds: &Thresholds) -> Vec<Alert> {
    let fifteen = thresholds.minutes(15);
    let events = |outcome: &str| subject.rate(EVENTS, outcome, &fifteen);
    let duplicates = events("outcome=\"duplicate\"");
    vec![
        Alert::new(
            "WhatsAppWebhookDuplicates",
            Severity::Warning,
            format!(
                "{} > {} and {duplicates} > 0.1",
                ratio(&duplicates, &events("outcome=~\"stored|duplicate\"")),
                thresholds.duplicates
            ),
        )
        .lasting(fifteen.clone())
        .says(
            "Meta repeats many WhatsApp events.",
            subject.says(
                "{{ $value | humanizePercentage }} of the events had been stored before. Meta repeats what was not \
                 answered in time or answered with an error.",
            ),
        ),
        Alert::new(
            "WhatsAppWebhookDeadLetters",
            Severity::Warning,
            subject.grown("whatsapp_webhook_dead_letters_total", "", &fifteen),
        )
        .says(
            "Signed bodies are not what Meta documents.",
            subject.says("{{ $value | humanize }} bodies in 15 minutes could not be read. They are stored as dead letters."),
        ),
        Alert::new(
            "WhatsAppWebhookQuarantine",
            Severity::Warning,
            subject.grown(EVENTS, "family=\"quarantine\", outcome=\"stored\"", &fifteen),
        )
        .says(
            "Events of phone numbers that are not listed arrive.",
            subject.says("{{ $value | humanize }} events in 15 minutes went to quarantine, where consumers do not look."),
        ),
        Alert::new(
            "WhatsAppWebhookContentDropped",
            Severity::Critical,
            subject.grown(
                "whatsapp_webhook_meta_errors_total",
                "code=\"131035\"",
                &thresholds.hours(1),
            ),
        )
        .says(
            "Meta has dropped the content of messages.",
            subject.says(
                "Meta reported error 131035 for {{ $value | humanize }} messages in an hour: they were not taken in time, \
                 and their content is lost.",
            ),
        ),
    ]
}
