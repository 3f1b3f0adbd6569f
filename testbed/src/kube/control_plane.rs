//! A control plane that belongs to a value: etcd, API server and controller manager as child processes.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::api::Api;
use super::audit::{self, AuditEvent, AuditLevel, AuditTail};
use super::error::KubeError;
use super::install::{self, Programs};
use super::kubeconfig::Login;
use super::plane::{Part, Plane, Reach};
use super::ready::{self, Processes};
use crate::child::OwnedChild;
use crate::log::{Log, lock};
use crate::port::ReservedPort;

/// How long a start may take. Two busy cores need a sixth of it.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a part may take to end by itself before it is killed. All state is in etcd, which ends last.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How many lines of a part's log an error shows.
const LAST_LINES: usize = 15;

const APISERVER: &str = "kube-apiserver";

/// A running control plane without nodes: objects, controllers, permissions and garbage collection are real, pods
/// stay pending. Dropping it kills its processes and deletes its directory.
///
/// Each one has a directory, keys and a port of its own, so that tests may start several at a time. One takes about
/// 550 MB of memory.
///
/// The garbage collector looks for new resource types every 30 seconds (a constant of Kubernetes): the children of
/// a custom resource are collected from then on.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: first the processes, then their files.
    running: Running,
    plane: Plane,
    api: Api,
    programs: Programs,
    ready_after: Duration,
    _port: ReservedPort,
    _directory: tempfile::TempDir,
}

/// What a control plane is started with.
#[derive(Clone, Debug, Default)]
pub struct ControlPlaneBuilder {
    audit: AuditLevel,
    start_limit: Option<Duration>,
}

/// The children by name, and what each of them wrote over all its restarts.
#[derive(Debug, Default)]
struct Running {
    children: Mutex<BTreeMap<&'static str, Arc<OwnedChild>>>,
    logs: Mutex<BTreeMap<&'static str, Log>>,
}

impl ControlPlaneBuilder {
    /// How much of each request the audit log holds. Unless told otherwise, everything but the bodies.
    #[must_use]
    pub fn audit(mut self, level: AuditLevel) -> Self {
        self.audit = level;
        self
    }

    /// How long the start may take, building not included. Unless told otherwise, 60 s.
    #[must_use]
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.start_limit = Some(limit);
        self
    }

    /// Builds Kubernetes if this machine never did, starts it and waits until its controllers work.
    ///
    /// # Errors
    /// [`KubeError`]; when it did not come up, with the name of the part and the end of its log.
    pub async fn start(self) -> Result<ControlPlane, KubeError> {
        let programs = tokio::task::spawn_blocking(install::programs)
            .await
            .map_err(|error| KubeError::io("look for Kubernetes")(error.into()))??;
        let began = Instant::now();
        let directory = tempfile::Builder::new()
            .prefix("kube-")
            .tempdir()
            .map_err(KubeError::io("make a directory"))?;
        let port = ReservedPort::new().map_err(KubeError::io("find a free port"))?;
        let plane = Plane::prepare(directory.path(), Reach::Loopback(port.number()), self.audit)?;
        let api = Api::new(plane.url(), plane.ca(), plane.admin())?;
        let mut started = ControlPlane {
            running: Running::default(),
            plane,
            api,
            programs,
            ready_after: Duration::ZERO,
            _port: port,
            _directory: directory,
        };
        started
            .launch(began + self.start_limit.unwrap_or(START_LIMIT))
            .await?;
        started.ready_after = began.elapsed();
        Ok(started)
    }
}

impl ControlPlane {
    /// The options; [`ControlPlaneBuilder::start`] starts it.
    pub fn builder() -> ControlPlaneBuilder {
        ControlPlaneBuilder::default()
    }

    /// Starts one with the defaults.
    ///
    /// # Errors
    /// As [`ControlPlaneBuilder::start`].
    pub async fn start() -> Result<Self, KubeError> {
        Self::builder().start().await
    }

    /// The API server: `https://127.0.0.1:<port>`. The same after a restart.
    pub fn url(&self) -> String {
        self.plane.url()
    }

    /// The authority of the API server's certificate, a PEM file.
    pub fn ca(&self) -> &Path {
        self.plane.ca()
    }

    /// The administrator's kubeconfig, a file.
    pub fn kubeconfig(&self) -> PathBuf {
        self.plane.kubeconfig()
    }

    /// The administrator's kubeconfig, its text.
    ///
    /// # Errors
    /// [`KubeError::Io`] when a certificate cannot be read.
    pub fn kubeconfig_text(&self) -> Result<String, KubeError> {
        self.plane.kubeconfig_for(&Login::Certificate(self.plane.admin()))
    }

    /// The text of a kubeconfig for any user in any groups; nobody has to be created first. The client acts in that
    /// user's name by impersonation, so that permissions and [`AuditEvent::user`] are the user's.
    ///
    /// # Errors
    /// [`KubeError::Io`] when a certificate cannot be read.
    pub fn user_kubeconfig(&self, name: &str, groups: &[&str]) -> Result<String, KubeError> {
        self.plane.kubeconfig_for(&Login::As {
            certificate: self.plane.admin(),
            user: name,
            groups,
        })
    }

    /// The text of a kubeconfig for a service account that exists, with a token as a pod would get it, valid for an
    /// hour.
    ///
    /// # Errors
    /// [`KubeError::Refused`] when there is no such account.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<String, KubeError> {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
        let answer = self.api.post(&path, &request).await?;
        let token = answer["status"]["token"].as_str().unwrap_or_default();
        self.plane.kubeconfig_for(&Login::Token(token))
    }

    /// A plain client of the API server, as the administrator.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The audit log, a file with one JSON object a line.
    pub fn audit_log(&self) -> PathBuf {
        self.plane.audit_log()
    }

    /// The requests in the audit log so far. One appears there at about the time its answer arrives.
    ///
    /// # Errors
    /// [`KubeError::Io`] when the log cannot be read.
    pub fn audit_events(&self) -> Result<Vec<AuditEvent>, KubeError> {
        audit::read(&self.audit_log())
    }

    /// The same from the beginning, in pieces.
    pub fn audit_tail(&self) -> AuditTail {
        AuditTail::new(self.audit_log())
    }

    /// The programs it runs, `kubectl` among them.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// How long it took from the first process to working controllers.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The process ids by the names of the parts; those that run.
    pub fn pids(&self) -> BTreeMap<&'static str, u32> {
        let children = lock(&self.running.children);
        children
            .iter()
            .map(|(name, child)| (*name, child.pid()))
            .collect()
    }

    /// What a part (`etcd`, `kube-apiserver`, `kube-controller-manager`) wrote.
    pub fn log(&self, part: &str) -> Option<Log> {
        lock(&self.running.logs).get(part).cloned()
    }

    /// Stops the API server alone: what an outage looks like. Its clients are cut off.
    ///
    /// # Errors
    /// [`KubeError::Stopped`] when it does not run.
    pub async fn stop_apiserver(&self) -> Result<(), KubeError> {
        self.running.stop(APISERVER).await
    }

    /// Starts the API server again and waits until it is ready.
    ///
    /// # Errors
    /// [`KubeError::NotReady`].
    pub async fn start_apiserver(&self) -> Result<(), KubeError> {
        self.spawn(&self.plane.apiserver())?;
        ready::apiserver(&self.api, &self.running, Instant::now() + START_LIMIT).await
    }

    /// Stops the API server, starts it on the same port and waits until it is ready.
    ///
    /// # Errors
    /// As [`ControlPlane::stop_apiserver`] and [`ControlPlane::start_apiserver`].
    pub async fn restart_apiserver(&self) -> Result<(), KubeError> {
        self.stop_apiserver().await?;
        self.start_apiserver().await
    }

    /// Stops everything and starts it on the same data and port.
    ///
    /// # Errors
    /// [`KubeError::NotReady`].
    pub async fn restart(&self) -> Result<(), KubeError> {
        self.stop().await?;
        self.launch(Instant::now() + START_LIMIT).await
    }

    /// Stops what runs, in the reverse order of starting. Data and keys stay until the value is dropped.
    ///
    /// # Errors
    /// [`KubeError::Io`] when a process cannot be signalled.
    pub async fn stop(&self) -> Result<(), KubeError> {
        for part in self.plane.parts().iter().rev() {
            match self.running.stop(part.name).await {
                Ok(()) | Err(KubeError::Stopped) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn launch(&self, deadline: Instant) -> Result<(), KubeError> {
        let [etcd, apiserver, controller_manager] = self.plane.parts();
        self.spawn(&etcd)?;
        ready::etcd(&self.plane.etcd_socket(), &self.running, deadline).await?;
        self.spawn(&apiserver)?;
        ready::apiserver(&self.api, &self.running, deadline).await?;
        self.spawn(&controller_manager)?;
        ready::controllers(&self.api, &self.running, deadline).await
    }

    fn spawn(&self, part: &Part) -> Result<(), KubeError> {
        let mut command = Command::new(self.programs.path(part.name));
        command.current_dir(self.plane.directory()).args(&part.arguments);
        // Not the user's KUBECONFIG, proxies or tuning of Go.
        for (name, _) in env::vars_os() {
            command.env_remove(name);
        }
        command.env("HOME", self.plane.directory());
        command.envs(part.environment.iter().cloned());
        let log = lock(&self.running.logs).entry(part.name).or_default().clone();
        let child =
            OwnedChild::spawn(command, &log).map_err(KubeError::io(format!("start {}", part.name)))?;
        lock(&self.running.children).insert(part.name, Arc::new(child));
        Ok(())
    }
}

impl Running {
    async fn stop(&self, part: &'static str) -> Result<(), KubeError> {
        let child = lock(&self.children).remove(part).ok_or(KubeError::Stopped)?;
        match child.terminate(STOP_LIMIT).await {
            Err(error) if error.kind() != std::io::ErrorKind::TimedOut => {
                Err(KubeError::io(format!("stop {part}"))(error))
            }
            // Ended, or killed after its time: gone either way.
            _ => Ok(()),
        }
    }
}

impl Processes for Running {
    fn ended(&self) -> Option<&'static str> {
        let children = lock(&self.children);
        let ended = children.iter().find(|(_, child)| child.exit_status().is_some());
        ended.map(|(name, _)| *name)
    }

    fn last_lines(&self, part: &str) -> String {
        lock(&self.logs)
            .get(part)
            .map(|log| log.tail(LAST_LINES))
            .unwrap_or_default()
    }
}
