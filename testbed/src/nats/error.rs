//! What can go wrong while a NATS server is started or driven.

use std::io;
use std::time::Duration;

use super::install::InstallError;

/// A NATS server could not be started, reached or controlled.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// No server of the right version is here and none could be installed.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A file, socket or process call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The server ended, or did not accept connections in time.
    #[error("nats-server {problem}. Its last lines:\n{log_tail}")]
    NotReady {
        /// What happened instead.
        problem: String,
        /// The end of its log.
        log_tail: String,
    },
    /// The call needs a running server and this one was stopped.
    #[error("nats-server is stopped; call restart() first")]
    Stopped,
    /// A client could not connect.
    #[error(
        "connect to nats-server: {0}; compare the client's login and TLS files with the server's options"
    )]
    Connect(#[from] async_nats::ConnectError),
    /// The cluster did not reach the awaited state.
    #[error("after {waited:?} the cluster still has not {awaited}; the last answer was: {last}")]
    Cluster {
        /// What was awaited.
        awaited: String,
        /// The time given.
        waited: Duration,
        /// The last thing seen.
        last: String,
    },
    /// A key, certificate or token could not be made.
    #[error("make test credentials: {0}")]
    Credentials(String),
}

impl NatsError {
    /// For `map_err`: names the action that failed.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
