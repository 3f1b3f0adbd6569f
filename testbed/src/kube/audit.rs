//! The API server's audit log: who asked for what, and what the answer was.
//!
//! What a test of permissions needs: a role is exact when every request of its owner was allowed and every rule of
//! it was used.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use super::error::KubeError;

/// How much of each request is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditLevel {
    /// Who, which verb, which object, which answer.
    #[default]
    Metadata,
    /// Also the bodies of requests and answers, those of Secrets included.
    RequestResponse,
}

/// One request that was answered. Source: Kubernetes, kube-apiserver Audit Configuration (v1), `Event`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// `ResponseComplete`, or `ResponseStarted` for a watch that began, or `Panic`.
    pub stage: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// Whose credentials were presented. [`AuditEvent::user`] is who the request counted as.
    #[serde(rename = "user")]
    pub authenticated: AuditUser,
    /// In whose name it was asked, where that was someone else.
    pub impersonated_user: Option<AuditUser>,
    /// What the client calls itself.
    #[serde(default)]
    pub user_agent: String,
    /// The object; absent for paths such as `/version`.
    pub object_ref: Option<AuditObject>,
    /// The answer.
    pub response_status: Option<AuditStatus>,
    /// The request's body, at [`AuditLevel::RequestResponse`].
    pub request_object: Option<serde_json::Value>,
    /// The answer's body, at [`AuditLevel::RequestResponse`].
    pub response_object: Option<serde_json::Value>,
}

/// A user of the API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditUser {
    /// The name, such as `system:serviceaccount:<namespace>:<name>`. Empty when the API server could not tell who asked, as
    /// with a token of a `ServiceAccount` that was just deleted.
    #[serde(default)]
    pub username: String,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// The object of a request. Empty text where a field does not apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditObject {
    /// The group, empty for core.
    pub api_group: String,
    /// The kind's plural, such as `deployments`.
    pub resource: String,
    /// Such as `status`.
    pub subresource: String,
    /// The namespace, empty for a cluster's objects and for requests over all namespaces.
    pub namespace: String,
    /// The name, empty for a list, and for a create that leaves it to the body.
    pub name: String,
}

/// The status of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditStatus {
    /// The HTTP status code.
    pub code: u16,
}

impl AuditEvent {
    /// Who the request counted as.
    pub fn user(&self) -> &str {
        &self
            .impersonated_user
            .as_ref()
            .unwrap_or(&self.authenticated)
            .username
    }

    /// Whether it is `verb` on `resource` (of any group), `resource` being `pods` or `pods/status`.
    pub fn is(&self, verb: &str, resource: &str) -> bool {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        self.verb == verb
            && self
                .object_ref
                .as_ref()
                .is_some_and(|object| object.resource == resource && object.subresource == subresource)
    }

    /// Whether it asked for a change.
    pub fn is_write(&self) -> bool {
        !["get", "list", "watch"].contains(&self.verb.as_str())
    }

    /// The HTTP status code; `None` while a watch runs.
    pub fn code(&self) -> Option<u16> {
        self.response_status.as_ref().map(|status| status.code)
    }
}

impl AuditLevel {
    /// The policy file. Requests are recorded when they are answered; the paths asked while it starts are left out.
    pub(crate) fn policy(self) -> String {
        format!(
            "apiVersion: audit.k8s.io/v1\n\
             kind: Policy\n\
             omitStages: [RequestReceived]\n\
             rules:\n\
             - level: None\n  \
             nonResourceURLs: [/livez*, /readyz*, /healthz*]\n\
             - level: {self:?}\n"
        )
    }
}

/// The audit log, read piece by piece: each request once. For logs too long to be read again and again.
#[derive(Debug)]
pub struct AuditTail {
    path: PathBuf,
    read: u64,
}

impl AuditTail {
    /// From the beginning of the log.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// The requests since the last call. A line that is still being written is left for the next one.
    ///
    /// # Errors
    /// [`KubeError::Io`] when the log cannot be read.
    pub fn more(&mut self) -> Result<Vec<AuditEvent>, KubeError> {
        let text = match self.unread() {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(KubeError::io("read the audit log")(error)),
        };
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let lines = text[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let events = lines
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()
            .map_err(|error| KubeError::io("read the audit log")(error.into()))?;
        self.read += whole as u64;
        Ok(events)
    }

    fn unread(&self) -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Every event in the log. A line that is still being written is left for the next reading.
pub(crate) fn read(path: &Path) -> Result<Vec<AuditEvent>, KubeError> {
    AuditTail::new(path.to_owned()).more()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"kind":"Event","level":"Metadata","stage":"ResponseComplete","requestURI":"/api/v1/pods/a/status","verb":"patch","user":{"username":"admin","groups":["system:masters"]},"impersonatedUser":{"username":"carla"},"objectRef":{"resource":"pods","namespace":"shop","name":"a","apiVersion":"v1","subresource":"status"},"responseStatus":{"metadata":{},"code":403}}"#;

    #[test]
    fn somebody_unknown_is_no_reason_to_read_no_further() {
        let line = LINE
            .replace(r#""username":"admin","groups":["system:masters"]"#, "")
            .replace(r#""impersonatedUser":{"username":"carla"},"#, "");
        let event: AuditEvent = serde_json::from_str(&line).unwrap();
        assert_eq!(event.user(), "");
    }

    #[test]
    fn an_event_tells_who_did_what() {
        let event: AuditEvent = serde_json::from_str(LINE).unwrap();
        assert_eq!((event.user(), event.code()), ("carla", Some(403)));
        assert!(event.is("patch", "pods/status"));
        assert!(!event.is("patch", "pods") && !event.is("get", "pods/status"));
    }

    #[test]
    fn a_half_written_line_waits() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.log");
        assert_eq!(read(&path).unwrap(), []);
        fs::write(&path, format!("{LINE}\n{{\"kind\":\"Ev")).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
    }

    #[test]
    fn a_tail_gives_each_line_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.log");
        let mut tail = AuditTail::new(path.clone());
        assert_eq!(tail.more().unwrap(), []);
        let (half, rest) = LINE.split_at(40);
        fs::write(&path, format!("{LINE}\n{half}")).unwrap();
        assert_eq!(tail.more().unwrap().len(), 1);
        fs::write(&path, format!("{LINE}\n{half}{rest}\n{LINE}\n")).unwrap();
        assert_eq!(tail.more().unwrap().len(), 2);
        assert_eq!(tail.more().unwrap(), []);
    }

    #[test]
    fn the_policy_is_what_the_server_reads() {
        let policy: serde_json::Value =
            serde_saphyr::from_str(&AuditLevel::RequestResponse.policy()).unwrap();
        assert_eq!(policy["rules"][1]["level"], "RequestResponse");
        assert_eq!(policy["rules"][0]["nonResourceURLs"][1], "/readyz*");
    }
}
