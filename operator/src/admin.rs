//! The operator's own port: probes and metrics. Answers come from memory at once.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

const PLAIN: &str = "text/plain; charset=utf-8";
/// Prometheus, text exposition format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether the operator can work. One that stands by is ready: it can take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// What is missing before it can, one plain sentence each; empty when ready.
    pub missing: Vec<String>,
    /// What it has to do without, one plain sentence each.
    pub without: Vec<String>,
}

#[derive(Clone)]
struct Admin {
    metrics: Arc<Metrics>,
    readiness: watch::Receiver<Readiness>,
}

/// Routes `/livez`, `/readyz` and `/metrics`.
pub fn router(metrics: Arc<Metrics>, readiness: watch::Receiver<Readiness>) -> Router {
    Router::new()
        .route(
            "/livez",
            get(|| async { answer(StatusCode::OK, PLAIN, "ok\n".to_owned()) }),
        )
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(Admin { metrics, readiness })
}

/// Serves `router` until `stop` is cancelled.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> std::io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let Readiness { missing, without } = admin.readiness.borrow().clone();
    let (status, first) = if missing.is_empty() {
        (StatusCode::OK, vec!["ok".to_owned()])
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing)
    };
    let lines: Vec<String> = first.into_iter().chain(without).collect();
    answer(status, PLAIN, lines.join("\n") + "\n")
}

async fn scrape(State(admin): State<Admin>) -> Response {
    match admin.metrics.render() {
        Ok(text) => answer(StatusCode::OK, EXPOSITION, text),
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, format!("{error}\n")),
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(missing: &[&str], path: &str) -> (u16, String) {
        ask_with(missing, &[], path).await
    }

    async fn ask_with(missing: &[&str], without: &[&str], path: &str) -> (u16, String) {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let (_sender, receiver) = watch::channel(Readiness {
            missing: texts(missing),
            without: texts(without),
        });
        let router = router(Arc::new(Metrics::new().unwrap()), receiver);
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn probes_and_metrics() {
        assert_eq!(ask(&["x"], "/livez").await, (200, "ok\n".into()));
        assert_eq!(ask(&[], "/readyz").await, (200, "ok\n".into()));
        let (status, body) = ask(&["no definition", "no broker"], "/readyz").await;
        assert_eq!((status, body.as_str()), (503, "no definition\nno broker\n"));
        let (status, body) = ask_with(&[], &["no namespace books"], "/readyz").await;
        assert_eq!((status, body.as_str()), (200, "ok\nno namespace books\n"));
        let (status, body) = ask(&[], "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            body.contains("# TYPE controller_runtime_active_workers gauge\n"),
            "{body}"
        );
        assert_eq!(ask(&[], "/other").await.0, 404);
    }
}
