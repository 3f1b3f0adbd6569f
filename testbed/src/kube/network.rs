//! The node's network: one address of its own, and a wire from it to every pod.
//!
//! Everything is routed by the machine and nothing leaves it: pods have routes to each other and to Services and no
//! others. The device that carries the node's address is there before the first pod, so that the API server, the name
//! server and the proxy can listen on it. There is one such network, and so one node, on a machine.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::command::run;
use super::error::KubeError;
use super::host::Host;
use super::plane::SERVICE_RANGE;
use super::worker::containerd_socket;
use super::{firewall, sweep, wires};

/// The node's address: the API server, the name server and the ingress proxy are there.
pub const NODE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 254, 0, 1);
/// The addresses of pods.
pub(crate) const POD_RANGE: &str = "10.254.0.0/24";
/// What holds the addresses of pods and of Services, and nothing else on the machine may use.
pub(crate) const WHOLE_RANGE: &str = "10.254.0.0/16";
/// Pods begin here; what is below stays free for the node.
const FIRST_POD: &str = "10.254.0.10";
/// The device with the node's address. A bridge without ports: every kernel has one, and it is up without a peer.
pub(crate) const DEVICE: &str = "wahook0";
/// What the network is called in the files of the network plugins, and in a firewall's.
pub(crate) const NAME: &str = "wahook-testbed";
/// Where everything is that must not outlive the machine's run: sockets, network namespaces, leases of addresses. A
/// short path, since it holds sockets.
pub(crate) const STATE: &str = "/run/wahook-testbed";
/// Where the plugins note what they did, whatever they are told.
const PLUGIN_RESULTS: &str = "/var/lib/cni/results";
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// Whose the network is.
#[derive(Debug, PartialEq, Eq)]
struct Owner {
    /// The cluster's directory.
    directory: PathBuf,
    /// What the machine did with foreign packets before.
    forwarding: String,
}

/// Makes the network for the cluster in `directory`, or finds it as it should be.
pub(crate) async fn up(host: &Host, directory: &Path) -> Result<(), KubeError> {
    match owner()? {
        Some(owner) if owner.directory == directory => {}
        Some(owner) if owner.directory.join("cluster.json").exists() => {
            return Err(KubeError::OtherNode {
                directory: owner.directory,
            });
        }
        Some(orphan) => {
            take_away(host, &orphan).await?;
            begin(host, directory).await?;
        }
        None => begin(host, directory).await?,
    }
    fs::write(FORWARDING, "1").map_err(KubeError::io("let packets through to pods"))?;
    firewall::open(host).await?;
    if run(&host.ip, &["link", "show", "dev", DEVICE]).await.is_err() {
        run(&host.ip, &["link", "add", "name", DEVICE, "type", "bridge"]).await?;
    }
    let address = format!("{NODE_ADDRESS}/32");
    run(&host.ip, &["address", "replace", &address, "dev", DEVICE]).await?;
    run(&host.ip, &["link", "set", "dev", DEVICE, "up"]).await?;
    Ok(())
}

/// Makes sure that the machine has room for the network, and notes whose it is.
async fn begin(host: &Host, directory: &Path) -> Result<(), KubeError> {
    if run(&host.nft, &["list", "table", "ip", "kube-proxy"])
        .await
        .is_ok()
    {
        return Err(KubeError::Host(
            "this machine is a Kubernetes node already; name its kubeconfig in KUBECONFIG".to_owned(),
        ));
    }
    wires::expect_none(host).await?;
    let forwarding =
        fs::read_to_string(FORWARDING).map_err(KubeError::io("read the setting of forwarding"))?;
    remember(&Owner {
        directory: directory.to_owned(),
        forwarding: forwarding.trim().to_owned(),
    })
}

/// Takes away what is left of a node whose directory was deleted, so that nobody can take it down any more.
async fn take_away(host: &Host, orphan: &Owner) -> Result<(), KubeError> {
    if UnixStream::connect(containerd_socket()).is_ok() {
        return Err(KubeError::Host(format!(
            "a node runs on this machine though its directory {} was deleted; end its processes by hand              (their command lines name that directory) and start again",
            orphan.directory.display()
        )));
    }
    sweep::containers().await?;
    sweep::traces(host, &orphan.directory, true).await?;
    down(host, &orphan.directory).await
}

/// Takes the network away if it belongs to `directory`. Pods must be gone.
pub(crate) async fn down(host: &Host, directory: &Path) -> Result<(), KubeError> {
    let Some(owner) = owner()?.filter(|owner| owner.directory == directory) else {
        return Ok(());
    };
    for family in ["ip", "ip6"] {
        if run(&host.nft, &["list", "table", family, "kube-proxy"])
            .await
            .is_ok()
        {
            run(&host.nft, &["delete", "table", family, "kube-proxy"]).await?;
        }
    }
    wires::take_away(host).await?;
    firewall::close(host).await?;
    if run(&host.ip, &["link", "show", "dev", DEVICE]).await.is_ok() {
        run(&host.ip, &["link", "delete", "dev", DEVICE]).await?;
    }
    fs::write(FORWARDING, &owner.forwarding).map_err(KubeError::io("restore the setting of forwarding"))?;
    forget_results().map_err(KubeError::io(format!("tidy {PLUGIN_RESULTS}")))?;
    match fs::remove_dir_all(STATE) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(KubeError::io(format!("delete {STATE}"))(error))
        }
        _ => Ok(()),
    }
}

/// Whether the network belongs to the cluster in `directory`.
pub(crate) fn belongs_to(directory: &Path) -> Result<bool, KubeError> {
    Ok(owner()?.is_some_and(|owner| owner.directory == directory))
}

/// What the network plugins are told.
pub(crate) fn plugin_configuration() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": NAME,
        "plugins": [{
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "dataDir": format!("{STATE}/ipam"),
                "ranges": [[{ "subnet": POD_RANGE, "rangeStart": FIRST_POD, "gateway": NODE_ADDRESS }]],
                "routes": [{ "dst": SERVICE_RANGE }],
            },
        }],
    })
}

fn owner_file() -> PathBuf {
    Path::new(STATE).join("owner")
}

fn owner() -> Result<Option<Owner>, KubeError> {
    match fs::read_to_string(owner_file()) {
        Ok(text) => Ok(text.split_once('\n').map(|(forwarding, directory)| Owner {
            directory: directory.trim_end_matches('\n').into(),
            forwarding: forwarding.to_owned(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KubeError::io("read whose the network is")(error)),
    }
}

fn remember(owner: &Owner) -> Result<(), KubeError> {
    let text = format!("{}\n{}\n", owner.forwarding, owner.directory.display());
    super::pki::write_once(&owner_file(), &text)
}

/// Deletes the notes of our network, and the directories if they were the only ones.
fn forget_results() -> io::Result<()> {
    let entries = match fs::read_dir(PLUGIN_RESULTS) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with(&format!("{NAME}-"))
        {
            fs::remove_file(entry.path())?;
        }
    }
    // Refused while something of others is in them.
    let _ = fs::remove_dir(PLUGIN_RESULTS).and_then(|()| fs::remove_dir("/var/lib/cni"));
    Ok(())
}
