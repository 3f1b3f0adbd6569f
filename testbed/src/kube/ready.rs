//! Waiting until a control plane works, and telling which part kept it from working.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tokio::net::UnixStream;

use super::api::Api;
use super::error::KubeError;
use super::worker::NODE_NAME;

/// The pause between two questions. Small beside the seconds the parts need.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

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

/// Waits until containerd accepts connections.
pub(crate) async fn containerd(
    socket: &Path,
    processes: &impl Processes,
    deadline: Instant,
) -> Result<(), KubeError> {
    until("containerd", processes, deadline, async || {
        let connected = UnixStream::connect(socket).await;
        connected
            .map(drop)
            .map_err(|error| format!("its socket: {error}"))
    })
    .await
}

/// Waits until the kubelet has said, not before `since`, that its node takes pods.
pub(crate) async fn node(
    api: &Api,
    since: Timestamp,
    processes: &impl Processes,
    deadline: Instant,
) -> Result<(), KubeError> {
    until("kubelet", processes, deadline, async || {
        let node = api.get(&format!("/api/v1/nodes/{NODE_NAME}")).await;
        takes_pods(&node.map_err(|error| error.to_string())?, since)
    })
    .await
}

/// Waits until a part answers this question with success.
pub(crate) async fn answers(
    part: &'static str,
    url: &str,
    processes: &impl Processes,
    deadline: Instant,
) -> Result<(), KubeError> {
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWER_LIMIT)
        .build()?;
    until(part, processes, deadline, async || {
        let answer = http.get(url).send().await;
        answer
            .and_then(reqwest::Response::error_for_status)
            .map(drop)
            .map_err(|error| error.to_string())
    })
    .await
}

/// What is wrong with a node, by its condition `Ready`. One that is older than `since` is of an earlier kubelet.
pub(crate) fn takes_pods(node: &Value, since: Timestamp) -> Result<(), String> {
    let conditions = node["status"]["conditions"].as_array();
    let ready = conditions
        .and_then(|all| all.iter().find(|condition| condition["type"] == "Ready"))
        .ok_or("it has not reported yet")?;
    let heard = ready["lastHeartbeatTime"]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    if heard.is_none_or(|heard| heard < since) {
        return Err("it has not reported since it was started".to_owned());
    }
    if ready["status"] == "True" {
        return Ok(());
    }
    Err(ready["message"].as_str().unwrap_or("it is not ready").to_owned())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_takes_pods_when_its_present_kubelet_said_so() {
        let node = |status: &str, heard: &str| {
            json!({ "status": { "conditions": [
                { "type": "DiskPressure", "status": "False", "lastHeartbeatTime": heard },
                { "type": "Ready", "status": status, "lastHeartbeatTime": heard, "message": "no network" },
            ] } })
        };
        let since: Timestamp = "2026-11-24T04:00:00Z".parse().unwrap();
        assert_eq!(takes_pods(&node("True", "2026-11-24T04:00:00Z"), since), Ok(()));
        let early = takes_pods(&node("True", "2026-11-24T03:59:59Z"), since).unwrap_err();
        assert!(early.contains("since it was started"), "{early}");
        let broken = takes_pods(&node("False", "2026-11-24T04:00:01Z"), since).unwrap_err();
        assert_eq!(broken, "no network");
        assert!(takes_pods(&json!({}), since).is_err());
    }
}
