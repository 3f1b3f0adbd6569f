//! For each alert what makes it fire, what is just too little, and what ends it.

/// How a series goes on in one step of time.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The values are what it grows by.
    Counter,
    /// The values are its values. `NAN` stands for none.
    Gauge,
}

/// A series: what it does when the alert has to fire, just not, and when all is well again.
pub(crate) struct Series {
    pub(crate) kind: Kind,
    /// Without the labels `namespace` and `webhook`.
    pub(crate) metric: &'static str,
    pub(crate) labels: &'static str,
    pub(crate) values: [f64; 3],
}

/// The three cases of an alert.
pub(crate) struct Case {
    pub(crate) alert: &'static str,
    pub(crate) window: Option<&'static str>,
    /// Minutes of a step.
    pub(crate) minutes: u32,
    /// After how many steps it fires, and after how many more it no longer does.
    pub(crate) steps: [u32; 2],
    /// Steps of traffic before, in which every series grows by so much.
    pub(crate) before: Option<(u32, f64)>,
    pub(crate) series: Vec<Series>,
}

fn counter(metric: &'static str, labels: &'static str, values: [f64; 3]) -> Series {
    Series {
        kind: Kind::Counter,
        metric,
        labels,
        values,
    }
}

fn gauge(metric: &'static str, labels: &'static str, values: [f64; 3]) -> Series {
    Series {
        kind: Kind::Gauge,
        metric,
        labels,
        values,
    }
}

fn case(alert: &'static str, steps: [u32; 2], series: Vec<Series>) -> Case {
    Case {
        alert,
        window: None,
        minutes: 1,
        steps,
        before: None,
        series,
    }
}

fn requests(labels: &'static str, values: [f64; 3]) -> Series {
    counter("whatsapp_webhook_requests_total", labels, values)
}

const ERROR: &str = "status=\"error\", type=\"none\"";
const SUCCESS: &str = "status=\"success\", type=\"text\"";

/// Requests of which all but so many are faster than a bound.
fn latency(bound: &'static str, inside: [f64; 3], next: &'static str) -> Vec<Series> {
    let bucket = "whatsapp_webhook_latency_seconds_bucket";
    vec![
        counter(bucket, bound, inside),
        counter(bucket, next, [100.0; 3]),
        counter(bucket, "le=\"+Inf\"", [100.0; 3]),
    ]
}

/// 0.9 and 1.1 times each limit, of 10 000 requests in a step.
fn burns() -> Vec<Case> {
    let windows = [
        ("1h", 14.4, 1, [63, 10]),
        ("6h", 6.0, 5, [76, 8]),
        ("1d", 3.0, 10, [152, 15]),
        ("3d", 1.0, 30, [152, 15]),
    ];
    let mut cases = Vec::new();
    for (window, factor, minutes, steps) in windows {
        let bad = [11.0 * factor, 9.0 * factor, 0.0];
        let good = bad.map(|bad| 10_000.0 - bad);
        let count = "whatsapp_webhook_latency_seconds_count";
        let bucket = "whatsapp_webhook_latency_seconds_bucket";
        for (alert, series) in [
            (
                "WhatsAppWebhookAvailabilityBurn",
                vec![requests(ERROR, bad), requests(SUCCESS, good)],
            ),
            (
                "WhatsAppWebhookLatencyBurn",
                // As Prometheus 3 writes it.
                vec![
                    counter(bucket, "le=\"1.0\"", good),
                    counter(count, "", [10_000.0; 3]),
                ],
            ),
        ] {
            cases.push(Case {
                alert,
                window: Some(window),
                minutes,
                steps,
                before: None,
                series,
            });
        }
    }
    cases
}

pub(crate) fn all() -> Vec<Case> {
    [delivery(), burns(), events(), resource(), operator()]
        .into_iter()
        .flatten()
        .collect()
}

fn delivery() -> Vec<Case> {
    let failures = "whatsapp_webhook_signature_failures_total";
    let (mismatch, missing) = ("reason=\"mismatch\"", "reason=\"missing\"");
    vec![
        case(
            "WhatsAppWebhookErrors",
            [10, 10],
            vec![
                requests(ERROR, [5.5, 4.5, 0.0]),
                requests(SUCCESS, [94.5, 95.5, 100.0]),
            ],
        ),
        // Interpolated: of 100 requests, the 95th is a little below or above 10 s.
        case(
            "WhatsAppWebhookSlow",
            [15, 10],
            latency("le=\"10\"", [94.0, 96.0, 100.0], "le=\"15\""),
        ),
        case(
            "WhatsAppWebhookTooSlow",
            [15, 10],
            latency("le=\"15\"", [94.0, 96.0, 100.0], "le=\"20\""),
        ),
        case(
            "WhatsAppWebhookForgedRequests",
            [20, 10],
            vec![
                counter(failures, missing, [66.0, 54.0, 0.0]),
                requests(SUCCESS, [1.0; 3]),
            ],
        ),
        case(
            "WhatsAppWebhookSecretWrong",
            [25, 20],
            // A good request says that the secret is right.
            vec![
                counter(failures, mismatch, [1.0; 3]),
                requests(SUCCESS, [0.0, 1.0, 1.0]),
            ],
        ),
        case(
            "WhatsAppWebhookSecretRetired",
            [10, 20],
            vec![counter(failures, "reason=\"retired_secret\"", [1.0, 0.0, 0.0])],
        ),
        Case {
            minutes: 10,
            // A day of three requests in ten minutes, then three hours.
            before: Some((144, 3.0)),
            ..case(
                "WhatsAppWebhookNoTraffic",
                [18, 3],
                vec![requests(SUCCESS, [0.0, 1.0, 3.0])],
            )
        },
    ]
}

fn events() -> Vec<Case> {
    let events = "whatsapp_webhook_events_total";
    let dead = "whatsapp_webhook_dead_letters_total";
    let errors = "whatsapp_webhook_meta_errors_total";
    vec![
        case(
            "WhatsAppWebhookDuplicates",
            [35, 20],
            vec![
                counter(
                    events,
                    "family=\"messages\", type=\"text\", outcome=\"duplicate\"",
                    [22.0, 18.0, 0.0],
                ),
                counter(
                    events,
                    "family=\"messages\", type=\"text\", outcome=\"stored\"",
                    [78.0, 82.0, 100.0],
                ),
            ],
        ),
        case(
            "WhatsAppWebhookDeadLetters",
            [5, 20],
            vec![counter(dead, "reason=\"not_json\"", [1.0, 0.0, 0.0])],
        ),
        case(
            "WhatsAppWebhookQuarantine",
            [5, 20],
            vec![counter(
                events,
                "family=\"quarantine\", type=\"text\", outcome=\"stored\"",
                [1.0, 0.0, 0.0],
            )],
        ),
        case(
            "WhatsAppWebhookContentDropped",
            [5, 70],
            vec![counter(errors, "code=\"131035\"", [1.0, 0.0, 0.0])],
        ),
    ]
}

const DAY: f64 = 86_400.0;

fn resource() -> Vec<Case> {
    let not_after = "whatsapp_webhook_certificate_not_after_timestamp_seconds";
    let condition = "whatsapp_webhook_condition";
    let replicas = |ready: [f64; 3]| {
        vec![
            gauge("whatsapp_webhook_ready_replicas", "", ready),
            gauge("whatsapp_webhook_desired_replicas", "", [2.0; 3]),
        ]
    };
    let mut unready = replicas([2.0; 3]);
    unready.push(gauge(
        condition,
        "type=\"Ready\", status=\"True\"",
        [0.0, 1.0, 1.0],
    ));
    vec![
        case(
            "WhatsAppWebhookCertificateExpires",
            [70, 5],
            vec![gauge(not_after, "", [30.0 * DAY, 30.5 * DAY, 90.0 * DAY])],
        ),
        case(
            "WhatsAppWebhookCertificateExpiresSoon",
            [70, 5],
            vec![gauge(not_after, "", [7.0 * DAY, 7.5 * DAY, 90.0 * DAY])],
        ),
        case(
            "WhatsAppWebhookBrokerDisconnected",
            [5, 5],
            vec![gauge("whatsapp_webhook_nats_connected", "", [0.0, 1.0, 1.0])],
        ),
        case(
            "WhatsAppWebhookStreamFull",
            [20, 5],
            vec![
                gauge("whatsapp_webhook_stream_bytes", "", [81.0, 80.0, 10.0]),
                gauge("whatsapp_webhook_stream_limit_bytes", "", [100.0; 3]),
            ],
        ),
        case(
            "WhatsAppWebhookStalled",
            [10, 5],
            vec![gauge(
                condition,
                "type=\"Stalled\", status=\"True\"",
                [1.0, 0.0, 0.0],
            )],
        ),
        case(
            "WhatsAppWebhookEndpointUnreachable",
            [15, 5],
            vec![gauge(
                "whatsapp_webhook_endpoint_probe_success",
                "",
                // None where it cannot be seen from inside.
                [0.0, f64::NAN, 1.0],
            )],
        ),
        case(
            "WhatsAppWebhookReceiversMissing",
            [20, 5],
            replicas([1.0, 2.0, 2.0]),
        ),
        case("WhatsAppWebhookNotReady", [20, 5], unready),
        case(
            "WhatsAppWebhookDown",
            [10, 5],
            vec![gauge("whatsapp_webhook_stream_ready", "", [f64::NAN, 1.0, 1.0])],
        ),
    ]
}

fn operator() -> Vec<Case> {
    let of = "controller=\"whatsappwebhook\"";
    vec![
        case(
            "WahookOperatorReconcileErrors",
            [35, 20],
            vec![
                counter("controller_runtime_reconcile_errors_total", of, [11.0, 9.0, 0.0]),
                counter("controller_runtime_reconcile_total", of, [100.0; 3]),
            ],
        ),
        case(
            "WahookOperatorUpgradeStopped",
            [10, 5],
            vec![gauge(
                "whatsapp_webhook_operator_rollouts",
                "state=\"failed\"",
                [1.0, 0.0, 0.0],
            )],
        ),
        case(
            "WahookOperatorNoLeader",
            [10, 5],
            vec![gauge("whatsapp_webhook_operator_leader", "", [0.0, 1.0, 1.0])],
        ),
        case(
            "WahookOperatorWatchErrors",
            [35, 20],
            vec![counter(
                "whatsapp_webhook_operator_watch_errors_total",
                "kind=\"Secret\"",
                [0.36, 0.3, 0.0],
            )],
        ),
    ]
}
