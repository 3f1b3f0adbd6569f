//! Kubernetes for tests: the real API server and its controllers, without Docker and without a node.
//!
//! [`ControlPlane`] is what the operator's tests use; it ends with the value. [`Node`] is what a person uses
//! (`cargo xtask cluster up`); its processes stay until [`Node::down`]. Whoever has a cluster needs neither:
//! [`existing`] finds its kubeconfig.
//!
//! The first start on a machine builds Kubernetes ([`programs`]), which takes minutes and needs Go.

mod api;
mod audit;
mod control_plane;
mod detached;
mod error;
mod foreign;
mod install;
mod kubeconfig;
mod node;
mod pki;
mod plane;
mod ready;

pub use api::Api;
pub use audit::{AuditEvent, AuditLevel, AuditObject, AuditStatus, AuditUser};
pub use control_plane::{ControlPlane, ControlPlaneBuilder};
pub use error::KubeError;
pub use foreign::Project;
pub use install::{InstallError, Installer, Programs, VERSION, programs};
pub use kubeconfig::{CONTEXT, existing};
pub use node::{Data, Node, NodeOptions, PartStatus, Status};
