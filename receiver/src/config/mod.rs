//! The receiver's configuration: from a file the operator writes, or by hand from the environment.
//!
//! Text becomes [`Config`] in one step at the start and every problem is reported at once ([`ConfigError`]).
//! Nothing behind that edge checks a setting again. A few settings follow the file while the receiver runs
//! ([`ReloadHandle`]).
//!
//! ```text
//! file.rs ─ the file's shape ─┐
//! env.rs ── the environment ──┴─ validate.rs ─ settings.rs (Config) ─ watch.rs ─ reload.rs (ReloadHandle)
//! ```

mod check;
mod env;
mod error;
mod file;
mod reload;
mod restart;
mod scalar;
mod server_url;
mod settings;
mod validate;
mod value;
mod watch;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

pub use env::{Env, with_env_file};
pub use error::{ConfigError, Problem};
pub use reload::{ReloadHandle, ReloadStatus, Reloadable};
pub use server_url::ServerUrl;
pub use settings::{
    Config, Deduplication, Http, Identity, Limits, Log, LogFormat, LogLevel, Nats, NatsAuth, NatsTls,
    Shutdown, Storage, Stream, TraceSettings,
};
pub use watch::ConfigWatcher;

use check::Checker;
pub(crate) use error::Fault;
use validate::Defaults;

use crate::secrets::{self, SecretSet};

/// With a file the receiver runs behind a Service, and its logs are read by machines.
const WITH_FILE: Defaults = Defaults {
    ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    log_format: LogFormat::Json,
    endpoint_lag: Duration::from_secs(5),
};

/// A configuration that can be used, and what was read beside it.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The secrets of the environment. Present exactly when `config.secrets_dir` is not set.
    pub env_secrets: Option<SecretSet>,
    /// Paths of the file's keys this version does not know. Log them; they harm nothing.
    pub unknown_keys: Vec<String>,
}

/// Reads everything that can be known at the start: the file if there is one, else the environment.
///
/// With a file the environment gives only secrets, and those only when the file names no `secretsDir`.
///
/// # Errors
/// Lists every problem of the file and of the environment.
pub fn load(file: Option<&Path>, env: &Env) -> Result<Loaded, ConfigError> {
    let mut check = Checker::default();
    let (config, unknown_keys) = match file {
        Some(path) => {
            let read = file::parse(&read_file(path)?)?;
            (
                validate::validate(read.settings, WITH_FILE, &mut check),
                read.unknown,
            )
        }
        None => (env::read(env, &mut check), Vec::new()),
    };
    let env_secrets = match config.secrets_dir {
        Some(_) => None,
        None => secrets::from_env(env, &config.nats.tls)
            .map_err(|problems| check.extend(problems))
            .ok(),
    };
    check.finish(Loaded {
        config,
        env_secrets,
        unknown_keys,
    })
}

/// Reads the text of a configuration file: the settings and the paths of unknown keys.
///
/// # Errors
/// Lists every problem of the file.
pub fn parse(text: &str) -> Result<(Config, Vec<String>), ConfigError> {
    let mut check = Checker::default();
    let read = file::parse(text)?;
    let config = validate::validate(read.settings, WITH_FILE, &mut check);
    check.finish((config, read.unknown))
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| {
        let problem = format!("cannot be read: {}", error.kind());
        let fault = Fault::new(
            problem,
            "Check the path given to --config and the file's permissions",
        );
        ConfigError::new(vec![Problem::new(path.display().to_string(), fault)])
    })
}
