//! What a request's span says. Closed words and numbers only: nothing of a body, no id, no address, no header.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};
use wahook_telemetry::trace::{Span, Tracing};

use super::answer::Answer;
use crate::metrics::{RequestStatus, RequestType};

/// Begins and ends the spans of requests.
#[derive(Debug)]
pub struct Traces {
    tracing: Tracing,
    path: Arc<str>,
}

impl Traces {
    /// Spans of requests to `path`.
    pub fn new(tracing: Tracing, path: &str) -> Self {
        Self {
            tracing,
            path: path.into(),
        }
    }

    /// The span of a request. `parent` is only asked for when there are spans.
    pub(super) fn begin(&self, request: &Request<Body>, parent: impl FnOnce() -> Option<String>) -> Span {
        if !self.tracing.is_on() {
            return Span::none();
        }
        let span = self.tracing.request("webhook", parent().as_deref());
        span.set("http.request.method", method(request.method()));
        span.set("http.route", Arc::clone(&self.path));
        span
    }

    /// What became of it.
    pub(super) fn end(span: &Span, answer: &Answer, request_type: RequestType) {
        span.set("wahook.outcome", answer.as_str());
        span.set("wahook.type", request_type.as_str());
        if answer.counts() == RequestStatus::Error {
            span.fail(answer.as_str());
        }
    }
}

/// A method is a word of the client's own.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => "_OTHER",
    }
}
