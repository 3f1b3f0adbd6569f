//! What the receivers of one or more webhooks do: requests, events, processes.

use crate::Plan;
use crate::panel::{BLUE, GREEN, Kind, Panel, RED, Row, Unit, YELLOW};
use crate::query::{largest, of_receivers, operators, or_none, quantile, rate, rates, series, sum};

const REQUESTS: &str = "whatsapp_webhook_requests_total";
const BUCKETS: &str = "whatsapp_webhook_latency_seconds_bucket";
const EVENTS: &str = "whatsapp_webhook_events_total";

pub(crate) fn plan() -> Plan {
    Plan {
        name: "wahook-receiver",
        uid: "wahook-receiver",
        title: "Wahook / Receiver",
        description: "What the receivers of WhatsApp webhooks are asked, how they answer, what they store, and how they are.",
        listed_by: "wahook_build_info".to_owned(),
        rows: vec![
            Row {
                id: 100,
                title: "At a glance",
                panels: glance(),
            },
            Row {
                id: 200,
                title: "Requests",
                panels: requests(),
            },
            Row {
                id: 300,
                title: "Events",
                panels: events(),
            },
            Row {
                id: 400,
                title: "Processes",
                panels: processes(),
            },
        ],
    }
}

fn glance() -> Vec<Panel> {
    let failed = rates("", &series(REQUESTS, "status=\"error\""));
    let answered = rates("", &series(REQUESTS, "status=~\"success|error\""));
    vec![
        Panel::new(101, Kind::Stat, "Requests", Unit::Requests)
            .says("All requests in a second, also those that were refused.")
            .asks(rates("", &series(REQUESTS, "")), "requests")
            .alerts(&["WhatsAppWebhookNoTraffic"]),
        Panel::new(102, Kind::Stat, "Failed", Unit::Part)
            .says("The part of the accepted requests that were not stored. Meta sends them again.")
            .asks(format!("{failed} / {answered}"), "failed")
            .steps(GREEN, &[(0.01, YELLOW), (0.05, RED)])
            .alerts(&["WhatsAppWebhookErrors"]),
        Panel::new(103, Kind::Stat, "Latency, p95", Unit::Seconds)
            .says("95 of 100 requests are answered within this time. Meta gives up after 20 s.")
            .asks(quantile("0.95", "", &series(BUCKETS, "")), "p95")
            .steps(GREEN, &[(1.0, YELLOW), (10.0, RED)])
            .alerts(&["WhatsAppWebhookSlow", "WhatsAppWebhookTooSlow"]),
        Panel::new(104, Kind::Stat, "Receivers", Unit::Count)
            .says("Receivers whose metrics are read.")
            .asks(
                format!("count({})", series("whatsapp_webhook_stream_ready", "")),
                "receivers",
            )
            .steps(RED, &[(1.0, GREEN)])
            .alerts(&["WhatsAppWebhookDown", "WhatsAppWebhookReceiversMissing"]),
        Panel::new(105, Kind::Stat, "Connected to NATS", Unit::Part)
            .says("The part of the receivers that have a connection to NATS.")
            .asks(
                format!("avg({})", series("whatsapp_webhook_nats_connected", "")),
                "connected",
            )
            .steps(RED, &[(0.5, YELLOW), (1.0, GREEN)])
            .alerts(&["WhatsAppWebhookBrokerDisconnected"]),
        Panel::new(106, Kind::Stat, "Stream takes events", Unit::Part)
            .says("The part of the receivers whose JetStream stream is there and takes events.")
            .asks(
                format!("avg({})", series("whatsapp_webhook_stream_ready", "")),
                "ready",
            )
            .steps(RED, &[(0.5, YELLOW), (1.0, GREEN)])
            .alerts(&["WhatsAppWebhookDown"]),
    ]
}

fn requests() -> Vec<Panel> {
    let failures = series("whatsapp_webhook_signature_failures_total", "");
    let quantiles = |of: &str| quantile(of, "", &series(BUCKETS, ""));
    vec![
        Panel::new(201, Kind::Areas, "Requests by status", Unit::Requests)
            .says("Success was stored; rejected are scanners, wrong tokens and wrong signatures; error was not stored, and Meta sends it again.")
            .asks(rates("status", &series(REQUESTS, "")), "{{status}}")
            .colours(&[("success", GREEN), ("rejected", BLUE), ("error", RED)])
            .alerts(&["WhatsAppWebhookErrors"]),
        Panel::new(202, Kind::Areas, "Requests by content", Unit::Requests)
            .says("What the requests held: the message's type, the status or the field, the ten most frequent. None was never read.")
            .asks(largest(&rates("type", &series(REQUESTS, ""))), "{{type}}"),
        Panel::new(203, Kind::Lines, "Latency", Unit::Seconds)
            .says("From a request's headers to its answer. The lines: 250 ms, which Meta wants of the median; 1 s, which it wants of 99 in 100; and 15 s, after which Meta soon gives up.")
            .asks(quantiles("0.5"), "p50")
            .asks(quantiles("0.95"), "p95")
            .asks(quantiles("0.99"), "p99")
            .steps(GREEN, &[(0.25, BLUE), (1.0, YELLOW), (15.0, RED)])
            .logarithmic()
            .alerts(&["WhatsAppWebhookSlow", "WhatsAppWebhookTooSlow", "WhatsAppWebhookLatencyBurn"]),
        Panel::new(204, Kind::Heatmap, "Latency, all requests", Unit::Seconds)
            .says("How many requests took how long.")
            .asks(rates("le", &series(BUCKETS, "")), "{{le}}"),
        Panel::new(205, Kind::Lines, "Refused signatures", Unit::Requests)
            .says("By reason. Mismatch with no success beside it is a wrong secret; retired_secret was signed with a secret that was removed; the rest are strangers. Throttled were answered 429 for having had too many.")
            .asks(rates("reason", &failures), "{{reason}}")
            .asks(rates("", &series("whatsapp_webhook_throttled_total", "")), "throttled")
            .alerts(&[
                "WhatsAppWebhookForgedRequests",
                "WhatsAppWebhookSecretWrong",
                "WhatsAppWebhookSecretRetired",
            ]),
        Panel::new(206, Kind::Lines, "Handshakes", Unit::Requests)
            .says("Subscription handshakes: verified, or why they were refused. They come when a callback URL is saved at Meta.")
            .asks(rates("reason", &series("whatsapp_webhook_handshakes_total", "")), "{{reason}}"),
        Panel::new(207, Kind::Lines, "In work", Unit::Count)
            .says("Requests being served and open connections, of each receiver.")
            .asks(series("whatsapp_webhook_in_flight_requests", ""), "requests, {{instance}}")
            .asks(series("whatsapp_webhook_connections", ""), "connections, {{instance}}"),
        Panel::new(208, Kind::Lines, "Bodies parsed", Unit::PerSecond)
            .says("Bodies that reached the JSON parser beside the requests that were not refused: only signed ones may.")
            .asks(rates("", &series("whatsapp_webhook_bodies_parsed_total", "")), "parsed")
            .asks(rates("", &series(REQUESTS, "status!=\"rejected\"")), "not refused"),
    ]
}

fn events() -> Vec<Panel> {
    let publish = series("whatsapp_webhook_publish_seconds_bucket", "");
    let quantiles = |of: &str| quantile(of, "", &publish);
    let meta = rates("code", &series("whatsapp_webhook_meta_errors_total", ""));
    let letters = rates("reason", &series("whatsapp_webhook_dead_letters_total", ""));
    vec![
        Panel::new(301, Kind::Areas, "Events by outcome", Unit::PerSecond)
            .says(
                "Stored was acknowledged by JetStream; duplicate was stored before; failed comes again from Meta.",
            )
            .asks(rates("outcome", &series(EVENTS, "")), "{{outcome}}")
            .colours(&[("stored", GREEN), ("duplicate", BLUE), ("failed", RED)])
            .alerts(&["WhatsAppWebhookErrors", "WhatsAppWebhookDuplicates"]),
        Panel::new(302, Kind::Areas, "Events by family", Unit::PerSecond)
            .says("What was stored, by family: messages, statuses, and the fields of the subscription, the ten most frequent.")
            .asks(
                largest(&rates("family", &series(EVENTS, "outcome=\"stored\""))),
                "{{family}}",
            ),
        Panel::new(303, Kind::Lines, "Duplicates", Unit::PerSecond)
            .says("By who noticed: the stream's window, the receiver's memory, a request in work, or the same body. Contended were being stored by another receiver at the same moment.")
            .asks(
                rates("source", &series("whatsapp_webhook_duplicates_total", "")),
                "{{source}}",
            )
            .asks(
                rates("", &series("whatsapp_webhook_contended_events_total", "")),
                "contended",
            )
            .alerts(&["WhatsAppWebhookDuplicates"]),
        Panel::new(304, Kind::Lines, "Time to store", Unit::Seconds)
            .says("From a request's first publish to its last acknowledgement. The line is 250 ms.")
            .asks(quantiles("0.5"), "p50")
            .asks(quantiles("0.95"), "p95")
            .asks(quantiles("0.99"), "p99")
            .steps(GREEN, &[(0.25, YELLOW)])
            .logarithmic()
            .alerts(&["WhatsAppWebhookSlow"]),
        Panel::new(305, Kind::Lines, "Dead letters", Unit::PerSecond)
            .says("Signed bodies that could not be read and were stored as dead letters, by reason.")
            .asks(or_none("reason", &letters), "{{reason}}")
            .alerts(&["WhatsAppWebhookDeadLetters"]),
        Panel::new(306, Kind::Lines, "Errors that Meta reports", Unit::PerSecond)
            .says("By Meta's code, inside events. 131035 says that Meta dropped content: it is lost.")
            .asks(or_none("code", &meta), "{{code}}")
            .alerts(&["WhatsAppWebhookContentDropped"]),
    ]
}

fn processes() -> Vec<Panel> {
    let process = |name: &str| operators(name, "");
    let files = format!("{} / {}", process("process_open_fds"), process("process_max_fds"));
    let age = format!("(time() - {})", process("process_start_time_seconds"));
    let cpu = rate(&process("process_cpu_seconds_total"));
    let instances = "{{namespace}}/{{webhook}}, {{instance}}";
    vec![
        Panel::new(401, Kind::Lines, "NATS and stream", Unit::Count)
            .says("1 while a receiver is connected, and while its stream takes events.")
            .asks(series("whatsapp_webhook_nats_connected", ""), "connected, {{instance}}")
            .asks(series("whatsapp_webhook_stream_ready", ""), "stream, {{instance}}")
            .most(1.0)
            .alerts(&["WhatsAppWebhookBrokerDisconnected", "WhatsAppWebhookDown"]),
        Panel::new(402, Kind::Lines, "Secrets and configuration", Unit::Count)
            .says("The generation of the secrets that each receiver runs with, and how many changes were refused in the time shown; the last good ones stay in use.")
            .asks(series("whatsapp_webhook_secret_generation", ""), "generation, {{instance}}")
            .asks(
                sum(
                    "instance",
                    &format!(
                        "increase({}[$__rate_interval])",
                        series("whatsapp_webhook_config_reload_failures_total", "")
                    ),
                ),
                "refused, {{instance}}",
            ),
        Panel::new(403, Kind::Lines, "Processors", Unit::Count)
            .says("Processors' time that each receiver takes: 1 is one processor.")
            .asks(of_receivers(&cpu), instances)
            .wide(8),
        Panel::new(404, Kind::Lines, "Memory", Unit::Bytes)
            .says("Resident memory of each receiver.")
            .asks(of_receivers(&process("process_resident_memory_bytes")), instances)
            .wide(8),
        Panel::new(405, Kind::Lines, "File descriptors", Unit::Part)
            .says("The part of the allowed descriptors that are open. The line is 80 %.")
            .asks(of_receivers(&format!("({files})")), instances)
            .steps(GREEN, &[(0.8, RED)])
            .wide(8),
        Panel::new(406, Kind::Lines, "Age", Unit::Seconds)
            .says("How long ago each receiver started. What falls to 0 has been started again.")
            .asks(of_receivers(&age), instances),
        Panel::new(407, Kind::Table, "Versions", Unit::Count)
            .says("How many receivers run which version.")
            .asks(
                format!(
                    "count by (namespace, webhook, version) ({})",
                    series("wahook_build_info", "")
                ),
                "receivers",
            ),
    ]
}
