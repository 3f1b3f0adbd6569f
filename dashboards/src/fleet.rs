//! All webhooks as the operator sees them, and the operator itself.

use crate::Plan;
use crate::panel::{BLUE, GREEN, Kind, Panel, RED, Row, Unit, YELLOW};
use crate::query::{max, of_operators, operators, or_none, or_zero, quantile, rate, rates, series, sum};

const CONDITION: &str = "whatsapp_webhook_condition";
const NAMES: &str = "namespace, webhook";
const NAMED: &str = "{{namespace}}/{{webhook}}";
const DAY: f64 = 86_400.0;

pub(crate) fn plan() -> Plan {
    Plan {
        name: "wahook-fleet",
        uid: "wahook-fleet",
        title: "Wahook / Fleet and operator",
        description: "Every WhatsAppWebhook of the cluster as the operator sees it, and what the operator does.",
        listed_by: CONDITION.to_owned(),
        rows: vec![
            Row {
                id: 100,
                title: "Fleet",
                panels: glance(),
            },
            Row {
                id: 200,
                title: "Webhooks",
                panels: webhooks(),
            },
            Row {
                id: 300,
                title: "Operator",
                panels: operator(),
            },
            Row {
                id: 400,
                title: "Operator's processes",
                panels: processes(),
            },
        ],
    }
}

/// How many webhooks have a condition with a status.
fn count(kind: &str, status: &str) -> String {
    let is = series(CONDITION, &format!("type=\"{kind}\", status=\"{status}\""));
    format!("sum({})", max(NAMES, &is))
}

/// What is left of the certificates' time.
fn left() -> String {
    let ends = series("whatsapp_webhook_certificate_not_after_timestamp_seconds", "");
    format!("{} - time()", max(NAMES, &ends))
}

fn glance() -> Vec<Panel> {
    let all = max(NAMES, &series("whatsapp_webhook_desired_replicas", ""));
    let replicas = |name: &str| format!("sum({})", max(NAMES, &series(name, "")));
    vec![
        Panel::new(101, Kind::Stat, "Webhooks", Unit::Count)
            .says("WhatsAppWebhooks in the cluster.")
            .asks(format!("count({all})"), "webhooks"),
        Panel::new(102, Kind::Stat, "Not ready", Unit::Count)
            .says("Webhooks whose condition Ready is False.")
            .asks(count("Ready", "False"), "not ready")
            .steps(GREEN, &[(1.0, RED)])
            .alerts(&["WhatsAppWebhookNotReady"]),
        Panel::new(103, Kind::Stat, "Stalled", Unit::Count)
            .says("Webhooks whose resource is wrong: somebody has to change it.")
            .asks(or_zero(&count("Stalled", "True")), "stalled")
            .steps(GREEN, &[(1.0, RED)])
            .alerts(&["WhatsAppWebhookStalled"]),
        Panel::new(104, Kind::Stat, "Receivers", Unit::Count)
            .says("Receivers that are ready, and those that should be.")
            .asks(replicas("whatsapp_webhook_ready_replicas"), "ready")
            .asks(replicas("whatsapp_webhook_desired_replicas"), "wanted")
            .alerts(&["WhatsAppWebhookReceiversMissing"]),
        Panel::new(105, Kind::Stat, "Next certificate ends in", Unit::Seconds)
            .says("The time until the first certificate expires.")
            .asks(format!("min({})", left()), "left")
            .steps(RED, &[(7.0 * DAY, YELLOW), (30.0 * DAY, GREEN)])
            .alerts(&[
                "WhatsAppWebhookCertificateExpires",
                "WhatsAppWebhookCertificateExpiresSoon",
            ]),
        Panel::new(106, Kind::Stat, "Leader", Unit::Count)
            .says("Operators that do the work: one, always.")
            .asks(
                format!("sum({})", operators("whatsapp_webhook_operator_leader", "")),
                "leader",
            )
            .steps(RED, &[(1.0, GREEN), (2.0, RED)])
            .alerts(&["WahookOperatorNoLeader"]),
    ]
}

fn webhooks() -> Vec<Panel> {
    let conditions = format!("{} == 1", series(CONDITION, ""));
    let each = |name: &str| max(NAMES, &series(name, ""));
    let fill = format!(
        "{} / {}",
        each("whatsapp_webhook_stream_bytes"),
        each("whatsapp_webhook_stream_limit_bytes")
    );
    vec![
        Panel::new(201, Kind::Table, "Conditions", Unit::Count)
            .says("The status that every condition of every webhook has now.")
            .asks(
                format!("count by (namespace, webhook, type, status) ({conditions})"),
                "is",
            )
            .alerts(&["WhatsAppWebhookNotReady", "WhatsAppWebhookStalled"]),
        Panel::new(202, Kind::Lines, "Receivers that are missing", Unit::Count)
            .says("Receivers that should be ready and are not.")
            .asks(
                format!(
                    "clamp_min({} - {}, 0)",
                    each("whatsapp_webhook_desired_replicas"),
                    each("whatsapp_webhook_ready_replicas")
                ),
                NAMED,
            )
            .alerts(&["WhatsAppWebhookReceiversMissing"]),
        Panel::new(203, Kind::Lines, "Public URL answers", Unit::Count)
            .says("1 when the public URL answered as Meta needs it, else 0. Nothing where it cannot be seen from the cluster.")
            .asks(each("whatsapp_webhook_endpoint_probe_success"), NAMED)
            .most(1.0)
            .alerts(&["WhatsAppWebhookEndpointUnreachable"]),
        Panel::new(204, Kind::Lines, "Time of the look at the public URL", Unit::Seconds)
            .says("How long the operator's last look took: name, connection, TLS, and the answer.")
            .asks(each("whatsapp_webhook_endpoint_probe_duration_seconds"), NAMED)
            .alerts(&["WhatsAppWebhookEndpointUnreachable"]),
        Panel::new(205, Kind::Lines, "Time left of certificates", Unit::Seconds)
            .says("Until the certificate of each webhook expires. The lines: 7 and 30 days.")
            .asks(left(), NAMED)
            .steps(RED, &[(7.0 * DAY, YELLOW), (30.0 * DAY, GREEN)])
            .alerts(&[
                "WhatsAppWebhookCertificateExpires",
                "WhatsAppWebhookCertificateExpiresSoon",
            ]),
        Panel::new(206, Kind::Lines, "Streams' fill", Unit::Part)
            .says("How full each stream is that the operator looks after, as a part of its limit. The line is 80 %.")
            .asks(fill, NAMED)
            .steps(GREEN, &[(0.8, RED)])
            .alerts(&["WhatsAppWebhookStreamFull"]),
    ]
}

fn operator() -> Vec<Panel> {
    let ours = "controller=\"whatsappwebhook\"";
    let total = operators("controller_runtime_reconcile_total", ours);
    let errors = operators("controller_runtime_reconcile_errors_total", ours);
    let buckets = operators("controller_runtime_reconcile_time_seconds_bucket", ours);
    let causes = operators("whatsapp_webhook_operator_reconcile_failures_total", "");
    let watches = operators("whatsapp_webhook_operator_watch_errors_total", "");
    vec![
        Panel::new(301, Kind::Areas, "Reconciles", Unit::PerSecond)
            .says("By how they ended: done, done and looked at again later, or failed and tried again.")
            .asks(rates("result", &total), "{{result}}")
            .colours(&[("success", GREEN), ("requeue_after", BLUE), ("error", RED)]),
        Panel::new(302, Kind::Lines, "Reconciles that fail", Unit::Part)
            .says("The part of the reconciles that failed. The line is 10 %.")
            .asks(
                format!("{} / {}", rates("", &errors), rates("", &total)),
                "failed",
            )
            .steps(GREEN, &[(0.1, RED)])
            .alerts(&["WahookOperatorReconcileErrors"]),
        Panel::new(303, Kind::Lines, "Time of a reconcile", Unit::Seconds)
            .says("From its beginning to its end.")
            .asks(quantile("0.5", "", &buckets), "p50")
            .asks(quantile("0.95", "", &buckets), "p95")
            .asks(quantile("0.99", "", &buckets), "p99"),
        Panel::new(304, Kind::Lines, "Failures by cause", Unit::PerSecond)
            .says("What failed in the reconciles that did, and how many were tried again.")
            .asks(or_none("cause", &rates("cause", &causes)), "{{cause}}")
            .asks(
                rates("", &operators("workqueue_retries_total", ours)),
                "tried again",
            )
            .alerts(&["WahookOperatorReconcileErrors"]),
        Panel::new(305, Kind::Lines, "Workers", Unit::Count)
            .says("Reconciles that run, and how many may.")
            .asks(
                sum("", &operators("controller_runtime_active_workers", ours)),
                "running",
            )
            .asks(
                max(
                    "",
                    &operators("controller_runtime_max_concurrent_reconciles", ours),
                ),
                "allowed",
            ),
        Panel::new(306, Kind::Areas, "Writes to the Kubernetes API", Unit::PerSecond)
            .says("By verb, kind and result. While nothing changes there are none.")
            .asks(
                rates(
                    "verb, kind, result",
                    &operators("whatsapp_webhook_operator_writes_total", ""),
                ),
                "{{verb}} {{kind}} {{result}}",
            ),
        Panel::new(307, Kind::Lines, "Watches that fail", Unit::PerSecond)
            .says("By kind. A watch that goes on failing makes what the operator knows of its kind stale.")
            .asks(or_none("kind", &rates("kind", &watches)), "{{kind}}")
            .alerts(&["WahookOperatorWatchErrors"]),
        Panel::new(308, Kind::Areas, "Roll-out of an upgrade", Unit::Count)
            .says("Webhooks whose receivers roll, have failed, which stops the others, or wait.")
            .asks(
                max("state", &operators("whatsapp_webhook_operator_rollouts", "")),
                "{{state}}",
            )
            .alerts(&["WahookOperatorUpgradeStopped"]),
        Panel::new(309, Kind::Lines, "Kubernetes Events lost", Unit::PerSecond)
            .says("Events that could not be written.")
            .asks(
                rates("", &operators("whatsapp_webhook_operator_events_lost_total", "")),
                "lost",
            ),
        Panel::new(310, Kind::Lines, "Who leads", Unit::Count)
            .says("1 in the replica that does the work.")
            .asks(operators("whatsapp_webhook_operator_leader", ""), "{{instance}}")
            .most(1.0)
            .alerts(&["WahookOperatorNoLeader"]),
    ]
}

fn processes() -> Vec<Panel> {
    let process = |name: &str| operators(name, "");
    let cpu = rate(&process("process_cpu_seconds_total"));
    vec![
        Panel::new(401, Kind::Lines, "Processors", Unit::Count)
            .says("Processors' time that each operator takes: 1 is one processor.")
            .asks(of_operators(&cpu), "{{instance}}")
            .wide(8),
        Panel::new(402, Kind::Lines, "Memory", Unit::Bytes)
            .says("Resident memory of each operator.")
            .asks(
                of_operators(&process("process_resident_memory_bytes")),
                "{{instance}}",
            )
            .wide(8),
        Panel::new(403, Kind::Table, "Versions", Unit::Count)
            .says("How many operators, and receivers of all webhooks, run which version.")
            .asks(
                format!(
                    "count by (version) ({})",
                    operators("wahook_build_info", "webhook=\"\"")
                ),
                "operators",
            )
            .asks(
                format!(
                    "count by (version) ({})",
                    operators("wahook_build_info", "webhook!=\"\"")
                ),
                "receivers",
            )
            .steps(BLUE, &[])
            .wide(8),
    ]
}
