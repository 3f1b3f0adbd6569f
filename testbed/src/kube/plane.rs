//! What a control plane is made of: its directory, its keys, and the command line of each part.
//!
//! Pure but for writing the files. Both owners use it: [`ControlPlane`](super::ControlPlane), whose processes end
//! with it, and [`Node`](super::Node), whose processes stay.

use std::ffi::OsString;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::audit::AuditLevel;
use super::error::KubeError;
use super::kubeconfig::{self, Login};
use super::network::NODE_ADDRESS;
use super::pki::{Authority, Pair, SigningKey, Subject, write_once};

/// The longest path of a Unix socket is 108 bytes on Linux and 104 elsewhere, with the closing zero.
const SOCKET_PATH_LIMIT: usize = 103;
/// The longest name below the directory that a socket has.
const LONGEST_SOCKET: &str = "/etcd-peer.sock";

/// The range of Service addresses, its first one being the API server's own Service. The machine answers for all of it and
/// refuses what no Service has, so it lies beside the pods, in a range that nothing else of the machine may use.
pub(crate) const SERVICE_RANGE: &str = "10.254.128.0/17";
const API_SERVICE: &str = "10.254.128.1";
/// The names and addresses under which clients reach the API server.
const SERVING_NAMES: [&str; 9] = [
    "127.0.0.1",
    "::1",
    "10.254.0.1",
    API_SERVICE,
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];
/// The API server's port on the node's network.
const NODE_PORT: u16 = 6443;

/// Where the API server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// On this port of 127.0.0.1: only this machine's processes ask it.
    Loopback(u16),
    /// On the node's network, where pods reach it too.
    Node,
}

/// A control plane's directory, prepared, and how to reach what will run there.
#[derive(Debug)]
pub(crate) struct Plane {
    directory: PathBuf,
    reach: Reach,
    ca: PathBuf,
    ca_pem: String,
    admin: Pair,
    controllers: Pair,
    serving: Pair,
    signing_key: SigningKey,
}

/// One program of the plane and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

impl Plane {
    /// Makes everything that must be there before the first process starts. Keys that are there already stay.
    pub(crate) fn prepare(directory: &Path, reach: Reach, audit: AuditLevel) -> Result<Self, KubeError> {
        let plane = Self::open(directory, reach)?;
        write_once(
            &plane.kubeconfig(),
            &plane.kubeconfig_for(&Login::Certificate(&plane.admin))?,
        )?;
        let controllers = plane.kubeconfig_for(&Login::Certificate(&plane.controllers))?;
        write_once(&plane.controllers_kubeconfig(), &controllers)?;
        write_once(&plane.audit_policy(), &audit.policy())?;
        Ok(plane)
    }

    /// The plane in this directory with its keys, made where they are missing; no other file is written.
    pub(crate) fn open(directory: &Path, reach: Reach) -> Result<Self, KubeError> {
        let limit = SOCKET_PATH_LIMIT - LONGEST_SOCKET.len();
        if directory.as_os_str().len() > limit {
            return Err(KubeError::PathTooLong {
                directory: directory.to_owned(),
                limit,
            });
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(KubeError::io(format!("make {}", directory.display())))?;
        let authority = Authority::open(&directory.join("pki"))?;
        let admin = Subject {
            user: "admin",
            group: Some("system:masters"),
        };
        let controllers = Subject {
            user: "system:kube-controller-manager",
            group: None,
        };
        Ok(Self {
            directory: directory.to_owned(),
            reach,
            ca: authority.certificate(),
            ca_pem: fs::read_to_string(authority.certificate())
                .map_err(KubeError::io("read the authority's certificate"))?,
            admin: authority.client("admin", admin)?,
            controllers: authority.client("kube-controller-manager", controllers)?,
            serving: authority.server("kube-apiserver", &SERVING_NAMES.map(str::to_owned))?,
            signing_key: authority.signing_key("service-accounts")?,
        })
    }

    /// The parts in the order in which they start.
    pub(crate) fn parts(&self) -> [Part; 3] {
        [self.etcd(), self.apiserver(), self.controller_manager()]
    }

    pub(crate) fn etcd(&self) -> Part {
        let clients = format!("unix://{}", self.etcd_socket().display());
        let peers = format!("unix://{}", self.directory.join("etcd-peer.sock").display());
        Part {
            name: "etcd",
            arguments: vec![
                flag("data-dir", self.directory.join("etcd")),
                // A crash of the machine may lose a test's data; a crash of the process does not.
                "--unsafe-no-fsync".into(),
                flag("listen-client-urls", &clients),
                flag("advertise-client-urls", &clients),
                flag("listen-peer-urls", &peers),
                flag("initial-advertise-peer-urls", &peers),
                flag("initial-cluster", format!("default={peers}")),
                flag("log-level", "warn"),
            ],
            environment: Vec::new(),
        }
    }

    pub(crate) fn apiserver(&self) -> Part {
        let audit_log = self.audit_log();
        let mut arguments = match self.reach {
            // There is no pod that could reach it, and a loopback address may not be an endpoint.
            Reach::Loopback(_) => vec![flag("endpoint-reconciler-type", "none")],
            // How it reaches the kubelet, for logs and commands in pods. The node's name is in no name server.
            Reach::Node => vec![
                flag("kubelet-preferred-address-types", "InternalIP"),
                flag("kubelet-client-certificate", &self.admin.certificate),
                flag("kubelet-client-key", &self.admin.key),
            ],
        };
        let (address, port) = self.address();
        let address = address.to_string();
        arguments.extend([
            flag("etcd-servers", format!("unix://{}", self.etcd_socket().display())),
            flag("bind-address", &address),
            flag("advertise-address", &address),
            flag("secure-port", port.to_string()),
            flag("tls-cert-file", &self.serving.certificate),
            flag("tls-private-key-file", &self.serving.key),
            flag("client-ca-file", &self.ca),
            flag("authorization-mode", "Node,RBAC"),
            flag("service-account-issuer", "https://kubernetes.default.svc"),
            flag("service-account-key-file", &self.signing_key.public),
            flag("service-account-signing-key-file", &self.signing_key.private),
            flag("service-cluster-ip-range", SERVICE_RANGE),
            flag("allow-privileged", "true"),
            flag("audit-policy-file", self.audit_policy()),
            flag("audit-log-path", audit_log),
            // In megabytes. One file, however long: what a run is judged by must not be rotated away.
            flag("audit-log-maxsize", "102400"),
            flag("profiling", "false"),
        ]);
        Part {
            name: "kube-apiserver",
            arguments,
            environment: Vec::new(),
        }
    }

    pub(crate) fn controller_manager(&self) -> Part {
        let kubeconfig = self.controllers_kubeconfig();
        Part {
            name: "kube-controller-manager",
            arguments: vec![
                flag("kubeconfig", &kubeconfig),
                flag("authentication-kubeconfig", &kubeconfig),
                flag("authorization-kubeconfig", &kubeconfig),
                // Alone, it needs no election, and nobody asks it anything.
                flag("leader-elect", "false"),
                flag("secure-port", "0"),
                flag("root-ca-file", &self.ca),
                flag("service-account-private-key-file", &self.signing_key.private),
                // Each controller under its own account, as in a real cluster.
                flag("use-service-account-credentials", "true"),
                flag("profiling", "false"),
            ],
            environment: Vec::new(),
        }
    }

    pub(crate) fn kubeconfig_for(&self, login: &Login<'_>) -> Result<String, KubeError> {
        kubeconfig::render(&self.url(), &self.ca_pem, login)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn url(&self) -> String {
        let (address, port) = self.address();
        format!("https://{address}:{port}")
    }

    fn address(&self) -> (Ipv4Addr, u16) {
        match self.reach {
            Reach::Loopback(port) => (Ipv4Addr::LOCALHOST, port),
            Reach::Node => (NODE_ADDRESS, NODE_PORT),
        }
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    pub(crate) fn ca(&self) -> &Path {
        &self.ca
    }

    pub(crate) fn admin(&self) -> &Pair {
        &self.admin
    }

    pub(crate) fn audit_log(&self) -> PathBuf {
        self.directory.join("audit.log")
    }

    pub(crate) fn etcd_socket(&self) -> PathBuf {
        self.directory.join("etcd.sock")
    }

    fn controllers_kubeconfig(&self) -> PathBuf {
        self.directory.join("controller-manager.kubeconfig")
    }

    fn audit_policy(&self) -> PathBuf {
        self.directory.join("audit-policy.yaml")
    }
}

/// `--name=value`, for values that need not be text.
pub(crate) fn flag(name: &str, value: impl AsRef<std::ffi::OsStr>) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value);
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_too_long_for_a_socket_is_refused_before_anything_is_written() {
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join("x".repeat(100));
        let error = Plane::prepare(&long, Reach::Loopback(1), AuditLevel::Metadata).unwrap_err();
        assert!(
            matches!(error, KubeError::PathTooLong { limit: 88, .. }),
            "{error}"
        );
        assert!(!long.exists());
    }

    #[test]
    fn nothing_listens_beyond_this_machine() {
        let root = tempfile::tempdir().unwrap();
        let plane = Plane::prepare(root.path(), Reach::Loopback(4321), AuditLevel::Metadata).unwrap();
        let all: Vec<String> = plane
            .parts()
            .iter()
            .flat_map(|part| &part.arguments)
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        for needed in [
            "--bind-address=127.0.0.1",
            "--secure-port=4321",
            "--secure-port=0",
        ] {
            assert!(all.iter().any(|argument| argument == needed), "{needed}");
        }
        for urls in all.iter().filter(|argument| argument.contains("-urls=")) {
            assert!(urls.contains("=unix:///"), "{urls}");
        }
    }
}
