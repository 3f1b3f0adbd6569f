//! Whether the promises are kept, and the way of events from Meta to the stream.

use wahook_operator::build::alerts::Thresholds;

use crate::Plan;
use crate::panel::{BLUE, GREEN, Kind, Panel, RED, Row, Unit, YELLOW};
use crate::query::{grown, max, or_zero, quantile, rates, series};

const REQUESTS: &str = "whatsapp_webhook_requests_total";
const BUCKETS: &str = "whatsapp_webhook_latency_seconds_bucket";
const COUNT: &str = "whatsapp_webhook_latency_seconds_count";
const EVENTS: &str = "whatsapp_webhook_events_total";
const NAMES: &str = "namespace, webhook";
const NAMED: &str = "{{namespace}}/{{webhook}}";
const ANSWERED: &str = "status=~\"success|error\"";
const FAILED: &str = "status=\"error\"";
/// The windows of the burn rates' alerts, but for the days: who looks at a dashboard wants to know what happens now.
const WINDOWS: [(&str, &str); 4] = [
    ("5m", "5 minutes"),
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("6h", "6 hours"),
];

pub(crate) fn plan() -> Plan {
    Plan {
        name: "wahook-slo",
        uid: "wahook-slo",
        title: "Wahook / Service levels and pipeline",
        description: "Whether requests are stored and answered in time, how fast the budget burns, and what becomes of the events.",
        listed_by: "wahook_build_info".to_owned(),
        rows: vec![
            Row {
                id: 100,
                title: "Service levels",
                panels: levels(),
            },
            Row {
                id: 200,
                title: "Budget",
                panels: budget(),
            },
            Row {
                id: 300,
                title: "Pipeline",
                panels: pipeline(),
            },
            Row {
                id: 400,
                title: "Stream",
                panels: stream(),
            },
        ],
    }
}

/// The upper bound of a bucket, as it is written before and after Prometheus 3.
fn within(seconds: &str) -> String {
    let dotted = seconds.replace('.', "[.]");
    let matcher = if seconds.contains('.') {
        format!("le=\"{seconds}\"")
    } else {
        format!("le=~\"{dotted}|{dotted}[.]0\"")
    };
    series(BUCKETS, &matcher)
}

/// The part of the requests, in the time shown, that failed.
fn failed() -> String {
    format!(
        "{} / {}",
        grown("", &series(REQUESTS, FAILED)),
        grown("", &series(REQUESTS, ANSWERED))
    )
}

/// The part of the requests, in the time shown, that took more than a second.
fn late() -> String {
    format!(
        "1 - {} / {}",
        grown("", &within("1")),
        grown("", &series(COUNT, ""))
    )
}

fn levels() -> Vec<Panel> {
    let budget = Thresholds::default().budget;
    let left = |bad: &str| format!("1 - ({bad}) / {budget}");
    vec![
        Panel::new(101, Kind::Stat, "Availability", Unit::Part)
            .says("The part of the accepted requests that were stored, in the time shown. The aim is 99.9 %.")
            .asks(format!("1 - {}", failed()), "stored")
            .steps(RED, &[(0.999, GREEN)])
            .alerts(&["WhatsAppWebhookAvailabilityBurn"]),
        Panel::new(102, Kind::Stat, "Budget left, availability", Unit::Part)
            .says("What is left of the failures that the aim allows, if the time shown were its period.")
            .asks(left(&failed()), "left")
            .signed()
            .steps(RED, &[(0.0, YELLOW), (0.5, GREEN)])
            .alerts(&["WhatsAppWebhookAvailabilityBurn"]),
        Panel::new(103, Kind::Stat, "Answered within 1 s", Unit::Part)
            .says("The part of the requests that were answered within a second, in the time shown. The aim is 99.9 %.")
            .asks(format!("1 - ({})", late()), "in time")
            .steps(RED, &[(0.999, GREEN)])
            .alerts(&["WhatsAppWebhookLatencyBurn"]),
        Panel::new(104, Kind::Stat, "Budget left, latency", Unit::Part)
            .says("What is left of the late answers that the aim allows, if the time shown were its period.")
            .asks(left(&late()), "left")
            .signed()
            .steps(RED, &[(0.0, YELLOW), (0.5, GREEN)])
            .alerts(&["WhatsAppWebhookLatencyBurn"]),
        Panel::new(105, Kind::Stat, "Median latency", Unit::Seconds)
            .says("Half of the requests are answered within this time. Meta wants 250 ms.")
            .asks(quantile("0.5", "", &series(BUCKETS, "")), "p50")
            .steps(GREEN, &[(0.25, YELLOW), (1.0, RED)])
            .alerts(&["WhatsAppWebhookSlow"]),
        Panel::new(106, Kind::Stat, "Stored", Unit::Count)
            .says("Events that were stored in the time shown.")
            .asks(grown("", &series(EVENTS, "outcome=\"stored\"")), "events"),
    ]
}

fn budget() -> Vec<Panel> {
    let budget = Thresholds::default().budget;
    let burns = [(1.0, BLUE), (3.0, YELLOW), (6.0, YELLOW), (14.4, RED)];
    let mut availability = Panel::new(201, Kind::Lines, "Burn rate, availability", Unit::Count)
        .says("How many times faster than the aim allows requests fail, over windows. The lines are where the alerts are: 1, 3, 6 and 14.4 times.")
        .steps(GREEN, &burns)
        .alerts(&["WhatsAppWebhookAvailabilityBurn"]);
    let mut latency = Panel::new(202, Kind::Lines, "Burn rate, latency", Unit::Count)
        .says("How many times faster than the aim allows requests take more than a second, over windows. The lines are where the alerts are: 1, 3, 6 and 14.4 times.")
        .steps(GREEN, &burns)
        .alerts(&["WhatsAppWebhookLatencyBurn"]);
    for (window, words) in WINDOWS {
        let rate = |series: &str| format!("sum(rate({series}[{window}]))");
        let (failed, answered) = (rate(&series(REQUESTS, FAILED)), rate(&series(REQUESTS, ANSWERED)));
        availability = availability.asks(format!("{failed} / {answered} / {budget}"), words);
        let (early, all) = (rate(&within("1")), rate(&series(COUNT, "")));
        latency = latency.asks(format!("(1 - {early} / {all}) / {budget}"), words);
    }
    let part = |seconds: &str| {
        format!(
            "{} / {}",
            rates("", &within(seconds)),
            rates("", &series(COUNT, ""))
        )
    };
    vec![
        availability,
        latency,
        Panel::new(203, Kind::Lines, "Answered in time", Unit::Part)
            .says("The part of the requests answered within 250 ms, 1 s and 15 s. Meta wants the first of half of them and the second of 99 in 100; after 20 s it gives up. The line is 99.9 %.")
            .asks(part("0.25"), "250 ms")
            .asks(part("1"), "1 s")
            .asks(part("15"), "15 s")
            .most(1.0)
            .steps(RED, &[(0.999, GREEN)])
            .alerts(&["WhatsAppWebhookLatencyBurn", "WhatsAppWebhookSlow", "WhatsAppWebhookTooSlow"]),
        Panel::new(204, Kind::Lines, "Latency of each webhook, p95", Unit::Seconds)
            .says("95 of 100 requests are answered within this time. The lines: 250 ms, 1 s and 15 s.")
            .asks(quantile("0.95", NAMES, &series(BUCKETS, "")), NAMED)
            .steps(GREEN, &[(0.25, BLUE), (1.0, YELLOW), (15.0, RED)])
            .logarithmic()
            .alerts(&["WhatsAppWebhookSlow", "WhatsAppWebhookTooSlow"]),
    ]
}

fn pipeline() -> Vec<Panel> {
    let events = |outcome: &str| rates(NAMES, &series(EVENTS, &format!("outcome=\"{outcome}\"")));
    let deliveries = series(REQUESTS, "status=\"success\", type!=\"verification\"");
    let known = series(EVENTS, "outcome=~\"stored|duplicate\"");
    let quarantined = series(EVENTS, "family=\"quarantine\", outcome=\"stored\"");
    let letters = series("whatsapp_webhook_dead_letters_total", "");
    let dropped = series("whatsapp_webhook_meta_errors_total", "code=\"131035\"");
    let failing = format!(
        "{} / {}",
        rates(NAMES, &series(REQUESTS, FAILED)),
        rates(NAMES, &series(REQUESTS, ANSWERED))
    );
    vec![
        Panel::new(301, Kind::Lines, "Deliveries", Unit::Requests)
            .says("Signed requests that were stored, of each webhook.")
            .asks(rates(NAMES, &deliveries), NAMED)
            .alerts(&["WhatsAppWebhookNoTraffic"]),
        Panel::new(302, Kind::Lines, "Requests that fail", Unit::Part)
            .says("The part of each webhook's accepted requests that was not stored. The line is 5 %.")
            .asks(failing, NAMED)
            .steps(GREEN, &[(0.05, RED)])
            .alerts(&["WhatsAppWebhookErrors"]),
        Panel::new(303, Kind::Lines, "Events stored", Unit::PerSecond)
            .says("Events that JetStream acknowledged, of each webhook.")
            .asks(events("stored"), NAMED),
        Panel::new(304, Kind::Lines, "Events known already", Unit::Part)
            .says("The part of each webhook's events that had been stored before. Many mean that Meta does not get our answers. The line is 20 %.")
            .asks(format!("{} / {}", events("duplicate"), rates(NAMES, &known)), NAMED)
            .steps(GREEN, &[(0.2, RED)])
            .alerts(&["WhatsAppWebhookDuplicates"]),
        Panel::new(305, Kind::Lines, "Time to store, p95", Unit::Seconds)
            .says("From a request's first publish to its last acknowledgement, of each webhook.")
            .asks(
                quantile("0.95", NAMES, &series("whatsapp_webhook_publish_seconds_bucket", "")),
                NAMED,
            )
            .alerts(&["WhatsAppWebhookSlow"]),
        Panel::new(306, Kind::Lines, "Set aside and lost", Unit::PerSecond)
            .says("Dead letters could not be read, quarantined events had no place in the contract: both are stored. Dropped is content that Meta says it lost (131035).")
            .asks(or_zero(&rates("", &letters)), "dead letters")
            .asks(or_zero(&rates("", &quarantined)), "quarantined")
            .asks(or_zero(&rates("", &dropped)), "dropped by Meta")
            .alerts(&[
                "WhatsAppWebhookDeadLetters",
                "WhatsAppWebhookQuarantine",
                "WhatsAppWebhookContentDropped",
            ]),
    ]
}

fn stream() -> Vec<Panel> {
    let each = |name: &str| max(NAMES, &series(name, ""));
    let bytes = each("whatsapp_webhook_stream_bytes");
    let limit = each("whatsapp_webhook_stream_limit_bytes");
    let grows = format!("deriv({}[$__range])", series("whatsapp_webhook_stream_bytes", ""));
    vec![
        Panel::new(401, Kind::Lines, "Streams' fill", Unit::Part)
            .says("How full each stream is that the operator looks after, as a part of its limit. The line is 80 %. A full stream takes nothing more.")
            .asks(format!("{bytes} / {limit}"), NAMED)
            .steps(GREEN, &[(0.8, RED)])
            .alerts(&["WhatsAppWebhookStreamFull"])
            .wide(8),
        Panel::new(402, Kind::Lines, "Streams' size", Unit::Bytes)
            .says("What each stream holds, and what it may hold.")
            .asks(bytes, "holds, {{namespace}}/{{webhook}}")
            .asks(limit, "may hold, {{namespace}}/{{webhook}}")
            .alerts(&["WhatsAppWebhookStreamFull"])
            .wide(8),
        Panel::new(403, Kind::Lines, "Streams' growth", Unit::BytesPerSecond)
            .says("What each stream grew by in a second, over the time shown.")
            .asks(max(NAMES, &grows), NAMED)
            .signed()
            .alerts(&["WhatsAppWebhookStreamFull"])
            .wide(8),
        Panel::new(404, Kind::Lines, "Receivers without NATS", Unit::Count)
            .says("Receivers of each webhook that have no connection to NATS: they answer 503, and Meta sends again.")
            .asks(
                format!(
                    "count by ({NAMES}) ({nats}) - sum by ({NAMES}) ({nats})",
                    nats = series("whatsapp_webhook_nats_connected", "")
                ),
                NAMED,
            )
            .alerts(&["WhatsAppWebhookBrokerDisconnected"]),
        Panel::new(405, Kind::Lines, "Receivers whose stream takes nothing", Unit::Count)
            .says("Receivers of each webhook that have no stream that takes events.")
            .asks(
                format!(
                    "count by ({NAMES}) ({ready}) - sum by ({NAMES}) ({ready})",
                    ready = series("whatsapp_webhook_stream_ready", "")
                ),
                NAMED,
            )
            .alerts(&["WhatsAppWebhookDown"]),
    ]
}
