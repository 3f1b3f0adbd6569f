//! A collector of traces: takes OTLP over HTTP and keeps every span, or lets its callers wait.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The bound of what must happen soon; only a failure ever waits that long.
const SOON: Duration = Duration::from_secs(10);

/// A span, as it arrived.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// The trace it belongs to, in hex.
    pub trace: String,
    /// Its own id, in hex.
    pub id: String,
    /// The id of its parent, in hex; empty when it has none.
    pub parent: String,
    /// What it says.
    pub attributes: BTreeMap<String, String>,
    /// Why it failed, when it did.
    pub error: Option<String>,
    /// Who made it.
    pub resource: BTreeMap<String, String>,
    /// Everything of it, for what must not be in it.
    pub whole: String,
}

/// A collector. It ends when it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    kept: Arc<Kept>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Kept {
    spans: Mutex<Vec<Span>>,
    problems: Mutex<Vec<String>>,
    came: Notify,
}

impl Collector {
    /// One that takes everything.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start() -> std::io::Result<Self> {
        let kept = Arc::<Kept>::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&kept));
        Self::serve(router, kept).await
    }

    /// One that takes connections and answers none.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn hanging() -> std::io::Result<Self> {
        let kept = Arc::<Kept>::default();
        let told = Arc::clone(&kept);
        let hang = move || {
            told.came.notify_one();
            std::future::pending::<StatusCode>()
        };
        Self::serve(Router::new().route("/v1/traces", post(hang)), kept).await
    }

    async fn serve(router: Router, kept: Arc<Kept>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            kept,
            serving,
        })
    }

    /// Its address, as a setting.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span that came, once there are those that `complete` waits for; those of now after ten seconds.
    pub async fn spans_when(&self, complete: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let waiting = async {
            loop {
                let came = self.kept.came.notified();
                let spans = self.spans();
                if complete(&spans) {
                    return spans;
                }
                came.await;
            }
        };
        let waited = timeout(SOON, waiting).await;
        waited.unwrap_or_else(|_| self.spans())
    }

    /// Waits until somebody posts, ten seconds at most, and says whether that happened.
    pub async fn is_called(&self) -> bool {
        timeout(SOON, self.kept.came.notified()).await.is_ok()
    }

    /// Every span that came.
    pub fn spans(&self) -> Vec<Span> {
        self.kept
            .spans
            .lock()
            .map(|spans| spans.clone())
            .unwrap_or_default()
    }

    /// What came that is no OTLP.
    pub fn problems(&self) -> Vec<String> {
        self.kept
            .problems
            .lock()
            .map(|problems| problems.clone())
            .unwrap_or_default()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let is_proto = headers
        .get("content-type")
        .is_some_and(|kind| kind == "application/x-protobuf");
    let status = match ExportTraceServiceRequest::decode(body) {
        Ok(request) if is_proto => {
            if let Ok(mut spans) = kept.spans.lock() {
                spans.extend(read(&request));
            }
            StatusCode::OK
        }
        other => {
            if let Ok(mut problems) = kept.problems.lock() {
                problems.push(format!("{headers:?} {:?}", other.err()));
            }
            StatusCode::BAD_REQUEST
        }
    };
    kept.came.notify_one();
    status
}

fn read(request: &ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for group in &request.resource_spans {
        let resource = group.resource.as_ref();
        let resource = resource
            .map(|resource| pairs(&resource.attributes))
            .unwrap_or_default();
        for span in group.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let error = span.status.as_ref().filter(|status| status.code == 2);
            spans.push(Span {
                name: span.name.clone(),
                trace: hex::encode(&span.trace_id),
                id: hex::encode(&span.span_id),
                parent: hex::encode(&span.parent_span_id),
                attributes: pairs(&span.attributes),
                error: error.map(|status| status.message.clone()),
                resource: resource.clone(),
                whole: format!("{span:?}"),
            });
        }
    }
    spans
}

fn pairs(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes
        .iter()
        .map(|pair| (pair.key.clone(), text(pair.value.as_ref())))
        .collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
