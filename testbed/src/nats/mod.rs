//! A real NATS server of one exact version: found or installed, configured, started, broken on purpose, stopped.

mod builder;
mod cluster;
mod config;
mod credentials;
mod error;
mod install;
mod server;
mod tls;

pub use builder::NatsServerBuilder;
pub use cluster::NatsCluster;
pub use config::{Account, Login, Permissions, TlsOptions, User};
pub use credentials::{Operator, UserCredentials, nkey_user};
pub use error::NatsError;
pub use install::cache_directory;
pub use install::{Attempt, InstallError, Installer, VERSION, nats_server};
pub use server::NatsServer;
pub use tls::{KeyPairFiles, Pki};
