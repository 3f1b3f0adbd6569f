//! Waiting until a control plane works, and telling which part kept it from working.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::UnixStream;

use super::api::Api;
use super::error::KubeError;

/// The pause between two questions. Small beside the seconds the parts need.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The processes behind a control plane, however they are kept.
pub(crate) trait Processes {
    /// A part that ought to run and has ended.
    fn ended(&self) -> Option<&'static str>;
    /// The end of what a part wrote.
    fn last_lines(&self, part: &str) -> String;
}

/// Waits until etcd accepts connections.
pub(crate) async fn etcd(
    socket: &Path,
    processes: &impl Processes,
    deadline: Instant,
) -> Result<(), KubeError> {
    until("etcd", processes, deadline, async || {
        let connected = UnixStream::connect(socket).await;
        connected
            .map(drop)
            .map_err(|error| format!("its socket: {error}"))
    })
    .await
}

/// Waits until the API server says that it is ready.
pub(crate) async fn apiserver(
    api: &Api,
    processes: &impl Processes,
    deadline: Instant,
) -> Result<(), KubeError> {
    until("kube-apiserver", processes, deadline, async || {
        let answer = api.get("/readyz?verbose").await;
        answer.map(drop).map_err(|error| error.to_string())
    })
    .await
}

/// Waits until the controllers work: the default service account is something they make, and without it no pod
/// can be created.
pub(crate) async fn controllers(
    api: &Api,
    processes: &impl Processes,
    deadline: Instant,
) -> Result<(), KubeError> {
    until("kube-controller-manager", processes, deadline, async || {
        let answer: Result<Value, KubeError> = api
            .get("/api/v1/namespaces/default/serviceaccounts/default")
            .await;
        answer.map(drop).map_err(|error| error.to_string())
    })
    .await
}

async fn until(
    part: &'static str,
    processes: &impl Processes,
    deadline: Instant,
    attempt: impl AsyncFn() -> Result<(), String>,
) -> Result<(), KubeError> {
    let not_ready = |part, problem| KubeError::NotReady {
        part,
        problem,
        log_tail: processes.last_lines(part),
    };
    loop {
        let Err(problem) = attempt().await else {
            return Ok(());
        };
        if let Some(ended) = processes.ended() {
            return Err(not_ready(ended, "ended while the cluster started".to_owned()));
        }
        if Instant::now() >= deadline {
            return Err(not_ready(part, format!("is not ready in time: {problem}")));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}
