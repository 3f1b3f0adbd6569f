//! Every way a request can end, and the one table that says what it is answered.
//!
//! Meta takes only 200 for delivered and repeats everything else, so 200 means stored and nothing else does.

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use wahook_events::Malformed;

use crate::metrics::RequestStatus;
use crate::publish::Refusal;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Every event is stored, now or before.
    Received,
    /// The body was signed but holds no event; it is stored as a dead letter.
    Unusable(Malformed),
    /// The subscription handshake succeeded: the challenge goes back byte for byte.
    Verified(Vec<u8>),
    /// The handshake failed.
    VerificationFailed,
    /// The process is up.
    Healthy,
    /// The signature is missing, malformed or wrong.
    InvalidSignature,
    /// As before, by a client who keeps doing that.
    TooManyFailures {
        /// When to try again, in seconds.
        retry_after: u64,
    },
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not arrive in time; `signed` if it came with a well-formed signature.
    TooSlow {
        /// Whether it counts as an error: a stranger's slow body does not.
        signed: bool,
    },
    /// The body ended before it was complete.
    Interrupted,
    /// The body is compressed: the signature covers what we would have to unpack unseen.
    Compressed,
    /// A method that the path does not take.
    MethodNotAllowed {
        /// Those it does take.
        allow: &'static str,
    },
    /// A path that is not ours.
    NotFound,
    /// Too many requests, or too large bodies, are in flight.
    Busy,
    /// No app secret is configured, so nothing can be accepted.
    NotConfigured,
    /// At least one event is not stored.
    NotStored(Refusal),
}

/// How long Meta is asked to wait before it delivers again, in seconds.
const RETRY_SOON: u64 = 1;
const RETRY_LATER: u64 = 5;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// One row of the table.
struct Row {
    status: StatusCode,
    content_type: HeaderValue,
    body: Body,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Answer {
    /// What the request counts as.
    pub fn counts(&self) -> RequestStatus {
        match self {
            Self::Received | Self::Unusable(_) | Self::Verified(_) | Self::Healthy => RequestStatus::Success,
            Self::TooSlow { signed: true } | Self::Busy | Self::NotConfigured | Self::NotStored(_) => {
                RequestStatus::Error
            }
            Self::VerificationFailed
            | Self::InvalidSignature
            | Self::TooManyFailures { .. }
            | Self::TooLarge
            | Self::TooSlow { signed: false }
            | Self::Interrupted
            | Self::Compressed
            | Self::MethodNotAllowed { .. }
            | Self::NotFound => RequestStatus::Rejected,
        }
    }

    /// One word for it, as traces show it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Received => "stored",
            Self::Unusable(_) => "dead_letter",
            Self::Verified(_) => "verified",
            Self::VerificationFailed => "verification_failed",
            Self::Healthy => "healthy",
            Self::InvalidSignature => "invalid_signature",
            Self::TooManyFailures { .. } => "throttled",
            Self::TooLarge => "too_large",
            Self::TooSlow { .. } => "too_slow",
            Self::Interrupted => "interrupted",
            Self::Compressed => "compressed",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::NotFound => "not_found",
            Self::Busy => "busy",
            Self::NotConfigured => "not_configured",
            Self::NotStored(refusal) => refusal.as_str(),
        }
    }

    fn row(self) -> Row {
        let plain = |status, text: &'static str| (status, PLAIN, Body::from(text), None);
        let json = |status, text: &'static str| (status, JSON, Body::from(text), None);
        let later = |text: &'static str, seconds: u64| {
            let header = (header::RETRY_AFTER, HeaderValue::from(seconds));
            (
                StatusCode::SERVICE_UNAVAILABLE,
                JSON,
                Body::from(text),
                Some(header),
            )
        };
        let (status, content_type, body, header) = match self {
            Self::Received => json(StatusCode::OK, r#"{"status":"received"}"#),
            Self::Unusable(malformed) => {
                let body = serde_json::json!({"status": "error", "message": malformed.to_string()});
                (StatusCode::OK, JSON, Body::from(body.to_string()), None)
            }
            Self::Verified(challenge) => (StatusCode::OK, PLAIN, Body::from(challenge), None),
            Self::VerificationFailed => plain(StatusCode::FORBIDDEN, "Verification failed"),
            Self::Healthy => {
                let body =
                    serde_json::json!({"status": "ok", "timestamp": jiff::Timestamp::now().to_string()});
                (StatusCode::OK, JSON, Body::from(body.to_string()), None)
            }
            Self::InvalidSignature => json(StatusCode::UNAUTHORIZED, r#"{"error":"Invalid signature"}"#),
            Self::TooManyFailures { retry_after } => (
                StatusCode::TOO_MANY_REQUESTS,
                JSON,
                Body::from(r#"{"error":"Too many invalid signatures"}"#),
                Some((header::RETRY_AFTER, HeaderValue::from(retry_after))),
            ),
            Self::TooLarge => json(StatusCode::PAYLOAD_TOO_LARGE, r#"{"error":"Body too large"}"#),
            Self::TooSlow { .. } => json(StatusCode::REQUEST_TIMEOUT, r#"{"error":"Body too slow"}"#),
            Self::Interrupted => json(StatusCode::BAD_REQUEST, r#"{"error":"Body incomplete"}"#),
            Self::Compressed => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                JSON,
                Body::from(r#"{"error":"Compressed bodies are not accepted"}"#),
                Some((header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            ),
            Self::MethodNotAllowed { allow } => (
                StatusCode::METHOD_NOT_ALLOWED,
                PLAIN,
                Body::from("Method not allowed"),
                Some((header::ALLOW, HeaderValue::from_static(allow))),
            ),
            Self::NotFound => plain(StatusCode::NOT_FOUND, "Not found"),
            Self::Busy => later(r#"{"error":"Too many requests in flight"}"#, RETRY_SOON),
            Self::NotConfigured => later(r#"{"error":"Not configured yet"}"#, RETRY_LATER),
            // Why is nobody's business outside: it is in the log, the metrics and on the status page.
            Self::NotStored(_) => later(r#"{"error":"Not stored, deliver again"}"#, RETRY_LATER),
        };
        Row {
            status,
            content_type,
            body,
            header,
        }
    }

    /// The response.
    pub fn into_response(self) -> Response {
        let Row {
            status,
            content_type,
            body,
            header,
        } = self.row();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers: &mut HeaderMap = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.extend(header);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each; the match makes sure that a new one is added here.
    fn every() -> Vec<(Answer, u16)> {
        let listed = |answer: &Answer| match answer {
            Answer::Received | Answer::Unusable(_) | Answer::Verified(_) | Answer::Healthy => 200,
            Answer::VerificationFailed => 403,
            Answer::InvalidSignature => 401,
            Answer::TooManyFailures { .. } => 429,
            Answer::TooLarge => 413,
            Answer::TooSlow { .. } => 408,
            Answer::Interrupted => 400,
            Answer::Compressed => 415,
            Answer::MethodNotAllowed { .. } => 405,
            Answer::NotFound => 404,
            Answer::Busy | Answer::NotConfigured | Answer::NotStored(_) => 503,
        };
        [
            Answer::Received,
            Answer::Unusable(Malformed::NotJson),
            Answer::Verified(b"1".to_vec()),
            Answer::Healthy,
            Answer::VerificationFailed,
            Answer::InvalidSignature,
            Answer::TooManyFailures { retry_after: 60 },
            Answer::TooLarge,
            Answer::TooSlow { signed: true },
            Answer::TooSlow { signed: false },
            Answer::Interrupted,
            Answer::Compressed,
            Answer::MethodNotAllowed { allow: "GET" },
            Answer::NotFound,
            Answer::Busy,
            Answer::NotConfigured,
            Answer::NotStored(Refusal::StreamFull),
        ]
        .into_iter()
        .map(|answer| (answer.clone(), listed(&answer)))
        .collect()
    }

    #[test]
    fn every_answer_has_its_status_and_class() {
        for (answer, status) in every() {
            let (counts, name) = (answer.counts(), format!("{answer:?}"));
            let response = answer.into_response();
            assert_eq!(response.status().as_u16(), status, "{name}");
            let class = match status {
                200 => RequestStatus::Success,
                503 => RequestStatus::Error,
                408 if name.contains("true") => RequestStatus::Error,
                _ => RequestStatus::Rejected,
            };
            assert_eq!(counts, class, "{name}");
            if status == 503 || status == 429 {
                assert!(response.headers().contains_key(header::RETRY_AFTER), "{name}");
            }
        }
    }
}
