//! What makes a node of a control plane: the files and the command line of each further part.
//!
//! scheduler, containerd, name server, kubelet and service proxy, each a plain process on the node's network.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::KubeError;
use super::host::Host;
use super::install::Programs;
use super::kubeconfig::{CONTEXT, Login};
use super::network::{self, NODE_ADDRESS, POD_RANGE, STATE};
use super::pause;
use super::pki::{Authority, Subject, write_once};
use super::plane::{Part, Plane, flag};
use crate::tools::{CONTAINERD, CONTAINERD_SHIM, COREDNS, CTR};

/// The node's name.
pub const NODE_NAME: &str = "wahook-node";
/// The domain whose hosts the name server leads to the node, where the ingress proxy is (RFC 2606: nobody's).
pub const INGRESS_DOMAIN: &str = "example.com";
/// Where the name server says that it is ready.
pub(crate) const DNS_READY: u16 = 8181;
/// Where the service proxy says that its rules are in place.
pub(crate) const PROXY_READY: u16 = 10256;
/// How long a Secret may take into a pod: a minute by default, too long for tests that rotate one.
const SYNC_EVERY: &str = "10s";

/// A node's programs, found or built.
#[derive(Clone, Debug)]
pub(crate) struct WorkerPrograms {
    pub(crate) host: Host,
    pub(crate) ctr: PathBuf,
    containerd: PathBuf,
    shim: PathBuf,
    coredns: PathBuf,
}

/// A program and how it is started.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) program: PathBuf,
    pub(crate) part: Part,
}

/// A node's files, written, next to those of its control plane.
#[derive(Debug)]
pub(crate) struct Worker<'a> {
    directory: &'a Path,
    programs: &'a WorkerPrograms,
}

impl WorkerPrograms {
    /// Finds or builds everything. Blocks; the first time for minutes.
    pub(crate) fn find_or_install(host: Host) -> Result<Self, KubeError> {
        Ok(Self {
            host,
            containerd: CONTAINERD.find_or_install()?,
            shim: CONTAINERD_SHIM.find_or_install()?,
            ctr: CTR.find_or_install()?,
            coredns: COREDNS.find_or_install()?,
        })
    }
}

/// containerd's socket.
pub(crate) fn containerd_socket() -> PathBuf {
    Path::new(STATE).join("containerd.sock")
}

impl<'a> Worker<'a> {
    /// Writes every file that must be there before a part starts.
    pub(crate) fn prepare(plane: &'a Plane, programs: &'a WorkerPrograms) -> Result<Self, KubeError> {
        let worker = Self {
            directory: plane.directory(),
            programs,
        };
        for directory in ["config/network", "kubelet", "containerd", "volumes"] {
            let path = worker.directory.join(directory);
            // The kubelet's and containerd's directories lead to mounts that pods see with other users' eyes.
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(&path)
                .map_err(KubeError::io(format!("make {}", path.display())))?;
        }
        let authority = Authority::open(&worker.directory.join("pki"))?;
        let node = format!("system:node:{NODE_NAME}");
        let logins = [
            ("kube-scheduler", "system:kube-scheduler", None),
            ("kubelet", node.as_str(), Some("system:nodes")),
            ("kube-proxy", "system:kube-proxy", None),
        ];
        for (name, user, group) in logins {
            let login = authority.client(name, Subject { user, group })?;
            let text = plane.kubeconfig_for(&Login::Certificate(&login))?;
            write_once(&worker.kubeconfig(name), &text)?;
        }
        worker.write("containerd.toml", &worker.containerd_configuration())?;
        worker.write(
            "network/10-testbed.conflist",
            &network::plugin_configuration().to_string(),
        )?;
        worker.write(
            "kubelet.yaml",
            &worker.kubelet_configuration(plane.ca()).to_string(),
        )?;
        worker.write("kube-proxy.yaml", &worker.proxy_configuration().to_string())?;
        worker.write("Corefile", &corefile(&plane.kubeconfig()))?;
        Ok(worker)
    }

    /// The parts in the order in which they start.
    pub(crate) fn parts(&self, kubernetes: &Programs) -> [Started; 5] {
        let of_kubernetes = |name, arguments| Started {
            program: kubernetes.path(name),
            part: part(name, arguments),
        };
        let scheduler = self.kubeconfig("kube-scheduler");
        [
            of_kubernetes(
                "kube-scheduler",
                vec![
                    flag("kubeconfig", &scheduler),
                    flag("authentication-kubeconfig", &scheduler),
                    flag("authorization-kubeconfig", &scheduler),
                    // Alone, it needs no election, and nobody asks it anything.
                    flag("leader-elect", "false"),
                    flag("secure-port", "0"),
                    flag("profiling", "false"),
                ],
            ),
            Started {
                program: self.programs.containerd.clone(),
                part: part("containerd", vec![flag("config", self.file("containerd.toml"))]),
            },
            Started {
                program: self.programs.coredns.clone(),
                part: part("coredns", vec!["-conf".into(), self.file("Corefile").into()]),
            },
            of_kubernetes(
                "kubelet",
                vec![
                    flag("config", self.file("kubelet.yaml")),
                    flag("kubeconfig", self.kubeconfig("kubelet")),
                    flag("root-dir", self.directory.join("kubelet")),
                    flag("cert-dir", self.directory.join("kubelet/pki")),
                    flag("hostname-override", NODE_NAME),
                    flag("node-ip", NODE_ADDRESS.to_string()),
                ],
            ),
            of_kubernetes("kube-proxy", vec![flag("config", self.file("kube-proxy.yaml"))]),
        ]
    }

    fn containerd_configuration(&self) -> String {
        let quoted = |path: &Path| Value::from(path.to_string_lossy()).to_string();
        let state = Path::new(STATE);
        // TOML's basic strings are JSON's.
        format!(
            "version = 3\n\
             root = {root}\n\
             state = {state}\n\
             imports = []\n\
             disabled_plugins = ['io.containerd.nri.v1.nri']\n\
             [grpc]\n\
             address = {socket}\n\
             [plugins.'io.containerd.internal.v1.opt']\n\
             path = {opt}\n\
             [plugins.'io.containerd.shim.v1.manager']\n\
             socket_dir = {shims}\n\
             [plugins.'io.containerd.cri.v1.images'.pinned_images]\n\
             sandbox = '{pause}'\n\
             [plugins.'io.containerd.cri.v1.runtime']\n\
             # Without CAP_SYS_RESOURCE no process may be made less likely to be killed than its parent is.\n\
             restrict_oom_score_adj = true\n\
             netns_mounts_under_state_dir = true\n\
             [plugins.'io.containerd.cri.v1.runtime'.cni]\n\
             bin_dirs = [{plugins}]\n\
             conf_dir = {network}\n\
             use_internal_loopback = true\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\n\
             runtime_type = 'io.containerd.runc.v2'\n\
             runtime_path = {shim}\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n\
             BinaryName = {runc}\n\
             Root = {runs}\n\
             SystemdCgroup = false\n",
            root = quoted(&self.directory.join("containerd")),
            state = quoted(&state.join("containerd")),
            socket = quoted(&containerd_socket()),
            opt = quoted(&self.directory.join("containerd/opt")),
            shims = quoted(&state.join("s")),
            pause = pause::NAME,
            plugins = quoted(&self.programs.host.plugins),
            network = quoted(&self.file("network")),
            shim = quoted(&self.programs.shim),
            runc = quoted(&self.programs.host.runc),
            runs = quoted(&state.join("runc")),
        )
    }

    fn kubelet_configuration(&self, ca: &Path) -> Value {
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": NODE_ADDRESS,
            "healthzPort": 0,
            "authentication": {
                "anonymous": { "enabled": false },
                "webhook": { "enabled": true },
                "x509": { "clientCAFile": ca },
            },
            "authorization": { "mode": "Webhook" },
            "containerRuntimeEndpoint": format!("unix://{}", containerd_socket().display()),
            "podLogsDir": self.directory.join("pod-logs"),
            "volumePluginDir": self.directory.join("kubelet/volume-plugins"),
            // Old machines have control groups of the first kind, and swap.
            "failCgroupV1": false,
            "failSwapOn": false,
            "cgroupDriver": "cgroupfs",
            "enforceNodeAllocatable": ["none"],
            // The name server alone, nothing of the machine's resolv.conf.
            "clusterDNS": [NODE_ADDRESS],
            "clusterDomain": "cluster.local",
            "resolvConf": "",
            "evictionHard": { "memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
            // The proxy's rules are nftables' alone.
            "makeIPTablesUtilChains": false,
            // Images are imported once; nothing could fetch them again.
            "imageGCHighThresholdPercent": 100,
            "syncFrequency": SYNC_EVERY,
        })
    }

    fn proxy_configuration(&self) -> Value {
        json!({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": { "kubeconfig": self.kubeconfig("kube-proxy") },
            "mode": "nftables",
            "clusterCIDR": POD_RANGE,
            "hostnameOverride": NODE_NAME,
            "healthzBindAddress": format!("{NODE_ADDRESS}:{PROXY_READY}"),
            "metricsBindAddress": format!("{NODE_ADDRESS}:10249"),
            "nodePortAddresses": [format!("{NODE_ADDRESS}/32")],
            // The machine's own settings stay.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        })
    }

    fn kubeconfig(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.kubeconfig"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join("config").join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), KubeError> {
        write_once(&self.file(name), text)
    }
}

fn part(name: &'static str, arguments: Vec<std::ffi::OsString>) -> Part {
    Part {
        name,
        arguments,
        environment: Vec::new(),
    }
}

/// Names of the cluster, hosts of the ingress proxy, and nothing else: no question leaves the machine.
fn corefile(kubeconfig: &Path) -> String {
    let kubeconfig = Value::from(kubeconfig.to_string_lossy());
    // A block for each: within one, `template` would answer before `kubernetes` is asked.
    format!(
        "cluster.local:53 in-addr.arpa:53 {{\n    \
         bind {NODE_ADDRESS}\n    \
         errors\n    \
         ready {NODE_ADDRESS}:{DNS_READY}\n    \
         kubernetes cluster.local in-addr.arpa {{\n        \
         kubeconfig {kubeconfig} {CONTEXT}\n        \
         pods insecure\n        \
         ttl 5\n    \
         }}\n\
         }}\n\
         {INGRESS_DOMAIN}:53 {{\n    \
         bind {NODE_ADDRESS}\n    \
         template IN A {{\n        \
         answer \"{{{{ .Name }}}} 60 IN A {NODE_ADDRESS}\"\n    \
         }}\n    \
         template IN ANY {{\n        \
         rcode NOERROR\n    \
         }}\n\
         }}\n\
         .:53 {{\n    \
         bind {NODE_ADDRESS}\n    \
         template IN ANY {{\n        \
         rcode NXDOMAIN\n    \
         }}\n\
         }}\n"
    )
}
