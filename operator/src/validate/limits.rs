//! `spec.limits`, the local memory of ids and the interval of scrapes: the bounds are those of the receiver,
//! which refuses to start outside of them.

use std::time::Duration;

use wahook_crds::{Monitoring, WhatsAppWebhookSpec};

use super::check::Check;
use super::model::Limits;

const KIB: i64 = 1 << 10;
const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;
/// The bounds of counts.
const MOST: i32 = 1_000_000;

/// Reads the limits.
pub(super) fn read(spec: &WhatsAppWebhookSpec, check: &mut Check) -> Limits {
    let limits = &spec.limits;
    let up_to = |seconds| Duration::from_millis(10)..=Duration::from_secs(seconds);
    check.number(
        "deduplication.memoryEntries",
        spec.deduplication.memory_entries,
        1..=10_000_000,
    );
    let read = Limits {
        body_bytes: check.size("limits.bodyBytes", &limits.body_bytes, KIB..=64 * MIB),
        body_memory_bytes: check.size(
            "limits.bodyMemoryBytes",
            &limits.body_memory_bytes,
            KIB..=64 * GIB,
        ),
        header_bytes: check.size("limits.headerBytes", &limits.header_bytes, 8 * KIB..=MIB),
        header_timeout: check.duration("limits.headerTimeout", &limits.header_timeout, up_to(60)),
        body_timeout: check.duration("limits.bodyTimeout", &limits.body_timeout, up_to(60)),
        idle_timeout: check.duration("limits.idleTimeout", &limits.idle_timeout, up_to(3600)),
        write_timeout: check.duration("limits.writeTimeout", &limits.write_timeout, up_to(60)),
        publish_deadline: check.duration("limits.publishDeadline", &limits.publish_deadline, up_to(15)),
        connections: check.number("limits.connections", limits.connections, 1..=MOST),
        in_flight_requests: check.number("limits.inFlightRequests", limits.in_flight_requests, 1..=MOST),
        in_flight_events: check.number("limits.inFlightEvents", limits.in_flight_events, 1..=MOST),
        bad_signatures_per_minute: check.number(
            "limits.badSignaturesPerMinute",
            limits.bad_signatures_per_minute,
            1..=MOST,
        ),
    };
    if read.body_memory_bytes < read.body_bytes {
        check.invalid("limits.bodyMemoryBytes must not be smaller than limits.bodyBytes");
    }
    read
}

/// Reads how often metrics are read.
pub(super) fn scrape_interval(monitoring: &Monitoring, check: &mut Check) -> Duration {
    check.duration(
        "monitoring.serviceMonitor.interval",
        &monitoring.service_monitor.interval,
        Duration::from_secs(5)..=Duration::from_secs(600),
    )
}
