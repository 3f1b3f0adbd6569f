//! How a receiver is to be started: arguments, environment, files, and when it counts as started.

use std::path::PathBuf;
use std::time::Duration;

/// When a started receiver counts as started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadyWhen {
    /// `/readyz` on the admin port says 200.
    Ready,
    /// `/livez` on the admin port says 200: for tests of a receiver that lacks something.
    Live,
    /// This text is in its output.
    Logged(String),
    /// At once; for tests of a start that fails.
    Spawned,
}

/// How a receiver is to be started.
///
/// Its environment holds nothing but what is set here. In arguments, environment values and `.yaml` files,
/// `{port}`, `{admin_port}` and `{dir}` stand for the ports reserved for it and for its own directory.
#[derive(Clone, Debug)]
pub struct ReceiverOptions {
    pub(super) binary: Option<PathBuf>,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) ready_when: ReadyWhen,
    pub(super) start_limit: Duration,
}

impl Default for ReceiverOptions {
    fn default() -> Self {
        Self {
            binary: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            files: Vec::new(),
            ready_when: ReadyWhen::Ready,
            start_limit: Duration::from_secs(20),
        }
    }
}

impl ReceiverOptions {
    /// Configured by environment variables alone, as a person does by hand.
    pub fn by_hand(app_secret: &str, verify_token: &str, nats_url: &str) -> Self {
        Self::default()
            .env("PORT", "{port}")
            .env("ADMIN_PORT", "{admin_port}")
            .env("WHATSAPP_APP_SECRET", app_secret)
            .env("WEBHOOK_VERIFY_TOKEN", verify_token)
            .env("NATS_URL", nats_url)
    }

    /// Configured by a YAML file, as the operator does: written to `{dir}/config.yaml` and given with `--config`.
    pub fn from_yaml(yaml: &str) -> Self {
        Self::default()
            .file("config.yaml", yaml)
            .arg("--config")
            .arg("{dir}/config.yaml")
    }

    /// Starts this program.
    #[must_use]
    pub fn binary(mut self, path: impl Into<PathBuf>) -> Self {
        self.binary = Some(path.into());
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file, such as `secrets/app-secret-1`, below the receiver's directory before it starts.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// When it counts as started. Default: [`ReadyWhen::Ready`].
    #[must_use]
    pub fn ready_when(mut self, ready_when: ReadyWhen) -> Self {
        self.ready_when = ready_when;
        self
    }

    /// The time it has for that. Default: 20 s.
    #[must_use]
    pub fn start_limit(mut self, limit: Duration) -> Self {
        self.start_limit = limit;
        self
    }
}
