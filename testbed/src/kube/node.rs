//! A cluster that stays when the program that started it ends: `cargo xtask cluster up`, `down`, `status`.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::api::Api;
use super::audit::AuditLevel;
use super::detached::Detached;
use super::error::KubeError;
use super::install::{self, VERSION};
use super::pki::write_once;
use super::plane::{Part, Plane};
use super::ready::{self, Processes};
use crate::port::ReservedPort;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const LAST_LINES: usize = 15;
/// The file that says: this directory is a cluster's.
const MARKER: &str = "cluster.json";
/// The parts in the order in which they start.
const PARTS: [&str; 3] = ["etcd", "kube-apiserver", "kube-controller-manager"];

/// A cluster in a directory, running: a control plane like [`ControlPlane`](super::ControlPlane), so far without a
/// kubelet; pods stay pending. Dropping the value changes nothing; [`Node::down`] stops it.
#[derive(Debug)]
pub struct Node {
    plane: Plane,
    api: Api,
}

/// What a cluster is started with.
#[derive(Clone, Copy, Debug)]
pub struct NodeOptions {
    /// How much of each request the audit log holds.
    pub audit: AuditLevel,
    /// How long the start may take, building not included.
    pub start_limit: Duration,
}

/// What [`Node::down`] does with the cluster's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// The next [`Node::up`] finds every object again.
    Keep,
    /// The directory is deleted.
    Delete,
}

/// What there is of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The API server.
    pub url: String,
    /// Whether the API server says that it is ready.
    pub ready: bool,
    /// Each part.
    pub parts: Vec<PartStatus>,
}

/// What there is of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartStatus {
    /// The program.
    pub name: &'static str,
    /// Its process id, while it runs.
    pub pid: Option<i32>,
    /// Its log.
    pub log: PathBuf,
}

/// The content of [`MARKER`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    version: String,
    port: u16,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            audit: AuditLevel::default(),
            start_limit: START_LIMIT,
        }
    }
}

impl Node {
    /// Starts what does not run yet of the cluster in `directory`, and waits until it works. Once it works, calling
    /// it again changes nothing; after a crash it starts what is missing, on the data that is there.
    ///
    /// # Errors
    /// [`KubeError`]. What was started by then keeps running until [`Node::down`].
    pub async fn up(directory: &Path, options: NodeOptions) -> Result<Self, KubeError> {
        let programs = tokio::task::spawn_blocking(install::programs)
            .await
            .map_err(|error| KubeError::io("look for Kubernetes")(error.into()))??;
        let deadline = Instant::now() + options.start_limit;
        let directory = own_directory(directory)?;
        let _lock = locked(&directory).await?;
        let processes = parts(&directory);

        let before = marker(&directory)?;
        let (port, _held) = match &before {
            Some(marker) if marker.version == VERSION && may_keep(marker.port, &processes) => {
                (marker.port, None)
            }
            _ => {
                // Another version, or someone else has the port: what still runs would not find the new one.
                stop_all(&processes).await?;
                let held = ReservedPort::new().map_err(KubeError::io("find a free port"))?;
                (held.number(), Some(held))
            }
        };
        let plane = Plane::prepare(&directory, port, options.audit)?;
        let marker = Marker {
            version: VERSION.to_owned(),
            port,
        };
        if before.as_ref() != Some(&marker) {
            let text = serde_json::to_string(&marker)
                .map_err(|error| KubeError::io("write a file")(error.into()))?;
            write_once(&directory.join(MARKER), &text)?;
        }

        let api = Api::new(plane.url(), plane.ca(), plane.admin())?;
        for process in processes.iter().filter(|process| process.has_ended()) {
            // What ended before this start is no failure of this start.
            process.stop(STOP_LIMIT).await?;
        }
        for (process, part) in processes.iter().zip(plane.parts()) {
            if process.pid().is_none() {
                process
                    .start(&programs.path(part.name), &part, &directory)
                    .await?;
            }
            ready(&part, &plane, &api, &processes, deadline).await?;
        }
        Ok(Self { plane, api })
    }

    /// Stops the cluster in `directory`. Does nothing where there is none.
    ///
    /// # Errors
    /// [`KubeError::StillRuns`], or [`KubeError::Io`].
    pub async fn down(directory: &Path, data: Data) -> Result<(), KubeError> {
        let Some(directory) = cluster_in(directory)? else {
            return Ok(());
        };
        let lock = locked(&directory).await?;
        stop_all(&parts(&directory)).await?;
        if data == Data::Delete {
            fs::remove_dir_all(&directory)
                .map_err(KubeError::io(format!("delete {}", directory.display())))?;
        }
        drop(lock);
        Ok(())
    }

    /// What there is of the cluster in `directory`; `None` where there never was one.
    ///
    /// # Errors
    /// [`KubeError::Io`].
    pub async fn status(directory: &Path) -> Result<Option<Status>, KubeError> {
        let Some(directory) = cluster_in(directory)? else {
            return Ok(None);
        };
        let Some(marker) = marker(&directory)? else {
            return Ok(None);
        };
        let plane = Plane::open(&directory, marker.port)?;
        let api = Api::new(plane.url(), plane.ca(), plane.admin())?;
        Ok(Some(Status {
            kubeconfig: plane.kubeconfig(),
            url: plane.url(),
            ready: api.get("/readyz").await.is_ok(),
            parts: parts(&directory)
                .iter()
                .map(|process| PartStatus {
                    name: process.name(),
                    pid: process.pid(),
                    log: process.log().to_owned(),
                })
                .collect(),
        }))
    }

    /// The administrator's kubeconfig, a file.
    pub fn kubeconfig(&self) -> PathBuf {
        self.plane.kubeconfig()
    }

    /// The API server: `https://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.plane.url()
    }

    /// A plain client of the API server, as the administrator.
    pub fn api(&self) -> &Api {
        &self.api
    }
}

impl Processes for [Detached; PARTS.len()] {
    fn ended(&self) -> Option<&'static str> {
        self.iter()
            .find(|process| process.has_ended())
            .map(Detached::name)
    }

    fn last_lines(&self, part: &str) -> String {
        let process = self.iter().find(|process| process.name() == part);
        process
            .map(|process| process.last_lines(LAST_LINES))
            .unwrap_or_default()
    }
}

async fn ready(
    part: &Part,
    plane: &Plane,
    api: &Api,
    processes: &[Detached; PARTS.len()],
    deadline: Instant,
) -> Result<(), KubeError> {
    match part.name {
        "etcd" => ready::etcd(&plane.etcd_socket(), processes, deadline).await,
        "kube-apiserver" => ready::apiserver(api, processes, deadline).await,
        _ => ready::controllers(api, processes, deadline).await,
    }
}

fn parts(directory: &Path) -> [Detached; PARTS.len()] {
    PARTS.map(|name| Detached::new(directory, name))
}

async fn stop_all(processes: &[Detached]) -> Result<(), KubeError> {
    for process in processes.iter().rev() {
        process.stop(STOP_LIMIT).await?;
    }
    Ok(())
}

/// A port is kept while our API server has it, and while nobody has it.
fn may_keep(port: u16, processes: &[Detached]) -> bool {
    let ours = processes
        .iter()
        .any(|process| process.name() == "kube-apiserver" && process.pid().is_some());
    ours || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The directory, made if need be. One that holds something else is refused: deleting a cluster deletes it all.
fn own_directory(directory: &Path) -> Result<PathBuf, KubeError> {
    let make = || {
        fs::create_dir_all(directory)?;
        let directory = directory.canonicalize()?;
        let used = fs::read_dir(&directory)?.next().is_some();
        if used && !directory.join("lock").exists() {
            return Err(io::Error::other(
                "it holds something that is no cluster; name an empty directory or a new one",
            ));
        }
        Ok(directory)
    };
    make().map_err(KubeError::io(format!("use {}", directory.display())))
}

fn cluster_in(directory: &Path) -> Result<Option<PathBuf>, KubeError> {
    if !directory.join(MARKER).exists() {
        return Ok(None);
    }
    let absolute = directory.canonicalize();
    absolute
        .map(Some)
        .map_err(KubeError::io(format!("use {}", directory.display())))
}

fn marker(directory: &Path) -> Result<Option<Marker>, KubeError> {
    match fs::read_to_string(directory.join(MARKER)) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| KubeError::io(format!("read {MARKER}"))(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KubeError::io(format!("read {MARKER}"))(error)),
    }
}

/// One `up` or `down` at a time. The lock ends with the file handle, also when its owner is killed.
async fn locked(directory: &Path) -> Result<File, KubeError> {
    let path = directory.join("lock");
    let lock = move || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock)
        .await
        .map_err(|error| KubeError::io("wait for the lock")(error.into()))?
        .map_err(KubeError::io("wait for the lock"))
}
