//! How a nats-server is to be: the options, one method each, and the start.

use std::path::PathBuf;
use std::time::Duration;

use super::config::{Account, ClusterSeat, JetStream, Settings, TlsOptions, User};
use super::credentials::Operator;
use super::error::NatsError;
use super::install::nats_server;
use super::server::NatsServer;

/// How a [`NatsServer`] is to be.
#[derive(Clone)]
pub struct NatsServerBuilder {
    settings: Settings,
    store: Option<PathBuf>,
    binary: Option<PathBuf>,
    start_limit: Duration,
}

impl Default for NatsServerBuilder {
    fn default() -> Self {
        let settings = Settings {
            jetstream: Some(JetStream::default()),
            ..Settings::default()
        };
        Self {
            settings,
            store: None,
            binary: None,
            start_limit: Duration::from_secs(15),
        }
    }
}

impl NatsServerBuilder {
    /// The server's name (`server_name`).
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.settings.name = Some(name.to_owned());
        self
    }

    /// Without JetStream.
    #[must_use]
    pub fn without_jetstream(mut self) -> Self {
        self.settings.jetstream = None;
        self
    }

    /// Keeps JetStream's data in this directory, which outlives the server. Default: a temporary one.
    #[must_use]
    pub fn store(mut self, directory: impl Into<PathBuf>) -> Self {
        self.store = Some(directory.into());
        self
    }

    /// JetStream's domain.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.jetstream().domain = Some(domain.to_owned());
        self
    }

    /// How often JetStream syncs to disk: a duration such as `1s`, or `always`.
    #[must_use]
    pub fn sync_interval(mut self, interval: &str) -> Self {
        self.jetstream().sync_interval = Some(interval.to_owned());
        self
    }

    /// The bytes JetStream may store on disk, for "out of storage" tests.
    #[must_use]
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.jetstream().max_file_bytes = Some(bytes);
        self
    }

    /// Adds a user of the default account. From the first user on, nobody gets in without a login.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.settings.users.push(user);
        self
    }

    /// Adds an account. The server takes accounts or plain users, not both.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.settings.accounts.push(account);
        self
    }

    /// Trusts an operator: users then log in with its credentials.
    #[must_use]
    pub fn operator(mut self, operator: &Operator) -> Self {
        self.settings.operator = Some(operator.clone());
        self
    }

    /// Speaks TLS.
    #[must_use]
    pub fn tls(mut self, tls: TlsOptions) -> Self {
        self.settings.tls = Some(tls);
        self
    }

    /// The largest message in bytes (`max_payload`; the server's default is 1 MiB).
    #[must_use]
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.settings.max_payload = Some(bytes);
        self
    }

    /// Appends lines to the configuration file as they are.
    #[must_use]
    pub fn raw(mut self, lines: &str) -> Self {
        self.settings.raw.push_str(lines);
        self.settings.raw.push('\n');
        self
    }

    /// Uses this program instead of the one found or installed.
    #[must_use]
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary = Some(path.into());
        self
    }

    /// The time the server has to accept connections. Default: 15 s.
    #[must_use]
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.start_limit = limit;
        self
    }

    pub(super) fn seat(mut self, listen: u16, routes: Vec<u16>) -> Self {
        self.settings.cluster = Some(ClusterSeat { listen, routes });
        self
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// # Errors
    /// [`NatsError`]: no server to be had, or it did not come up; then with the end of its log.
    pub async fn start(self) -> Result<NatsServer, NatsError> {
        let binary = match self.binary {
            Some(path) => path,
            None => tokio::task::spawn_blocking(nats_server)
                .await
                .map_err(|error| NatsError::Io {
                    doing: "find nats-server",
                    source: error.into(),
                })??,
        };
        NatsServer::create(self.settings, self.store, binary, self.start_limit).await
    }

    fn jetstream(&mut self) -> &mut JetStream {
        self.settings.jetstream.get_or_insert_default()
    }
}
