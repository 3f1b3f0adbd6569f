//! Kubernetes for tests: the real API server and its controllers, and a node whose pods run, without Docker.
//!
//! [`ControlPlane`] is what the operator's tests use; it ends with the value. [`Node`] is what a person uses
//! (`cargo xtask cluster up`); its processes stay until [`Node::down`]. Whoever has a cluster needs neither:
//! [`existing`] finds its kubeconfig.
//!
//! Every part of a node is a process of this machine, its containers run by containerd and runc. What that cannot
//! show: network policies are stored and not enforced, there is one machine, and pods reach nothing outside of it.
//!
//! The first start on a machine builds Kubernetes ([`programs`]), which takes minutes and needs Go.

mod api;
mod audit;
mod command;
mod conform;
mod control_plane;
mod detached;
mod error;
mod firewall;
mod foreign;
mod host;
mod ingress;
mod install;
mod kubeconfig;
pub(crate) mod module;
mod network;
mod node;
mod openapi;
mod pause;
mod pki;
mod place;
mod plane;
mod ready;
mod schemas;
mod storage;
mod sweep;
mod wires;
mod worker;

pub use api::Api;
pub use audit::{AuditEvent, AuditLevel, AuditObject, AuditStatus, AuditTail, AuditUser};
pub use conform::{Conformer, Finding};
pub use control_plane::{ControlPlane, ControlPlaneBuilder};
pub use error::KubeError;
pub use foreign::Project;
pub use ingress::INGRESS_CLASS;
pub use install::{InstallError, Installer, Programs, VERSION, programs};
pub use kubeconfig::{CONTEXT, existing};
pub use network::NODE_ADDRESS;
pub use node::{Data, Extent, Node, NodeOptions, PartStatus, Status};
pub use openapi::{VERSIONS, openapi};
pub use schemas::Schemas;
pub use worker::{INGRESS_DOMAIN, NODE_NAME};
