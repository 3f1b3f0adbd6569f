//! What a node needs of the machine: Linux, root, and a few programs of its packages.
//!
//! runc and the network plugins are C and Go programs that every distribution ships; on Debian and Ubuntu they are
//! installed when they are missing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::command::run;
use super::error::KubeError;
use crate::child::find_program;

/// Where a distribution's programs are.
const SYSTEM_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin";
/// Where the network plugins are: Debian's place, Fedora's, and the one most others use.
const PLUGIN_PLACES: [&str; 3] = ["/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"];
/// The plugins that the node's network uses.
const PLUGINS: [&str; 2] = ["ptp", "host-local"];
/// The programs, and the packages they are in.
const PROGRAMS: [(&str, &str); 4] = [
    ("runc", "runc"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("umount", "mount"),
];
const PLUGIN_PACKAGE: &str = "containernetworking-plugins";

/// The programs of the machine that a node uses.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Starts containers.
    pub(crate) runc: PathBuf,
    /// Sets up network devices.
    pub(crate) ip: PathBuf,
    /// Shows and deletes rules.
    pub(crate) nft: PathBuf,
    /// Takes mounts away.
    pub(crate) umount: PathBuf,
    /// The directory of the network plugins.
    pub(crate) plugins: PathBuf,
}

impl Host {
    /// Finds everything; installs what is missing where it knows how.
    pub(crate) async fn find_or_install() -> Result<Self, KubeError> {
        if !cfg!(target_os = "linux") {
            return Err(KubeError::Host(
                "a node runs on Linux only; name a cluster of yours in KUBECONFIG (kind or k3d run anywhere)"
                    .to_owned(),
            ));
        }
        if !geteuid().is_root() {
            return Err(KubeError::Host(
                "a node needs root for containers and networks: run this as root (sudo -E), or name a \
                 cluster of yours in KUBECONFIG"
                    .to_owned(),
            ));
        }
        let missing = match Self::find() {
            Ok(host) => return Ok(host),
            Err(missing) => missing,
        };
        let help = |problem: &str| {
            KubeError::Host(format!(
                "{} {problem}; install them with your package manager (Debian: apt install {})",
                missing.join(", "),
                missing.join(" ")
            ))
        };
        let Some(apt) = find_program("apt-get", OsStr::new(SYSTEM_PATH)) else {
            return Err(help("are missing and there is no apt-get"));
        };
        eprintln!("node: installing {} with apt-get", missing.join(", "));
        let mut install = vec!["install", "--yes", "--no-install-recommends"];
        install.extend(missing.iter().copied());
        if run(&apt, &install).await.is_err() {
            // The lists of packages may be old or not there at all.
            run(&apt, &["update"]).await?;
            run(&apt, &install).await?;
        }
        Self::find().map_err(|_| help("are not where they should be after their installation"))
    }

    /// What is there, or the packages that are missing.
    pub(crate) fn find() -> Result<Self, Vec<&'static str>> {
        let [runc, ip, nft, umount] =
            PROGRAMS.map(|(program, _)| find_program(program, OsStr::new(SYSTEM_PATH)));
        let plugins = PLUGIN_PLACES.iter().map(Path::new).find(|place| {
            let place = place.as_os_str();
            PLUGINS.iter().all(|plugin| find_program(plugin, place).is_some())
        });
        if let (Some(runc), Some(ip), Some(nft), Some(umount), Some(plugins)) =
            (&runc, &ip, &nft, &umount, plugins)
        {
            return Ok(Self {
                runc: runc.clone(),
                ip: ip.clone(),
                nft: nft.clone(),
                umount: umount.clone(),
                plugins: plugins.to_owned(),
            });
        }
        let mut missing: Vec<_> = [runc, ip, nft, umount]
            .iter()
            .zip(PROGRAMS)
            .filter(|(found, _)| found.is_none())
            .map(|(_, (_, package))| package)
            .collect();
        if plugins.is_none() {
            missing.push(PLUGIN_PACKAGE);
        }
        Err(missing)
    }
}
