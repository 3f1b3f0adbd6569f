//! The operator's own broker: one connection, made when it is first needed and remade for ever, and the state of it.

use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::Duration;

use async_nats::{ConnectErrorKind, ServerAddr};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};
use wahook_crds::conditions::Reason;
use wahook_stream::connect::{chain, pause};

use super::api::Api;
use super::connection::Connection;
use super::files::LoginFiles;
use super::keeper::{Claims, Keeper};
use super::login::{Login, LoginError, servers};
use super::owner::StreamOwner;
use super::report::StreamReport;
use super::silence::Silence;
use crate::validate::StreamPlan;

/// How often the files of the login are looked at. A change counts when it was seen twice.
const POLL: Duration = Duration::from_secs(1);
/// How long one look at a stream may take, whatever the broker does.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// How long a first connection, or one just lost, is waited for.
const CONNECT_WAIT: Duration = Duration::from_secs(4);

/// What the flags say of the operator's own broker.
#[derive(Clone, Debug, Default)]
pub struct BrokerSettings {
    /// `--nats-servers`.
    pub servers: Vec<String>,
    /// `--nats-credentials-dir`: `nats.creds`, `nats.nkey`, `nats.user` with `nats.password`, `nats.token`,
    /// `nats-tls.crt` with `nats-tls.key`.
    pub credentials_dir: Option<PathBuf>,
    /// `--nats-ca-file`.
    pub ca_file: Option<PathBuf>,
}

/// Why the broker cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// `BrokerUnreachable` or `BrokerDenied`.
    pub reason: Reason,
    /// What is wrong and the next step.
    pub message: String,
}

/// The connection as it is.
#[derive(Clone, Debug, Default)]
pub struct BrokerState {
    connection: Option<Arc<Connection>>,
    trouble: Option<Trouble>,
}

impl BrokerState {
    /// Whether the broker is connected. It is not before a stream was first asked for.
    pub fn is_connected(&self) -> bool {
        self.alive().is_some()
    }

    fn alive(&self) -> Option<&Arc<Connection>> {
        self.connection
            .as_ref()
            .filter(|connection| !connection.is_lost())
    }

    /// What is wrong, also while an older login still serves.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }
}

/// The operator's own broker. Dropping it ends the connection.
#[derive(Debug)]
pub struct Broker {
    settings: BrokerSettings,
    state: watch::Sender<BrokerState>,
    claims: Claims,
    silence: Silence,
    started: Once,
    stop: CancellationToken,
    _stop: DropGuard,
}

impl Broker {
    /// A broker that is not connected before it is needed.
    pub fn new(settings: BrokerSettings) -> Self {
        let stop = CancellationToken::new();
        Self {
            settings,
            state: watch::Sender::default(),
            claims: Claims::default(),
            silence: Silence::default(),
            started: Once::new(),
            _stop: stop.clone().drop_guard(),
            stop,
        }
    }

    /// The connection as it is now.
    pub fn state(&self) -> BrokerState {
        self.state.borrow().clone()
    }

    /// Follows the connection, for example to look at streams again as soon as it is back.
    pub fn watch(&self) -> watch::Receiver<BrokerState> {
        self.state.subscribe()
    }

    /// Makes, grows and checks the stream of one webhook; returns within seconds, whatever the broker does.
    pub async fn look_after(&self, plan: &StreamPlan, owner: &StreamOwner) -> StreamReport {
        let look = async {
            let connection = match self.connection().await {
                Ok(connection) => connection,
                Err(trouble) => return StreamReport::bad(trouble.reason, trouble.message),
            };
            let keeper = Keeper {
                api: Api::new(connection, plan.spec.domain.as_deref()),
                plan,
                owner,
                claims: &self.claims,
            };
            keeper.look().await
        };
        let domain = plan.spec.domain.as_deref();
        let report = if self.silence.is_left_alone(domain) {
            None
        } else {
            let report = timeout(LOOK_LIMIT, look).await.ok();
            match &report {
                Some(_) => self.silence.answered(domain),
                None => self.silence.timed_out(domain, &plan.spec.name),
            }
            report
        };
        report.unwrap_or_else(|| {
            let text =
                "the broker answers too slowly to look after the stream. Check its health and its leaders";
            StreamReport::bad(Reason::BrokerUnreachable, text.to_owned())
        })
    }

    /// The connection, or why there is none. Waits only while the first attempt runs.
    async fn connection(&self) -> Result<Arc<Connection>, Trouble> {
        self.started.call_once(|| {
            let life = Life {
                settings: self.settings.clone(),
                state: self.state.clone(),
            };
            let stop = self.stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(Box::pin(life.run())).await });
        });
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| {
            // While an older login serves there can be both. What is lost is about to be replaced.
            state.is_connected() || (state.connection.is_none() && state.trouble.is_some())
        });
        // The sender lives in `self`, so the channel cannot close.
        let state = match timeout(CONNECT_WAIT, known).await {
            Ok(Ok(state)) => state.clone(),
            _ => BrokerState::default(),
        };
        match (state.alive(), state.trouble()) {
            (Some(connection), _) => Ok(Arc::clone(connection)),
            (None, Some(trouble)) => Err(trouble.clone()),
            (None, None) => Err(Trouble {
                reason: Reason::BrokerUnreachable,
                message: "the broker does not answer. Check --nats-servers and the network".to_owned(),
            }),
        }
    }
}

/// Keeps a connection for ever.
struct Life {
    settings: BrokerSettings,
    state: watch::Sender<BrokerState>,
}

impl Life {
    async fn run(self) {
        let servers = match servers(&self.settings.servers) {
            Ok(servers) => servers,
            // Flags do not change while the operator runs.
            Err(error) => return self.fail(Trouble::from(&error)),
        };
        let files = LoginFiles {
            dir: self.settings.credentials_dir.clone(),
            ca: self.settings.ca_file.clone(),
        };
        let mut follower = Follower::new(files);
        let mut connection: Option<Arc<Connection>> = None;
        let mut connected_with = None;
        let (mut attempts, mut next) = (0, Instant::now());
        loop {
            if follower.look().await {
                // A new login is tried at once, however long the old one failed.
                (attempts, next) = (0, Instant::now());
            }
            if connection.as_ref().is_some_and(|connection| connection.is_lost()) {
                warn!("the connection to NATS was lost");
                (connection, connected_with) = (None, None);
                self.state.send_replace(BrokerState::default());
                (attempts, next) = (0, Instant::now() + pause(1));
            }
            let wanted = follower.digest();
            if connected_with != Some(wanted) && Instant::now() >= next {
                match follower.connect(&servers).await {
                    Ok(new) => {
                        info!(login = %follower, "connected to NATS");
                        (connection, connected_with) = (Some(Arc::clone(&new)), Some(wanted));
                        attempts = 0;
                        self.state.send_replace(BrokerState {
                            connection: Some(new),
                            trouble: None,
                        });
                    }
                    Err(trouble) => {
                        self.fail(trouble);
                        attempts += 1;
                        next = Instant::now() + pause(attempts);
                    }
                }
                continue;
            }
            let wake = if connected_with == Some(wanted) {
                POLL
            } else {
                POLL.min(next.saturating_duration_since(Instant::now()))
            };
            let lost = async {
                match &connection {
                    Some(connection) => connection.lost().await,
                    None => std::future::pending().await,
                }
            };
            let _ = timeout(wake, lost).await;
        }
    }

    /// What works goes on; the trouble is told, and logged once.
    fn fail(&self, trouble: Trouble) {
        self.state.send_if_modified(|state| {
            let changed = state.trouble.as_ref() != Some(&trouble);
            if changed {
                warn!(
                    message = trouble.message,
                    "cannot log in to NATS; trying for ever"
                );
                state.trouble = Some(trouble);
            }
            changed
        });
    }
}

/// Follows the files of the login: a change counts once it was seen twice, so that half a file never does.
struct Follower {
    files: LoginFiles,
    seen: [u8; 32],
    taken: [u8; 32],
    login: Result<Login, LoginError>,
}

impl Follower {
    fn new(files: LoginFiles) -> Self {
        let snapshot = files.read();
        let digest = snapshot.digest();
        Self {
            login: Login::read(&files, &snapshot),
            files,
            seen: digest,
            taken: digest,
        }
    }

    /// Looks at the files; true when they changed.
    async fn look(&mut self) -> bool {
        let files = self.files.clone();
        let Ok(snapshot) = tokio::task::spawn_blocking(move || files.read()).await else {
            return false;
        };
        let digest = snapshot.digest();
        let settled = std::mem::replace(&mut self.seen, digest) == digest;
        if !settled || digest == self.taken {
            return false;
        }
        self.taken = digest;
        info!("the files of the NATS login changed");
        self.login = Login::read(&self.files, &snapshot);
        true
    }

    /// Stands for the files as they were last taken.
    fn digest(&self) -> [u8; 32] {
        self.taken
    }

    async fn connect(&self, servers: &[ServerAddr]) -> Result<Arc<Connection>, Trouble> {
        let options = match &self.login {
            Ok(login) => login.options(),
            Err(error) => Err(error.clone()),
        };
        let options = options.map_err(|error| Trouble::from(&error))?;
        let attempt = Connection::open(servers.to_vec(), options).await;
        attempt.map_err(|error| self.trouble(&error))
    }

    fn trouble(&self, error: &async_nats::ConnectError) -> Trouble {
        let reason = match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                let message = format!(
                    "the broker refuses the operator's login ({self}). Put the right one into --nats-credentials-dir; it \
                     is read again by itself"
                );
                return Trouble {
                    reason: Reason::BrokerDenied,
                    message,
                };
            }
            _ => Reason::BrokerUnreachable,
        };
        let message = format!(
            "the operator's broker cannot be reached: {}. Check --nats-servers, --nats-ca-file and the network",
            chain(error)
        );
        Trouble { reason, message }
    }
}

/// The way it logs in.
impl std::fmt::Display for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.login {
            Ok(login) => login.fmt(f),
            Err(_) => f.write_str("none"),
        }
    }
}

impl From<&LoginError> for Trouble {
    fn from(error: &LoginError) -> Self {
        let reason = match error {
            LoginError::NoServers | LoginError::Server(_) => Reason::BrokerUnreachable,
            _ => Reason::BrokerDenied,
        };
        Self {
            reason,
            message: error.to_string(),
        }
    }
}
