//! The admin port: probes, metrics and status. It is never the port Meta reaches.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::metrics::{self, Metrics};

const PLAIN: &str = "text/plain; charset=utf-8";

/// What the admin port asks the rest of the receiver. Answers must come from memory at once: a
/// probe that waits for a broker takes healthy pods out of service.
pub trait Health: Send + Sync + 'static {
    /// What is missing before requests can be served, one plain sentence each; empty when ready.
    /// No secrets and no personal data: whoever reaches the port reads it.
    fn unready(&self) -> Vec<String>;

    /// The state for people and for the operator: secret generation, NATS, last handshake, last event.
    fn status(&self) -> serde_json::Value;
}

#[derive(Clone)]
struct Admin {
    metrics: Arc<Metrics>,
    health: Arc<dyn Health>,
}

/// Routes `/livez`, `/readyz`, `/metrics` and `/status` (GET and HEAD; anything else is 405 or 404).
pub fn router(metrics: Arc<Metrics>, health: Arc<dyn Health>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .route("/status", get(status))
        .with_state(Admin { metrics, health })
}

/// Alive means that this answers. The broker has no say: a restart would not bring it back.
async fn livez() -> Response {
    answer(StatusCode::OK, PLAIN, "ok\n".to_owned())
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let missing = admin.health.unready();
    if missing.is_empty() {
        return answer(StatusCode::OK, PLAIN, "ok\n".to_owned());
    }
    answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN, missing.join("\n") + "\n")
}

async fn scrape(State(admin): State<Admin>) -> Response {
    answer(StatusCode::OK, metrics::CONTENT_TYPE, admin.metrics.render())
}

async fn status(State(admin): State<Admin>) -> Response {
    answer(
        StatusCode::OK,
        "application/json",
        format!("{:#}\n", admin.health.status()),
    )
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response {
    (
        status,
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")],
        body,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use axum::body::Body;
    use axum::http::{Method, Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    struct Fixed(Vec<&'static str>);

    impl Health for Fixed {
        fn unready(&self) -> Vec<String> {
            self.0.iter().map(ToString::to_string).collect()
        }

        fn status(&self) -> serde_json::Value {
            serde_json::json!({"secrets": {"generation": 3}})
        }
    }

    async fn ask(missing: &[&'static str], method: Method, path: &str) -> (u16, http::HeaderMap, String) {
        let metrics = Arc::new(Metrics::new("shop", "orders").unwrap());
        let router = router(metrics, Arc::new(Fixed(missing.to_vec())));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (
            head.status.as_u16(),
            head.headers,
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn alive_whatever_is_missing() {
        let (status, headers, body) = ask(&["NATS is not connected"], Method::GET, "/livez").await;
        assert_eq!((status, body.as_str()), (200, "ok\n"));
        assert_eq!(headers[CONTENT_TYPE], PLAIN);
    }

    #[tokio::test]
    async fn ready_or_every_reason_on_its_line() {
        let (status, _, body) = ask(&[], Method::GET, "/readyz").await;
        assert_eq!((status, body.as_str()), (200, "ok\n"));
        let missing = ["NATS is not connected", "no app secret is loaded"];
        let (status, _, body) = ask(&missing, Method::GET, "/readyz").await;
        assert_eq!(
            (status, body.as_str()),
            (503, "NATS is not connected\nno app secret is loaded\n")
        );
    }

    #[tokio::test]
    async fn metrics_in_the_text_format() {
        let (status, headers, body) = ask(&[], Method::GET, "/metrics").await;
        assert_eq!(status, 200);
        assert_eq!(headers[CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
        assert!(body.contains("# TYPE whatsapp_webhook_latency_seconds histogram\n"));
    }

    #[tokio::test]
    async fn status_as_json() {
        let (status, headers, body) = ask(&[], Method::GET, "/status").await;
        assert_eq!(status, 200);
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(value["secrets"]["generation"], 3);
    }

    #[tokio::test]
    async fn other_methods_and_paths() {
        for path in ["/livez", "/readyz", "/metrics", "/status"] {
            let (status, _, body) = ask(&[], Method::HEAD, path).await;
            assert_eq!((status, body.as_str()), (200, ""), "HEAD {path}");
            let (status, headers, _) = ask(&[], Method::POST, path).await;
            assert_eq!(
                (status, headers[http::header::ALLOW].to_str().unwrap()),
                (405, "GET,HEAD"),
                "POST {path}"
            );
        }
        assert_eq!(ask(&[], Method::GET, "/").await.0, 404);
        assert_eq!(ask(&[], Method::GET, "/webhook").await.0, 404);
        assert_eq!(ask(&["x"], Method::HEAD, "/readyz").await.0, 503);
    }
}
