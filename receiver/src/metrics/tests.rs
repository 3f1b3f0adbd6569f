//! What a scrape shows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use super::*;
use crate::handshake::Refusal;

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new("shop", "orders").unwrap())
}

/// The value of the one series of `name` that has all of `labels`.
fn value(metrics: &Metrics, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let text = metrics.render();
    let mut found = text.lines().filter(|line| {
        line.split(['{', ' ']).next() == Some(name)
            && labels
                .iter()
                .all(|(key, value)| line.contains(&format!("{key}=\"{value}\"")))
    });
    let line = found.next()?;
    assert_eq!(found.next(), None, "more than one series");
    line.rsplit(' ').next()?.parse().ok()
}

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < f64::EPSILON)
}

fn series(metrics: &Metrics) -> usize {
    metrics
        .render()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .count()
}

/// Uses every metric once.
fn touch_everything(metrics: &Arc<Metrics>) {
    metrics
        .request(Instant::now())
        .set(RequestStatus::Success, RequestType::Mixed);
    metrics.connection_opened();
    metrics
        .events(EventLabel::of("messages", "text"), Outcome::Stored)
        .inc_by(3);
    metrics.duplicates(DuplicateSource::Local).inc();
    metrics.signature_failed(SignatureFailure::Mismatch);
    metrics.dead_letter("not_json");
    metrics.published(Duration::from_millis(3));
    metrics.set_nats_connected(true);
    metrics.set_stream_ready(true);
    metrics.set_secret_generation(7);
    metrics.meta_error(131_026);
    metrics.handshake(&HandshakeOutcome::Refused(Refusal::TokenWrong));
    metrics.body_parsed();
    metrics.reloads_failed(1);
    metrics.throttled();
    metrics.contended(2);
}

#[test]
fn every_definition_is_exposed_with_its_help_and_type() {
    let metrics = metrics();
    touch_everything(&metrics);
    let text = metrics.render();
    for definition in Metrics::describe() {
        assert!(definition.help.len() > 10, "{}", definition.name);
        assert!(
            text.contains(&format!("# HELP {} {}\n", definition.name, definition.help)),
            "{}",
            definition.name
        );
        let kind = format!("{:?}", definition.kind).to_lowercase();
        assert!(
            text.contains(&format!("# TYPE {} {kind}\n", definition.name)),
            "{}",
            definition.name
        );
    }
}

#[test]
fn nothing_is_exposed_without_a_definition() {
    let metrics = metrics();
    touch_everything(&metrics);
    let defined: BTreeMap<_, _> = Metrics::describe().iter().map(|d| (d.name, d.labels)).collect();
    assert_eq!(
        defined.len(),
        Metrics::describe().len(),
        "a name is defined twice"
    );
    for line in metrics
        .render()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
    {
        let name = line.split(' ').next().unwrap();
        assert!(
            defined.contains_key(name) || name.starts_with("process_"),
            "{name}"
        );
    }
}

#[test]
fn every_series_names_its_webhook() {
    let metrics = metrics();
    touch_everything(&metrics);
    for line in metrics.render().lines().filter(|line| !line.starts_with('#')) {
        assert!(
            line.contains("namespace=\"shop\"") && line.contains("webhook=\"orders\""),
            "{line}"
        );
    }
}

#[test]
fn names_follow_the_conventions() {
    for definition in Metrics::describe() {
        let name = definition.name;
        assert!(
            name.starts_with("whatsapp_webhook_") || name.starts_with("wahook_"),
            "{name}"
        );
        assert_eq!(
            name.ends_with("_total"),
            definition.kind == Kind::Counter,
            "{name}"
        );
        assert_eq!(
            name.ends_with("_seconds"),
            definition.kind == Kind::Histogram,
            "{name}"
        );
    }
}

#[test]
fn odd_payloads_add_no_series() {
    let metrics = metrics();
    let odd = |n: u32| {
        for event in [
            EventLabel::of("messages", &format!("type{n}")),
            EventLabel::of(&format!("field{n}"), "x"),
        ] {
            for outcome in Outcome::ALL {
                metrics.events(event, *outcome).inc();
            }
            for status in RequestStatus::ALL {
                metrics
                    .request(Instant::now())
                    .set(*status, RequestType::One(event));
            }
        }
    };
    odd(0);
    let before = series(&metrics);
    (1..100_000).for_each(odd);
    assert_eq!(series(&metrics), before);
    let labels = [("family", "other"), ("outcome", "failed")];
    assert!(close(
        value(&metrics, "whatsapp_webhook_events_total", &labels),
        100_000.0
    ));
}

#[test]
fn meta_error_codes_are_bounded() {
    let metrics = metrics();
    for code in 0..1000 {
        metrics.meta_error(code);
        metrics.meta_error(0);
    }
    let name = "whatsapp_webhook_meta_errors_total";
    assert!(close(value(&metrics, name, &[("code", "0")]), 1001.0));
    assert!(close(value(&metrics, name, &[("code", "49")]), 1.0));
    assert_eq!(value(&metrics, name, &[("code", "50")]), None);
    assert!(close(value(&metrics, name, &[("code", "other")]), 950.0));
}

#[test]
fn a_request_is_in_flight_until_it_is_counted() {
    let metrics = metrics();
    let mut request = metrics.request(Instant::now().checked_sub(Duration::from_secs(12)).unwrap());
    assert!(close(
        value(&metrics, "whatsapp_webhook_in_flight_requests", &[]),
        1.0
    ));
    let text = RequestType::One(EventLabel::of("messages", "text"));
    request.set(RequestStatus::Error, text);
    request.set(RequestStatus::Success, text);
    drop(request);

    assert!(close(
        value(&metrics, "whatsapp_webhook_in_flight_requests", &[]),
        0.0
    ));
    let labels = [("status", "success"), ("type", "text")];
    assert!(close(
        value(&metrics, "whatsapp_webhook_requests_total", &labels),
        1.0
    ));
    // There to be counted up: the first failure of a type that was received before shows in a rate.
    let failures = [("status", "error"), ("type", "text")];
    let failures = value(&metrics, "whatsapp_webhook_requests_total", &failures);
    assert!(close(failures, 0.0));
    let bucket = |le| value(&metrics, "whatsapp_webhook_latency_seconds_bucket", &[("le", le)]);
    assert!(close(bucket("10"), 0.0) && close(bucket("15"), 1.0) && close(bucket("20"), 1.0));
}

#[test]
fn a_client_that_hangs_up_is_not_an_error() {
    let metrics = metrics();
    drop(metrics.request(Instant::now()));
    let labels = [("status", "rejected"), ("type", "none")];
    assert!(close(
        value(&metrics, "whatsapp_webhook_requests_total", &labels),
        1.0
    ));
}

#[test]
fn the_series_alerts_watch_start_at_zero() {
    let metrics = metrics();
    for reason in SignatureFailure::ALL {
        let labels = [("reason", reason.as_str())];
        assert!(close(
            value(&metrics, "whatsapp_webhook_signature_failures_total", &labels),
            0.0
        ));
    }
    for source in DuplicateSource::ALL {
        let labels = [("source", source.as_str())];
        assert!(close(
            value(&metrics, "whatsapp_webhook_duplicates_total", &labels),
            0.0
        ));
    }
    let labels = [("status", "error"), ("type", "none")];
    assert!(close(
        value(&metrics, "whatsapp_webhook_requests_total", &labels),
        0.0
    ));
}

#[test]
fn gauges_and_counters_show_what_was_said() {
    let metrics = metrics();
    touch_everything(&metrics);
    let table = [
        ("whatsapp_webhook_nats_connected", 1.0),
        ("whatsapp_webhook_stream_ready", 1.0),
        ("whatsapp_webhook_secret_generation", 7.0),
        ("whatsapp_webhook_connections", 1.0),
        ("whatsapp_webhook_bodies_parsed_total", 1.0),
        ("whatsapp_webhook_config_reload_failures_total", 1.0),
        ("whatsapp_webhook_throttled_total", 1.0),
        ("whatsapp_webhook_contended_events_total", 2.0),
        ("whatsapp_webhook_publish_seconds_count", 1.0),
        ("wahook_build_info", 1.0),
    ];
    for (name, expected) in table {
        assert!(close(value(&metrics, name, &[]), expected), "{name}");
    }
    let labels = [("family", "messages"), ("type", "text"), ("outcome", "stored")];
    assert!(close(
        value(&metrics, "whatsapp_webhook_events_total", &labels),
        3.0
    ));
    assert!(close(
        value(
            &metrics,
            "whatsapp_webhook_handshakes_total",
            &[("reason", "token_wrong")]
        ),
        1.0
    ));
    assert!(close(
        value(
            &metrics,
            "whatsapp_webhook_dead_letters_total",
            &[("reason", "not_json")]
        ),
        1.0
    ));
    #[cfg(target_os = "linux")]
    assert!(value(&metrics, "process_resident_memory_bytes", &[]).is_some_and(|bytes| bytes > 0.0));
}
