//! Receivers to break, and how they are set up.

use std::fmt::Write as _;
use std::time::Duration;

use wahook_testbed::process::{ReceiverOptions, ReceiverProcess};

use crate::error::Result;
use crate::trial::Ground;

/// An app secret of the shape of Meta's.
pub const SECRET: &str = "7c1e5a90b2d34f86a1c0e9d8b7f6a5c4";
/// How long a receiver goes on serving after SIGTERM.
pub const ENDPOINT_LAG: Duration = Duration::from_secs(1);
/// The names of the webhook's subjects and of its stream begin with these.
const NAMESPACE: &str = "torture";

/// How receivers of one webhook are to be.
#[derive(Clone, Debug)]
pub struct Setup {
    webhook: String,
    servers: Vec<String>,
    stream: String,
    limits: String,
    sections: String,
    options: ReceiverOptions,
}

impl Setup {
    /// Receivers of `webhook` that make their stream themselves, on one of these servers.
    pub fn new(ground: &Ground, webhook: &str, servers: Vec<String>) -> Self {
        let mut options = ReceiverOptions::default()
            .file("secrets/app-secret-1", SECRET)
            .file("secrets/verify-token", "a-token-to-verify-with")
            .start_limit(Duration::from_secs(60));
        if let Some(binary) = &ground.receiver {
            options = options.binary(binary);
        }
        Self {
            webhook: webhook.to_owned(),
            servers,
            stream: format!("ensure: true, maxBytes: {}", ground.stream_bytes()),
            limits: format!("publishDeadline: {}ms", ground.deadline.as_millis()),
            sections: String::new(),
            options,
        }
    }

    /// Replaces the settings of `stream`.
    #[must_use]
    pub fn stream(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.stream);
        self
    }

    /// Adds to the settings of `limits`.
    #[must_use]
    pub fn limit(mut self, setting: &str) -> Self {
        let _ = write!(self.limits, ", {setting}");
        self
    }

    /// Adds a section of the configuration, as one line.
    #[must_use]
    pub fn section(mut self, line: &str) -> Self {
        let _ = writeln!(self.sections, "{line}");
        self
    }

    /// Sets an environment variable of the receivers.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.options = self.options.env(name, value);
        self
    }

    /// The stream's name.
    pub fn stream_name(&self) -> String {
        format!("whatsapp_{NAMESPACE}_{}", self.webhook)
    }

    /// All of the stream's subjects.
    pub fn subjects(&self) -> String {
        format!("whatsapp.{NAMESPACE}.{}.>", self.webhook)
    }

    /// Starts a receiver and waits until it is ready.
    ///
    /// # Errors
    /// The receiver's, when it does not get ready.
    pub async fn start(&self) -> Result<ReceiverProcess> {
        let Self {
            webhook,
            servers,
            stream,
            limits,
            sections,
            ..
        } = self;
        let (servers, lag) = (serde_json::json!(servers), ENDPOINT_LAG.as_millis());
        // Pinged each second, so that half-open connections are found in seconds and not in half a minute.
        let yaml = format!(
            "identity: {{namespace: {NAMESPACE}, webhook: {webhook}}}\n\
             http: {{listen: '127.0.0.1:{{port}}', adminListen: '127.0.0.1:{{admin_port}}'}}\n\
             secretsDir: '{{dir}}/secrets'\n\
             nats: {{servers: {servers}, pingInterval: 1s}}\n\
             stream: {{{stream}}}\n\
             limits: {{{limits}}}\n\
             shutdown: {{endpointLag: {lag}ms}}\n\
             {sections}"
        );
        let options = self.options.clone();
        let options = options
            .file("config.yaml", yaml)
            .arg("--config")
            .arg("{dir}/config.yaml");
        Ok(ReceiverProcess::start(options).await?)
    }
}
