//! Spans of the real receiver, at a collector that keeps them, one that hangs and one that is not there.

use std::time::{Duration, Instant};

use wahook_testbed::collector::{Collector, Span};

use crate::common_http::{House, Plan, RECEIVED, house, text_message};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn traced(name: &str, collector: &Collector) -> Plan {
    traced_to(name, &collector.url())
}

fn traced_to(name: &str, url: &str) -> Plan {
    house(name).line(&format!("tracing: {{endpoint: \"{url}\", sampleRatio: 1}}"))
}

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

async fn deliver(house: &House, id: &str, headers: &[(&str, &str)]) {
    let (meta, body) = (house.meta(), text_message(id, "hello"));
    let signature = meta.signature(body.as_bytes());
    let headers = [&[("X-Hub-Signature-256", signature.as_str())], headers].concat();
    let answer = meta.post_with(body, &headers).await.unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, RECEIVED));
}

/// The `traceparent` of the last event.
async fn header(house: &House) -> Option<String> {
    let stored = house.stored().await;
    stored
        .last()
        .unwrap()
        .header("traceparent")
        .map(ToOwned::to_owned)
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next().unwrap_or_else(|| panic!("no {name}: {spans:#?}"));
    assert!(found.next().is_none(), "more than one {name}: {spans:#?}");
    span
}

#[tokio::test]
async fn a_delivery_is_a_trace_and_its_event_goes_on_with_it() {
    let collector = Collector::start().await.unwrap();
    let house = traced("traces", &collector).open().await;
    // Nobody is trusted: a stranger cannot choose the trace.
    deliver(&house, "traced", &[("traceparent", &parent("01"))]).await;
    let spans = collector.spans_when(|spans| spans.len() >= 4).await;
    assert_eq!(collector.problems(), Vec::<String>::new());

    let root = named(&spans, "webhook");
    assert_eq!(root.parent, "");
    assert_ne!(root.trace, TRACE);
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/webhook"),
        ("http.response.status_code", "200"),
        ("wahook.outcome", "stored"),
        ("wahook.type", "text"),
        ("wahook.events", "1"),
    ] {
        assert_eq!(root.attributes[name], value, "{name}");
    }
    assert_eq!(root.attributes.len(), 6, "{root:#?}");
    for name in ["verify", "split", "publish"] {
        let child = named(&spans, name);
        assert_eq!((&child.trace, &child.parent), (&root.trace, &root.id), "{name}");
        assert!(child.attributes.is_empty() && child.error.is_none(), "{child:#?}");
    }
    for (name, value) in [
        ("service.name", "wahook-receiver"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("k8s.namespace.name", "tests"),
        ("wahook.webhook", "traces"),
    ] {
        assert_eq!(root.resource[name], value, "{name}");
    }
    let publish = named(&spans, "publish");
    let expected = format!("00-{}-{}-01", publish.trace, publish.id);
    assert_eq!(header(&house).await, Some(expected));
}

#[tokio::test]
async fn a_trusted_proxy_chooses_the_trace_and_whether_it_is_kept() {
    let collector = Collector::start().await.unwrap();
    let plan = traced("traces-trusted", &collector).http("trustedProxies: [\"127.0.0.0/8\"]");
    let house = plan.open().await;
    deliver(&house, "skipped", &[("traceparent", &parent("00"))]).await;
    let skipped = header(&house).await.unwrap();
    assert!(
        skipped.starts_with(&format!("00-{TRACE}-")) && skipped.ends_with("-00"),
        "{skipped}"
    );
    deliver(&house, "kept", &[("traceparent", &parent("01"))]).await;
    let spans = collector.spans_when(|spans| spans.len() >= 4).await;
    assert_eq!(spans.len(), 4, "only the second: {spans:#?}");
    let root = named(&spans, "webhook");
    assert_eq!((root.trace.as_str(), root.parent.as_str()), (TRACE, CALLER));
    let kept = header(&house).await.unwrap();
    assert_eq!(kept, format!("00-{TRACE}-{}-01", named(&spans, "publish").id));

    // One that means nothing begins a new trace.
    deliver(
        &house,
        "broken",
        &[("traceparent", &format!("00-{}-{CALLER}-01", "0".repeat(32)))],
    )
    .await;
    let new = header(&house).await.unwrap();
    assert!(
        !new.contains(TRACE) && !new.contains(&"0".repeat(32)) && new.ends_with("-01"),
        "{new}"
    );
}

#[tokio::test]
async fn what_fails_says_why_in_a_word() {
    let collector = Collector::start().await.unwrap();
    let house = traced("traces-failures", &collector)
        .stream("ensure: true, storage: memory, maxBytes: 1Mi")
        .limit("bodyMemoryBytes", "3Mi")
        .open()
        .await;
    let unsigned = house
        .meta()
        .post_with("{}", &[("X-Hub-Signature-256", "sha256=x")])
        .await
        .unwrap();
    assert_eq!(unsigned.status, 401);
    // A stream that is full refuses.
    let large = "x".repeat(700_000);
    let mut statuses = Vec::new();
    for id in ["full-1", "full-2"] {
        statuses.push(house.meta().post(text_message(id, &large)).await.unwrap().status);
    }
    assert_eq!(statuses, [200, 503]);
    let of = |spans: &[Span], outcome: &str| {
        spans.iter().any(|span| {
            span.attributes
                .get("wahook.outcome")
                .is_some_and(|is| is == outcome)
        })
    };
    let spans = collector.spans_when(|spans| of(spans, "stream_full")).await;
    assert!(
        of(&spans, "invalid_signature") && of(&spans, "stored") && of(&spans, "stream_full"),
        "{spans:#?}"
    );
    let failed: Vec<_> = spans
        .iter()
        .filter_map(|span| Some((&*span.name, span.error.as_deref()?)))
        .collect();
    assert!(
        failed.contains(&("webhook", "stream_full")) && failed.contains(&("publish", "stream_full")),
        "{failed:?}"
    );
    assert_eq!(
        failed.len(),
        2,
        "a stranger's request is no failure of ours: {failed:?}"
    );
}

#[tokio::test]
async fn probes_of_the_operator_are_no_traces() {
    let collector = Collector::start().await.unwrap();
    let house = traced("traces-probe", &collector).open().await;
    let nonce = "0123456789abcdef0123456789abcdef";
    assert_eq!(
        house
            .meta()
            .get(&format!("wahook.nonce={nonce}"))
            .await
            .unwrap()
            .status,
        403
    );
    deliver(&house, "after", &[]).await;
    let spans = collector.spans_when(|spans| spans.len() >= 4).await;
    assert_eq!(named(&spans, "webhook").attributes["http.request.method"], "POST");
}

#[tokio::test]
async fn off_no_header_is_made_up_and_a_trusted_one_is_passed_on() {
    let house = house("traces-off")
        .http("trustedProxies: [\"127.0.0.0/8\"]")
        .open()
        .await;
    deliver(&house, "without", &[]).await;
    assert_eq!(header(&house).await, None);
    deliver(&house, "with", &[("traceparent", &parent("01"))]).await;
    assert_eq!(header(&house).await, Some(parent("01")));
}

#[tokio::test]
async fn a_collector_that_hangs_slows_no_request_and_holds_up_no_end() {
    let collector = Collector::hanging().await.unwrap();
    let house = traced("traces-hanging", &collector).open().await;
    let meta = house.meta();
    // Four spans each: more than the queue holds.
    for count in 0..800 {
        let answer = meta
            .post(text_message(&format!("hang-{count}"), "hello"))
            .await
            .unwrap();
        assert_eq!(answer.status, 200);
    }
    assert!(collector.is_called().await);
    assert!(house.receiver.log().says("SpanDroppingStarted").await);
    assert!(house.receiver.log().says("the collector took no spans").await);
    deliver(&house, "last", &[]).await;
    let stopping = Instant::now();
    assert_eq!(house.receiver.stop().await.unwrap(), Some(0));
    let took = stopping.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn a_collector_that_is_not_there_costs_a_line() {
    // A port that was free a moment ago.
    let gone = Collector::start().await.unwrap().url();
    let house = traced_to("traces-down", &gone).open().await;
    deliver(&house, "first", &[]).await;
    assert!(house.receiver.log().says("the collector took no spans").await);
    deliver(&house, "second", &[]).await;
    let stopping = Instant::now();
    assert_eq!(house.receiver.stop().await.unwrap(), Some(0));
    assert!(
        stopping.elapsed() < Duration::from_secs(4),
        "{:?}",
        stopping.elapsed()
    );
    assert_eq!(
        house
            .receiver
            .log()
            .text()
            .matches("the collector took no spans")
            .count(),
        1
    );
}

#[tokio::test]
async fn the_last_spans_leave_before_the_end() {
    let collector = Collector::start().await.unwrap();
    let house = traced("traces-last", &collector).open().await;
    deliver(&house, "last", &[]).await;
    assert_eq!(house.receiver.stop().await.unwrap(), Some(0));
    assert_eq!(collector.spans().len(), 4);
}
