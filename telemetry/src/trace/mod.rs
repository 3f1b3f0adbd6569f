//! Traces: spans of our own making, sent to a collector by OTLP over HTTP.
//!
//! Nothing else becomes a span: neither log lines nor what libraries note with `tracing`. So what leaves the process is
//! what our code names here, attribute by attribute, and no more. Off, there is nothing: every [`Span`] is empty.

mod export;
mod settings;

use std::time::Duration;

use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{
    FutureExt as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};

use crate::TelemetryError;
pub use settings::{Endpoint, EndpointError, RatioError, SampleRatio, TraceSettings};

/// How long the last spans may take to leave when the program ends.
const LAST_SPANS: Duration = Duration::from_secs(2);
/// How long a span waits for others to go with it.
const DELAY: Duration = Duration::from_secs(1);
/// Spans that wait at most. More are dropped.
const QUEUE: usize = 2048;

/// Who makes the spans.
#[derive(Clone, Debug)]
pub struct Service<'a> {
    /// `service.name`
    pub name: &'static str,
    /// `service.version`
    pub version: &'static str,
    /// `k8s.namespace.name`
    pub namespace: Option<&'a str>,
    /// `wahook.webhook`
    pub webhook: Option<&'a str>,
    /// `service.instance.id`: the pod's name.
    pub instance: Option<&'a str>,
}

/// Begins spans. Cheap to clone; off by default.
#[derive(Clone, Debug, Default)]
pub struct Tracing(Option<Exporting>);

#[derive(Clone, Debug)]
struct Exporting {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Tracing {
    /// Makes no spans.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Exports spans as `settings` say; none without settings. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`TelemetryError::Traces`] when there is no runtime or the library refuses the settings.
    pub fn start(settings: Option<&TraceSettings>, service: &Service<'_>) -> Result<Self, TelemetryError> {
        let Some(settings) = settings else {
            return Ok(Self::off());
        };
        let exporter = export::Exporter::new(&settings.endpoint)?;
        let batches = BatchConfigBuilder::default()
            .with_scheduled_delay(DELAY)
            .with_max_queue_size(QUEUE)
            .build();
        let ratio = settings.sample_ratio.as_f64();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(
                BatchSpanProcessor::builder(exporter)
                    .with_batch_config(batches)
                    .build(),
            )
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
            .with_resource(resource(service))
            .build();
        let tracer = provider.tracer("wahook");
        Ok(Self(Some(Exporting { provider, tracer })))
    }

    /// Whether spans are made.
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of a request that came in. `parent` is its `traceparent`, when whoever sent it is believed; without one,
    /// or with one that says nothing, a new trace begins.
    pub fn request(&self, name: &'static str, parent: Option<&str>) -> Span {
        self.begin(name, SpanKind::Server, || {
            parent.map_or_else(Context::new, |parent| {
                TraceContextPropagator::new().extract_with_context(&Context::new(), &Traceparent(parent))
            })
        })
    }

    /// The span of work that nobody asked for: a new trace.
    pub fn work(&self, name: &'static str) -> Span {
        self.begin(name, SpanKind::Internal, Context::new)
    }

    /// A request to another, within the span whose [`Span::scope`] this runs in.
    pub fn call(&self, name: &'static str) -> Span {
        self.begin(name, SpanKind::Client, Context::current)
    }

    fn begin(&self, name: &'static str, kind: SpanKind, parent: impl FnOnce() -> Context) -> Span {
        Span(
            self.0
                .as_ref()
                .map(|on| Live::begin(&on.tracer, name, kind, &parent())),
        )
    }

    /// Sends what is left, for two seconds at most.
    pub async fn finish(&self) {
        let Some(Exporting { provider, .. }) = self.0.clone() else {
            return;
        };
        // It waits for the SDK's thread. What could not be sent was told already.
        let _ = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_SPANS)).await;
    }
}

fn resource(service: &Service<'_>) -> Resource {
    let own = [
        ("service.version", Some(service.version)),
        ("k8s.namespace.name", service.namespace),
        ("wahook.webhook", service.webhook),
        ("service.instance.id", service.instance),
    ];
    let own = own
        .into_iter()
        .filter_map(|(key, value)| Some(KeyValue::new(key, value?.to_owned())));
    Resource::builder()
        .with_service_name(service.name)
        .with_attributes(own)
        .build()
}

/// A header as the library wants to read it.
struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// A piece of work that takes time; it ends when it is dropped. Empty when tracing is off.
#[derive(Debug, Default)]
pub struct Span(Option<Live>);

#[derive(Debug)]
struct Live {
    tracer: SdkTracer,
    context: Context,
}

impl Live {
    fn begin(tracer: &SdkTracer, name: &'static str, kind: SpanKind, parent: &Context) -> Self {
        let span = tracer.build_with_context(SpanBuilder::from_name(name).with_kind(kind), parent);
        Self {
            tracer: tracer.clone(),
            context: Context::new().with_span(span),
        }
    }
}

impl Span {
    /// No span.
    pub const fn none() -> Self {
        Self(None)
    }

    /// A part of this span's work.
    #[must_use]
    pub fn child(&self, name: &'static str) -> Self {
        self.within(name, SpanKind::Internal)
    }

    /// A part of this span's work: messages are sent, and whoever receives them goes on with the trace.
    #[must_use]
    pub fn send(&self, name: &'static str) -> Self {
        self.within(name, SpanKind::Producer)
    }

    fn within(&self, name: &'static str, kind: SpanKind) -> Self {
        Self(
            self.0
                .as_ref()
                .map(|live| Live::begin(&live.tracer, name, kind, &live.context)),
        )
    }

    /// Says something about the work. Never anything of a customer's: traces are read by many.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        if let Some(live) = &self.0 {
            live.context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// Says that the work failed.
    pub fn fail(&self, reason: &'static str) {
        if let Some(live) = &self.0 {
            live.context.span().set_status(Status::error(reason));
        }
    }

    /// The W3C header by which another goes on with this trace.
    pub fn traceparent(&self) -> Option<String> {
        let live = self.0.as_ref()?;
        Some(header(live.context.span().span_context()))
    }

    /// Runs `work` so that [`Tracing::call`] finds this span.
    pub async fn scope<W: Future>(&self, work: W) -> W::Output {
        match &self.0 {
            Some(live) => work.with_context(live.context.clone()).await,
            None => work.await,
        }
    }
}

fn header(context: &SpanContext) -> String {
    format!(
        "00-{}-{}-{:02x}",
        context.trace_id(),
        context.span_id(),
        context.trace_flags().to_u8()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

    fn tracing(ratio: &str) -> Tracing {
        let settings = TraceSettings {
            endpoint: "http://127.0.0.1:1".parse().unwrap(),
            sample_ratio: ratio.parse().unwrap(),
        };
        let service = Service {
            name: "test",
            version: "0",
            namespace: None,
            webhook: None,
            instance: None,
        };
        Tracing::start(Some(&settings), &service).unwrap()
    }

    #[test]
    fn off_there_are_no_spans() {
        let span = Tracing::off().request("a", Some(&format!("{PARENT}-01")));
        assert!(span.0.is_none() && span.child("b").0.is_none());
        assert_eq!(span.traceparent(), None);
    }

    #[tokio::test]
    async fn a_parent_is_followed_and_one_that_says_nothing_is_not() {
        let tracing = tracing("0");
        let trace = |parent: &str| tracing.request("a", Some(parent)).traceparent().unwrap();
        let followed = trace(&format!("{PARENT}-01"));
        assert!(
            followed.starts_with(&PARENT[..36]) && followed.ends_with("-01"),
            "{followed}"
        );
        assert!(
            !followed.contains("b7ad6b7169203331"),
            "a span of its own: {followed}"
        );
        let skipped = trace(&format!("{PARENT}-00"));
        assert!(
            skipped.starts_with(&PARENT[..36]) && skipped.ends_with("-00"),
            "{skipped}"
        );
        for parent in [
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "",
        ] {
            let new = trace(parent);
            assert!(
                !new.contains(&PARENT[3..35]) && !new.contains(&"0".repeat(32)),
                "{new}"
            );
            assert!(new.ends_with("-00"), "none of the own traces is kept: {new}");
        }
        tracing.finish().await;
    }

    #[tokio::test]
    async fn a_call_finds_the_span_it_runs_in() {
        let tracing = tracing("1");
        let work = tracing.work("a");
        let call = work
            .scope(async { tracing.call("b").traceparent() })
            .await
            .unwrap();
        assert_eq!(call[..36], work.traceparent().unwrap()[..36]);
        assert!(call.ends_with("-01"));
        let alone = tracing.call("b").traceparent().unwrap();
        assert_ne!(alone[..36], call[..36]);
        tracing.finish().await;
    }
}
