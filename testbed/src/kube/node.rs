//! A cluster that stays when the program that started it ends: `cargo xtask cluster up`, `down`, `status`.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::audit::{self, AuditEvent, AuditLevel};
use super::command::run;
use super::detached::Detached;
use super::error::KubeError;
use super::host::Host;
use super::ingress::{self, INGRESS_READY, IngressPrograms};
use super::install::{self, Programs, VERSION};
use super::network::{self, NODE_ADDRESS};
use super::place::{self, Marker};
use super::plane::{Plane, Reach};
use super::ready::{self, Processes};
use super::worker::{DNS_READY, NODE_NAME, PROXY_READY, Started, Worker, WorkerPrograms, containerd_socket};
use super::{pause, storage, sweep};
use crate::port::ReservedPort;

const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const LAST_LINES: usize = 15;
/// Every part there can be, in the order in which they start.
const PARTS: [&str; 9] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "coredns",
    "kubelet",
    "kube-proxy",
    "traefik",
];

/// A cluster in a directory, running. Dropping the value changes nothing; [`Node::down`] stops it.
#[derive(Debug)]
pub struct Node {
    plane: Plane,
    api: Api,
    programs: Programs,
}

/// How much of a cluster there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// As much as [`ControlPlane`](super::ControlPlane): objects and controllers, pods stay pending. Needs no root.
    #[default]
    ControlPlane,
    /// Pods run, Services and the name server answer, claims get disks. Needs Linux and root; one on a machine.
    Node,
    /// And an ingress proxy at [`NODE_ADDRESS`], ports 80 and 443, for Ingresses and the Gateway API.
    Ingress,
}

/// What a cluster is started with.
#[derive(Clone, Copy, Debug)]
pub struct NodeOptions {
    /// How much of a cluster.
    pub extent: Extent,
    /// How much of each request the audit log holds.
    pub audit: AuditLevel,
    /// How long the start may take, building not included.
    pub start_limit: Duration,
    /// Is told what is being done.
    pub progress: fn(&str),
}

/// What [`Node::down`] does with the cluster's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// The next [`Node::up`] finds every object and every image again.
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
    /// What it was started as.
    pub extent: Extent,
    /// Whether the API server says that it is ready and, where there is a node, the node too.
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

/// The programs of an extent, found or built.
struct Everything {
    kubernetes: Programs,
    worker: Option<WorkerPrograms>,
    ingress: Option<IngressPrograms>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            extent: Extent::default(),
            audit: AuditLevel::default(),
            start_limit: START_LIMIT,
            progress: |_| (),
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
        let programs = Everything::find_or_build(options.extent).await?;
        let deadline = Instant::now() + options.start_limit;
        let directory = place::own(directory)?;
        let _lock = place::locked(&directory).await?;
        let processes = parts(&directory);

        let before = Marker::read(&directory)?;
        let same = before
            .as_ref()
            .filter(|marker| marker.version == VERSION && marker.extent == options.extent);
        let (port, _held) = match same {
            Some(marker) if options.extent > Extent::ControlPlane || may_keep(marker.port, &processes) => {
                (marker.port, None)
            }
            _ => {
                // Another version or extent, or someone else has the port: what still runs would not find the new one.
                stop_all(&processes).await?;
                let held = ReservedPort::new().map_err(KubeError::io("find a free port"))?;
                (held.number(), Some(held))
            }
        };
        if let Some(worker) = &programs.worker {
            network::up(&worker.host, &directory).await?;
        }
        let plane = Plane::prepare(&directory, reach(options.extent, port), options.audit)?;
        let marker = Marker {
            version: VERSION.to_owned(),
            port,
            extent: options.extent,
        };
        if before.as_ref() != Some(&marker) {
            marker.write(&directory)?;
        }

        let api = Api::new(plane.url(), plane.ca(), plane.admin())?;
        for process in processes.iter().filter(|process| process.has_ended()) {
            // What ended before this start is no failure of this start.
            process.stop(STOP_LIMIT).await?;
        }
        for Started { program, part } in programs.parts(&plane)? {
            let process = Detached::new(&directory, part.name);
            let mut since = Timestamp::MIN;
            if process.pid().is_none() {
                (options.progress)(&format!("starting {}", part.name));
                // Reports are in whole seconds.
                since = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(since);
                process.start(&program, &part, &directory).await?;
            }
            ready(part.name, &plane, &api, since, &processes, deadline).await?;
            programs.follow_up(part.name, &api, &directory).await?;
        }
        Ok(Self {
            plane,
            api,
            programs: programs.kubernetes,
        })
    }

    /// Stops the cluster in `directory`, with its containers, mounts, network and rules. Does nothing where there is
    /// none.
    ///
    /// # Errors
    /// [`KubeError::StillRuns`], or what kept something from being taken away.
    pub async fn down(directory: &Path, data: Data) -> Result<(), KubeError> {
        let Some(directory) = place::find(directory)? else {
            return Ok(());
        };
        let lock = place::locked(&directory).await?;
        stop_all(&parts(&directory)).await?;
        let extent = Marker::read(&directory)?.map(|marker| marker.extent);
        let has_network = network::belongs_to(&directory)?;
        if has_network || extent.is_some_and(|extent| extent > Extent::ControlPlane) {
            let host = Host::find_or_install().await?;
            if has_network {
                sweep::containers().await?;
            }
            sweep::traces(&host, &directory, has_network).await?;
            network::down(&host, &directory).await?;
        }
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
        let Some(directory) = place::find(directory)? else {
            return Ok(None);
        };
        let Some(marker) = Marker::read(&directory)? else {
            return Ok(None);
        };
        let plane = Plane::open(&directory, reach(marker.extent, marker.port))?;
        let api = Api::new(plane.url(), plane.ca(), plane.admin())?;
        let all = parts(&directory);
        let mut ready = api.get("/readyz").await.is_ok();
        if ready && marker.extent > Extent::ControlPlane {
            let node = api.get(&format!("/api/v1/nodes/{NODE_NAME}")).await;
            ready = node.is_ok_and(|node| ready::takes_pods(&node, Timestamp::MIN).is_ok());
        }
        Ok(Some(Status {
            kubeconfig: plane.kubeconfig(),
            url: plane.url(),
            extent: marker.extent,
            ready,
            parts: all[..marker.extent.parts()]
                .iter()
                .map(|process| PartStatus {
                    name: process.name(),
                    pid: process.pid(),
                    log: process.log().to_owned(),
                })
                .collect(),
        }))
    }

    /// Imports an OCI archive into the node of the cluster in `directory`; the names of the images in it.
    ///
    /// # Errors
    /// [`KubeError::Host`] when no node runs there; what containerd says of the archive.
    pub async fn load(directory: &Path, archive: &Path) -> Result<Vec<String>, KubeError> {
        let runs = |directory: &Path| {
            let containerd = parts(directory)
                .into_iter()
                .find(|part| part.name() == "containerd");
            containerd.is_some_and(|part| part.pid().is_some())
        };
        if !place::find(directory)?.is_some_and(|directory| runs(&directory)) {
            return Err(KubeError::Host(format!(
                "no node runs in {}; start it with `cargo xtask cluster up`",
                directory.display()
            )));
        }
        let host = Host::find_or_install().await?;
        let programs = blocking(|| WorkerPrograms::find_or_install(host)).await?;
        import(&programs, archive).await
    }

    /// The administrator's kubeconfig, a file.
    pub fn kubeconfig(&self) -> PathBuf {
        self.plane.kubeconfig()
    }

    /// The API server: `https://<address>:<port>`.
    pub fn url(&self) -> String {
        self.plane.url()
    }

    /// A plain client of the API server, as the administrator.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// What the API server answered so far.
    ///
    /// # Errors
    /// When the audit log cannot be read.
    pub fn audit(&self) -> Result<Vec<AuditEvent>, KubeError> {
        audit::read(&self.plane.audit_log())
    }

    /// The certificate of the authority that signed for the API server and for the ingress proxy, a PEM file.
    pub fn authority(&self) -> &Path {
        self.plane.ca()
    }

    /// What the ingress proxy serves for hosts below [`INGRESS_DOMAIN`](super::INGRESS_DOMAIN) that name no certificate
    /// of their own: the certificate and its key, PEM files. For a Gateway, which must name one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn ingress_certificate(&self) -> Result<(PathBuf, PathBuf), KubeError> {
        let pair = ingress::certificate(self.plane.directory())?;
        Ok((pair.certificate, pair.key))
    }

    /// The programs it runs, `kubectl` among them.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }
}

impl Extent {
    /// How many of [`PARTS`] it has.
    fn parts(self) -> usize {
        match self {
            Self::ControlPlane => 3,
            Self::Node => 8,
            Self::Ingress => 9,
        }
    }
}

impl Everything {
    async fn find_or_build(extent: Extent) -> Result<Self, KubeError> {
        // Whether the machine is fit is known in a moment; a build takes a quarter of an hour.
        let host = match extent {
            Extent::ControlPlane => None,
            Extent::Node | Extent::Ingress => Some(Host::find_or_install().await?),
        };
        blocking(move || {
            Ok(Self {
                kubernetes: install::programs()?,
                worker: host.map(WorkerPrograms::find_or_install).transpose()?,
                ingress: (extent == Extent::Ingress)
                    .then(IngressPrograms::find_or_fetch)
                    .transpose()?,
            })
        })
        .await
    }

    /// The parts in the order in which they start; their files are written.
    fn parts(&self, plane: &Plane) -> Result<Vec<Started>, KubeError> {
        let mut all: Vec<Started> = plane
            .parts()
            .into_iter()
            .map(|part| Started {
                program: self.kubernetes.path(part.name),
                part,
            })
            .collect();
        if let Some(programs) = &self.worker {
            all.extend(Worker::prepare(plane, programs)?.parts(&self.kubernetes));
        }
        if let Some(ingress) = &self.ingress {
            all.push(ingress.part(&plane.kubeconfig(), plane.directory())?);
        }
        Ok(all)
    }

    /// What can be done once this part works, and what the next ones need.
    async fn follow_up(&self, part: &str, api: &Api, directory: &Path) -> Result<(), KubeError> {
        match (part, &self.worker, &self.ingress) {
            ("kube-controller-manager", Some(_), ingress) => {
                storage::offer(api, &directory.join("volumes")).await?;
                match ingress {
                    Some(ingress) => ingress.install(api).await,
                    None => Ok(()),
                }
            }
            ("containerd", Some(worker), _) => {
                let archive = blocking(pause::archive).await?;
                import(worker, &archive).await.map(drop)
            }
            _ => Ok(()),
        }
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
    part: &'static str,
    plane: &Plane,
    api: &Api,
    since: Timestamp,
    processes: &[Detached; PARTS.len()],
    deadline: Instant,
) -> Result<(), KubeError> {
    let at = |port: u16, path: &str| format!("http://{NODE_ADDRESS}:{port}/{path}");
    match part {
        "etcd" => ready::etcd(&plane.etcd_socket(), processes, deadline).await,
        "kube-apiserver" => ready::apiserver(api, processes, deadline).await,
        "kube-controller-manager" => ready::controllers(api, processes, deadline).await,
        "containerd" => ready::containerd(&containerd_socket(), processes, deadline).await,
        "coredns" => ready::answers(part, &at(DNS_READY, "ready"), processes, deadline).await,
        "kubelet" => ready::node(api, since, processes, deadline).await,
        "kube-proxy" => ready::answers(part, &at(PROXY_READY, "healthz"), processes, deadline).await,
        "traefik" => ready::answers(part, &at(INGRESS_READY, "ping"), processes, deadline).await,
        // The scheduler answers nobody; a pod that is placed is its answer.
        _ => Ok(()),
    }
}

async fn import(programs: &WorkerPrograms, archive: &Path) -> Result<Vec<String>, KubeError> {
    let socket = containerd_socket();
    let said = run(
        &programs.ctr,
        &[
            "--address".as_ref(),
            socket.as_os_str(),
            "--namespace".as_ref(),
            "k8s.io".as_ref(),
            "images".as_ref(),
            "import".as_ref(),
            archive.as_os_str(),
        ],
    )
    .await?;
    let names = said
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, outcome)| outcome.trim() == "saved")
        .map(|(name, _)| name.trim().to_owned());
    Ok(names.collect())
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KubeError> + Send + 'static,
) -> Result<T, KubeError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| KubeError::io("look for the programs of a cluster")(error.into()))?
}

fn reach(extent: Extent, port: u16) -> Reach {
    match extent {
        Extent::ControlPlane => Reach::Loopback(port),
        Extent::Node | Extent::Ingress => Reach::Node,
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
