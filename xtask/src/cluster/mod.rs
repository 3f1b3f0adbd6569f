//! `cargo xtask cluster`: a Kubernetes node on this machine, without Docker, or the cluster that the user has.

mod choice;
mod show;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use wahook_testbed::kube::{Data, Extent, KubeError, Node, NodeOptions};

pub(crate) use self::choice::{Choice, ChoiceError, Cluster, default_directory};

/// Arguments of `cargo xtask cluster`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    command: ClusterCommand,

    /// Where the cluster lives; `<cache>/cluster` unless told otherwise
    #[arg(long, global = true, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,

    /// Which cluster: `own` is made here, `existing` is the one of KUBECONFIG; `auto` takes the existing one if
    /// KUBECONFIG is set
    #[arg(long, global = true, value_enum, default_value_t = Choice::Auto)]
    cluster: Choice,
}

const AFTER_HELP: &str = "\
A cluster with pods that run, and an ingress proxy, in one go (Linux, as root):
  cargo xtask cluster up
  export KUBECONFIG=...        the last line that `up` prints
  kubectl get nodes            kubectl itself is beside the kubeconfig, in bin/

Images come from archives; there is no registry:
  cargo xtask image
  cargo xtask cluster load target/image/wahook-receiver.tar target/image/wahook-operator.tar

Whoever has a cluster (kind, k3d, anything) sets KUBECONFIG, and nothing is started.

The ingress proxy is at 10.254.0.1, ports 80 and 443; inside the cluster every host below example.com leads there.
Everything is built once, into ~/.cache/wahook (or WAHOOK_CACHE): half an hour the first time, half a minute later.
Network policies are stored and not enforced; pods reach nothing outside of this machine.";

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    /// Start what does not run yet; the last line is the `export KUBECONFIG=...` to copy
    Up {
        /// Without the ingress proxy
        #[arg(long)]
        no_ingress: bool,
        /// Only the API server and the controllers: pods stay pending, and it needs no root
        #[arg(long, conflicts_with = "no_ingress")]
        control_plane: bool,
    },
    /// Stop the cluster and delete it with all its data, containers, mounts, network and rules
    Down {
        /// Keep objects, images and disks for the next `up`
        #[arg(long)]
        keep: bool,
    },
    /// Show each part, its process and its log
    Status,
    /// Import OCI archives, so that pods can use the images in them
    Load {
        /// The archives, as `cargo xtask image` writes them
        #[arg(required = true, value_name = "IMAGE.tar")]
        archives: Vec<PathBuf>,
    },
}

/// The cluster could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    /// It did not start, stop or take something.
    #[error(transparent)]
    Kube(#[from] KubeError),
    /// There is none to use.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The runtime.
    #[error("cannot start: {0}. Check the process's limits")]
    Runtime(#[from] io::Error),
    /// Images go into a user's cluster by that cluster's tool.
    #[error(
        "the images of a cluster of yours are loaded with its own tool: `kind load image-archive FILE`, `k3d image import \
         FILE`, `minikube image load FILE`. (--cluster own means the one made here)"
    )]
    LoadIntoExisting,
}

/// Does what the subcommand says.
pub(crate) fn run(args: &ClusterArgs) -> Result<ExitCode, ClusterError> {
    let directory = match &args.directory {
        Some(directory) => directory.clone(),
        None => default_directory()?,
    };
    let cluster = args.cluster.cluster(&directory)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match (&args.command, cluster) {
            (ClusterCommand::Load { .. }, Cluster::Existing(_)) => Err(ClusterError::LoadIntoExisting),
            (_, Cluster::Existing(kubeconfig)) => {
                println!("KUBECONFIG names a cluster of yours; nothing is started or stopped.");
                println!("--cluster own means the one made here.");
                show::export(&kubeconfig);
                Ok(ExitCode::SUCCESS)
            }
            (
                ClusterCommand::Up {
                    no_ingress,
                    control_plane,
                },
                Cluster::Own(directory),
            ) => {
                let options = NodeOptions {
                    extent: match (control_plane, no_ingress) {
                        (true, _) => Extent::ControlPlane,
                        (false, true) => Extent::Node,
                        (false, false) => Extent::Ingress,
                    },
                    progress: |what| eprintln!("cluster: {what}"),
                    ..NodeOptions::default()
                };
                let node = Node::up(&directory, options).await?;
                show::started(&node, &directory)?;
                Ok(ExitCode::SUCCESS)
            }
            (ClusterCommand::Down { keep }, Cluster::Own(directory)) => {
                let data = if *keep { Data::Keep } else { Data::Delete };
                Node::down(&directory, data).await?;
                println!("The cluster in {} is down.", directory.display());
                Ok(ExitCode::SUCCESS)
            }
            (ClusterCommand::Status, Cluster::Own(directory)) => {
                let status = Node::status(&directory).await?;
                Ok(show::status(status.as_ref(), &directory))
            }
            (ClusterCommand::Load { archives }, Cluster::Own(directory)) => {
                for archive in archives {
                    for name in Node::load(&directory, archive).await? {
                        println!("{name}");
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}
