//! By hand, without a configuration file: the few settings of the environment. Listens on this machine only.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use super::check::Checker;
use super::error::{ConfigError, Fault, Problem};
use super::file::FileSettings;
use super::scalar::Raw;
use super::server_url::ServerUrl;
use super::settings::{Config, LogFormat};
use super::validate::{self, Defaults};
use super::value::number;

/// Environment variables by name. The process's own are read once, in `main`, so that nothing else depends on
/// them.
pub type Env = BTreeMap<String, String>;

const BY_HAND: Defaults = Defaults {
    ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
    log_format: LogFormat::Text,
    // No load balancer has to learn that a receiver started by hand goes away.
    endpoint_lag: Duration::ZERO,
};

/// The settings of `PORT`, `ADMIN_PORT` and `NATS_URL`; the rest is default. Problems go to `check`.
pub(super) fn read(env: &Env, check: &mut Checker) -> Config {
    let mut config = validate::validate(FileSettings::default(), BY_HAND, check);
    let port = || number(0..=u64::from(u16::MAX));
    // As a shell means it: a variable set to nothing is not set.
    let raw = |name: &str| {
        env.get(name)
            .filter(|value| !value.is_empty())
            .cloned()
            .map(Raw::Scalar)
    };

    config
        .http
        .listen
        .set_port(check.read("PORT", raw("PORT"), validate::PORT, port()));
    config.http.admin_listen.set_port(check.read(
        "ADMIN_PORT",
        raw("ADMIN_PORT"),
        validate::ADMIN_PORT,
        port(),
    ));
    if check.is_clean(&["PORT", "ADMIN_PORT"]) {
        validate::refuse_shared_port("ADMIN_PORT", config.http.listen, config.http.admin_listen, check);
    }
    let servers = |text: &str| text.split(',').map(|url| ServerUrl::parse(url.trim())).collect();
    config.nats.servers = check.read("NATS_URL", raw("NATS_URL"), config.nats.servers, servers);
    config
}

/// Adds the variables of an environment file to those of the process. The process's own win, as with every
/// tool that reads such files; of two lines with one name the first counts.
///
/// # Errors
/// When the file cannot be read or a line is not `NAME=value`. The message never repeats the line.
pub fn with_env_file(mut env: Env, file: &Path) -> Result<Env, ConfigError> {
    let refuse = |fault| ConfigError::new(vec![Problem::new(file.display().to_string(), fault)]);
    let lines = dotenvy::from_path_iter(file).map_err(|error| refuse(unreadable(&error)))?;
    let mut last_name = None;
    for line in lines {
        match line {
            Ok((name, value)) => {
                last_name = Some(name.clone());
                env.entry(name).or_insert(value);
            }
            Err(dotenvy::Error::LineParse(..)) => {
                let place = last_name.map_or("its first entry".to_owned(), |name| {
                    format!("the entry after {name}")
                });
                return Err(refuse(Fault::new(
                    format!("{place} is not NAME=value"),
                    "Put values with spaces, # or $ in single quotes",
                )));
            }
            Err(error) => return Err(refuse(unreadable(&error))),
        }
    }
    Ok(env)
}

fn unreadable(error: &dotenvy::Error) -> Fault {
    let reason = match error {
        dotenvy::Error::Io(error) => error.kind().to_string(),
        _ => "not a text file".to_owned(),
    };
    Fault::new(
        format!("cannot be read: {reason}"),
        "Check the path given to --env-file and its permissions",
    )
}
