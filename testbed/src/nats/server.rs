//! One nats-server process: configured, started, paused, killed, restarted, stopped.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions};
use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;

use super::builder::NatsServerBuilder;
use super::config::{Login, Settings};
use super::error::NatsError;
use super::tls::KeyPairFiles;
use crate::child::{self, OwnedChild};
use crate::log::{Log, Waited, lock};
use crate::port::ReservedPort;

const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A running nats-server. Dropping it kills the process and deletes its directory.
pub struct NatsServer {
    // Declared before the directory and so dropped before it: first the process, then its files.
    child: Mutex<Option<Arc<OwnedChild>>>,
    settings: Settings,
    start_limit: Duration,
    binary: PathBuf,
    config: PathBuf,
    port: ReservedPort,
    log: Log,
    _directory: tempfile::TempDir,
}

impl NatsServer {
    /// A server with JetStream in a temporary directory, on a free port, open to everyone on this machine.
    pub fn builder() -> NatsServerBuilder {
        NatsServerBuilder::default()
    }

    /// Starts a server with the defaults of [`NatsServer::builder`].
    ///
    /// # Errors
    /// As [`NatsServerBuilder::start`].
    pub async fn start() -> Result<Self, NatsError> {
        Self::builder().start().await
    }

    /// Where clients connect: `nats://127.0.0.1:<port>`, or `tls://` when it speaks TLS.
    pub fn url(&self) -> String {
        let scheme = if self.settings.tls.is_some() {
            "tls"
        } else {
            "nats"
        };
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// The client port. The same after a restart.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The process id, or `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        self.running().ok().map(|child| child.pid())
    }

    /// The server's name, when it was given one.
    pub fn name(&self) -> Option<&str> {
        self.settings.name.as_deref()
    }

    /// What it logged, over all its restarts.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Stops it in its own way (SIGTERM) and waits until it is gone.
    ///
    /// # Errors
    /// [`NatsError::Stopped`], or [`NatsError::Io`] when it had to be killed.
    pub async fn stop(&self) -> Result<(), NatsError> {
        let child = self.take()?;
        child
            .terminate(STOP_LIMIT)
            .await
            .map(drop)
            .map_err(NatsError::io("stop nats-server"))
    }

    /// Kills it (SIGKILL), as a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// [`NatsError::Stopped`].
    pub fn kill9(&self) -> Result<(), NatsError> {
        self.take()?.kill_now();
        Ok(())
    }

    /// Freezes it (SIGSTOP): connections stay open and nothing answers. Returns when every thread has stopped, where
    /// the system shows that (Linux).
    ///
    /// # Errors
    /// [`NatsError::Stopped`], or [`NatsError::Io`].
    pub fn pause(&self) -> Result<(), NatsError> {
        self.signal(Signal::SIGSTOP)?;
        if let Some(pid) = self.pid() {
            child::wait_until_frozen(pid);
        }
        Ok(())
    }

    /// Lets a paused server go on (SIGCONT).
    ///
    /// # Errors
    /// [`NatsError::Stopped`], or [`NatsError::Io`].
    pub fn resume(&self) -> Result<(), NatsError> {
        self.signal(Signal::SIGCONT)
    }

    /// Makes it send its clients away before it ends (SIGUSR2, "lame duck mode").
    ///
    /// # Errors
    /// [`NatsError::Stopped`], or [`NatsError::Io`].
    pub fn lame_duck(&self) -> Result<(), NatsError> {
        self.signal(Signal::SIGUSR2)
    }

    /// Starts it again on the same port and the same data; stops it first if it still runs.
    ///
    /// # Errors
    /// As [`NatsServerBuilder::start`].
    pub async fn restart(&self) -> Result<(), NatsError> {
        if self.pid().is_some() {
            self.stop().await?;
        }
        self.launch().await
    }

    /// A new client: with the first login the server knows and, under TLS, the server's authority.
    ///
    /// # Errors
    /// [`NatsError::Connect`] when the server does not let it in.
    pub async fn client(&self) -> Result<Client, NatsError> {
        self.client_with(self.settings.first_login(), None).await
    }

    /// A new client with this login and client certificate.
    ///
    /// # Errors
    /// [`NatsError::Connect`] when the server does not let it in.
    pub async fn client_with(
        &self,
        login: Option<&Login>,
        certificate: Option<&KeyPairFiles>,
    ) -> Result<Client, NatsError> {
        let mut options = self.client_options(login)?;
        if let Some(files) = certificate {
            options = options.add_client_certificate(files.certificate.clone(), files.key.clone());
        }
        Ok(options.connect(self.url()).await?)
    }

    /// The options such a client connects with, to change before connecting.
    ///
    /// # Errors
    /// [`NatsError::Io`] when the login cannot be read.
    pub fn client_options(&self, login: Option<&Login>) -> Result<ConnectOptions, NatsError> {
        let mut options = ConnectOptions::new();
        if let Some(login) = login {
            options = login.apply(options)?;
        }
        if let Some(tls) = &self.settings.tls {
            options = options.require_tls(true).add_root_certificates(tls.ca.clone());
            if tls.handshake_first {
                options = options.tls_first();
            }
        }
        Ok(options)
    }

    pub(super) fn first_login(&self) -> Option<&Login> {
        self.settings.first_login()
    }

    /// Writes the configuration and starts the process.
    pub(super) async fn create(
        settings: Settings,
        store: Option<PathBuf>,
        binary: PathBuf,
        start_limit: Duration,
    ) -> Result<Self, NatsError> {
        let directory = tempfile::tempdir().map_err(NatsError::io("make a directory for nats-server"))?;
        let port = ReservedPort::new().map_err(NatsError::io("find a free port"))?;
        let store = store.unwrap_or_else(|| directory.path().join("store"));
        let config = directory.path().join("nats.conf");
        let text = settings.render(port.number(), &store)?;
        fs::write(&config, text).map_err(NatsError::io("write nats.conf"))?;
        let server = Self {
            child: Mutex::default(),
            settings,
            start_limit,
            binary,
            config,
            port,
            log: Log::default(),
            _directory: directory,
        };
        server.launch().await?;
        Ok(server)
    }

    async fn launch(&self) -> Result<(), NatsError> {
        let deadline = Instant::now() + self.start_limit;
        let mark = self.log.len();
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.config);
        let child = OwnedChild::spawn(command, &self.log).map_err(NatsError::io("start nats-server"))?;
        let not_ready = |problem: String| NatsError::NotReady {
            problem,
            log_tail: self.log.tail(15),
        };
        match self
            .log
            .wait_for_after(mark, "Server is ready", self.start_limit)
            .await
        {
            Waited::Found => {}
            Waited::Closed => return Err(not_ready("ended while it started".to_owned())),
            Waited::TimedOut => {
                return Err(not_ready(format!("is not ready after {:?}", self.start_limit)));
            }
        }
        let greeting = tokio::time::timeout_at(deadline.into(), self.greeting()).await;
        match greeting {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(not_ready(format!("does not accept connections: {error}"))),
            Err(_) => return Err(not_ready("accepts connections but does not greet".to_owned())),
        }
        *lock(&self.child) = Some(Arc::new(child));
        Ok(())
    }

    /// Connects and reads the INFO line, the first thing a server says. With `handshake_first` it says nothing
    /// before TLS, and the connection alone must do.
    async fn greeting(&self) -> std::io::Result<()> {
        let stream = TcpStream::connect(self.port.address()).await?;
        if self.settings.tls.as_ref().is_some_and(|tls| tls.handshake_first) {
            return Ok(());
        }
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await?;
        if line.starts_with("INFO ") {
            Ok(())
        } else {
            Err(std::io::Error::other("no INFO line"))
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), NatsError> {
        self.running()?
            .signal(signal)
            .map_err(NatsError::io("signal nats-server"))
    }

    fn running(&self) -> Result<Arc<OwnedChild>, NatsError> {
        lock(&self.child).clone().ok_or(NatsError::Stopped)
    }

    fn take(&self) -> Result<Arc<OwnedChild>, NatsError> {
        lock(&self.child).take().ok_or(NatsError::Stopped)
    }
}
