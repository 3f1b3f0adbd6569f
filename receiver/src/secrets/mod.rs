//! The receiver's secrets: read from a directory that Kubernetes mounts, or from the environment by hand.
//!
//! A secret is bytes that cannot be printed ([`Secret`]). A directory becomes a [`SecretSet`] in one step
//! ([`Load`]), and a [`SecretsWatcher`] follows it: a good change takes over, a bad one is reported and
//! leaves the last good set.
//!
//! ```text
//! files.rs (bytes) ─ load.rs (checks) ─ set.rs (SecretSet) ─ watch.rs (state) ─ handle.rs (SecretsHandle)
//! ```

mod env;
mod files;
mod handle;
mod load;
mod nats;
mod retired;
mod set;
pub(crate) mod settle;
mod value;
mod watch;

use std::time::Duration;

pub(crate) use env::from_env;
pub use files::SecretsSource;
pub use handle::{SecretsHandle, SecretsStatus};
pub use load::Load;
pub use nats::{NatsCredential, NatsSecrets};
pub use retired::{RETIRED_FOR, RETIRED_KEPT};
pub use set::SecretSet;
pub use settle::Digest;
pub use value::Secret;
pub use watch::SecretsWatcher;

/// How often the directory and the configuration file are looked at. A change takes over at the second look.
pub const POLL: Duration = Duration::from_millis(500);
