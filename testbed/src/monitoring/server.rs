//! What both programs have in common: a directory, a port, a process, and `/-/ready`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::MonitoringError;
use crate::child::OwnedChild;
use crate::log::Log;
use crate::port::ReservedPort;
use crate::tools::Tool;

/// The time a program has to get ready.
const START_LIMIT: Duration = Duration::from_secs(30);
/// The pause between two questions whether it is.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// The time one question may take.
const ASK_LIMIT: Duration = Duration::from_secs(20);

/// A running program. Dropping it kills the process and deletes its directory.
#[derive(Debug)]
pub(super) struct Server {
    // Dropped in this order: first the process, then its files.
    child: OwnedChild,
    name: &'static str,
    port: ReservedPort,
    pub(super) log: Log,
    pub(super) http: reqwest::Client,
    _directory: tempfile::TempDir,
}

impl Server {
    /// Writes the files and starts the program with its configuration in `config.yaml`.
    pub(super) async fn start(
        tool: &Tool,
        files: &[(String, String)],
        arguments: &[&str],
    ) -> Result<Self, MonitoringError> {
        let tool = *tool;
        // A build blocks, for minutes the first time.
        let binary = tokio::task::spawn_blocking(move || tool.find_or_install())
            .await
            .map_err(|error| MonitoringError::io("install")(std::io::Error::other(error)))??;
        let directory = tempfile::tempdir().map_err(MonitoringError::io("make a directory"))?;
        for (name, text) in files {
            fs::write(directory.path().join(name), text).map_err(MonitoringError::io("write a file"))?;
        }
        let port = ReservedPort::new().map_err(MonitoringError::io("find a free port"))?;
        let command = command(&binary, directory.path(), &port, arguments);
        let log = Log::default();
        let child = OwnedChild::spawn(command, &log).map_err(MonitoringError::io("start the program"))?;
        let server = Self {
            child,
            name: tool.name,
            port,
            log,
            http: http()?,
            _directory: directory,
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    pub(super) fn address(&self) -> String {
        self.port.address().to_string()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    async fn wait_until_ready(&self) -> Result<(), MonitoringError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let answer = self.http.get(self.url("/-/ready")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            let problem = match self.child.exit_status() {
                Some(status) => {
                    self.log.wait_until_closed(Duration::from_secs(1)).await;
                    format!("ended while it started ({status})")
                }
                None if Instant::now() >= deadline => format!("is not ready after {START_LIMIT:?}"),
                None => {
                    tokio::time::sleep(ASK_EVERY).await;
                    continue;
                }
            };
            return Err(MonitoringError::NotReady {
                name: self.name,
                problem,
                log_tail: self.log.tail(20),
            });
        }
    }
}

fn command(binary: &Path, directory: &Path, port: &ReservedPort, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(directory)
        .arg("--config.file=config.yaml")
        .arg(format!("--web.listen-address={}", port.address()))
        .args(arguments);
    command
}

fn http() -> Result<reqwest::Client, MonitoringError> {
    // The client is built with TLS, which asks for a provider; an installed one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Everything is on loopback: no proxy of the environment has a say.
    Ok(reqwest::Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .timeout(ASK_LIMIT)
        .build()?)
}
