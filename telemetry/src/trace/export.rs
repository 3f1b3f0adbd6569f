//! Sends finished spans to a collector, away from everything that is waited for.
//!
//! The SDK's own thread takes spans from a bounded queue; what does not fit is dropped and counted there. Here are the
//! HTTP client it posts with, and what is said when that fails.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;
use tracing::warn;

use super::settings::Endpoint;
use crate::TelemetryError;

/// How long one post may take, its repetitions included.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How often a collector that takes nothing is worth a line.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// Posts spans and says when they are lost.
#[derive(Debug)]
pub(super) struct Exporter {
    otlp: opentelemetry_otlp::SpanExporter,
    lost: Mutex<Lost>,
}

/// What was lost since that was last said.
#[derive(Debug, Default)]
struct Lost {
    spans: usize,
    said: Option<Instant>,
}

impl Exporter {
    /// An exporter to `endpoint`. Needs a Tokio runtime, whose tasks do the I/O.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self, TelemetryError> {
        let otlp = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new()?)
            .with_endpoint(endpoint.traces())
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| TelemetryError::Traces(error.to_string()))?;
        Ok(Self {
            otlp,
            lost: Mutex::default(),
        })
    }

    /// The number to be told, when it is time for it.
    fn lose(&self, spans: usize) -> Option<usize> {
        let mut lost = self.lost.lock().ok()?;
        lost.spans += spans;
        if lost.said.is_some_and(|said| said.elapsed() < SAY_AGAIN) {
            return None;
        }
        lost.said = Some(Instant::now());
        Some(std::mem::take(&mut lost.spans))
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        // What the collector answered is not repeated: it is another's word.
        if self.otlp.export(batch).await.is_err()
            && let Some(spans) = self.lose(spans)
        {
            warn!(
                spans,
                "the collector took no spans, and these are lost; requests go on as ever. Look at tracing.endpoint and \
                 at what stands between"
            );
        }
        // It is told already.
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

/// The client the rest of the program has too, run by the program's own runtime: the SDK's thread has none.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

impl Client {
    fn new() -> Result<Self, TelemetryError> {
        let failed = |error: &dyn std::fmt::Display| TelemetryError::Traces(error.to_string());
        let runtime = Handle::try_current().map_err(|error| failed(&error))?;
        // They come with the program, for its image has none.
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { http, runtime })
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'sending>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'client: 'sending,
        Self: 'sending,
    {
        let http = self.http.clone();
        let sending = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            // An answer is a few bytes; a long one is nothing that a collector says.
            Ok(response)
        });
        Box::pin(async move { sending.await? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_collector_that_is_down_is_told_once_a_minute() {
        let exporter = Exporter::new(&"http://127.0.0.1:1".parse().unwrap()).unwrap();
        assert_eq!(exporter.lose(3), Some(3));
        assert_eq!((exporter.lose(1), exporter.lose(2)), (None, None));
        exporter.lost.lock().unwrap().said = Instant::now().checked_sub(SAY_AGAIN);
        assert_eq!(exporter.lose(1), Some(4));
    }
}
