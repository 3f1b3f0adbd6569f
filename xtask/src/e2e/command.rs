//! `kubectl` and `helm`, called as people call them.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::error::{E2eError, Result, expect};

/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A program that talks to the cluster.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) program: PathBuf,
    pub(super) kubeconfig: PathBuf,
}

impl Tool {
    /// Runs it with these words; what it printed.
    pub(super) async fn run(&self, words: &[&str]) -> Result<String> {
        self.feed(words, "").await
    }

    /// The same, with something to read.
    pub(super) async fn feed(&self, words: &[&str], input: &str) -> Result<String> {
        let name = self
            .program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let doing = || format!("run {name}");
        let mut child = tokio::process::Command::new(&self.program)
            .args(words)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(E2eError::io(doing()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // Who does not read it has closed it.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = child.wait_with_output().await.map_err(E2eError::io(doing()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(E2eError::Command {
            command: format!("{name} {}", words.join(" ")),
            status: output.status,
            complaint: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// Splits the words at spaces.
    pub(super) async fn line(&self, line: &str) -> Result<String> {
        self.run(&line.split_whitespace().collect::<Vec<_>>()).await
    }

    /// `kubectl get <line> -o json`.
    pub(super) async fn get(&self, line: &str) -> Result<Value> {
        let text = self.line(&format!("get {line} -o json")).await?;
        serde_json::from_str(&text).map_err(|error| E2eError::Unmet(format!("get {line}: no JSON: {error}")))
    }

    /// `kubectl apply -f -` in a namespace.
    pub(super) async fn apply(&self, namespace: &str, manifest: &str) -> Result {
        self.feed(&["apply", "-n", namespace, "-f", "-"], manifest)
            .await
            .map(drop)
    }

    /// Looks at an object until it is as wanted.
    pub(super) async fn until(
        &self,
        line: &str,
        limit: Duration,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let deadline = Instant::now() + limit;
        loop {
            let now = self.get(line).await;
            match now {
                Ok(object) if wanted(&object) => return Ok(object),
                // Not there is as good a state as any while it is waited for.
                Ok(_) | Err(E2eError::Command { .. }) => {}
                Err(error) => return Err(error),
            }
            expect(Instant::now() < deadline, || {
                let last = now.map_or_else(|error| error.to_string(), |object| object["status"].to_string());
                format!("{line}: not {what} within {limit:?}; the last status was {last}")
            })?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for a condition of a webhook: `namespace/name`, type, status, reason (empty for any).
    pub(super) async fn condition(
        &self,
        webhook: (&str, &str),
        kind: &str,
        status: &str,
        reason: &str,
    ) -> Result<Value> {
        let (namespace, name) = webhook;
        let line = format!("whatsappwebhook {name} -n {namespace}");
        let what = format!("{kind}={status} {reason}");
        self.until(&line, Duration::from_secs(120), &what, |object| {
            condition(object, kind).is_some_and(|found| {
                found["status"] == status
                    && (reason.is_empty() || found["reason"] == reason)
                    && found["observedGeneration"] == object["metadata"]["generation"]
            })
        })
        .await
    }
}

/// A condition of an object.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}
