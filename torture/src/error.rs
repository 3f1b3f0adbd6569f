//! Why a run could not be carried through. A broken promise is no error: it is in the verdict.

use std::io;

use wahook_testbed::nats::NatsError;
use wahook_testbed::process::ProcessError;
use wahook_testbed::stream::StreamError;

/// The run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum TortureError {
    /// The broker.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// A receiver.
    #[error(transparent)]
    Receiver(#[from] ProcessError),
    /// The stream could not be made or read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// No client could be built.
    #[error("make a client: {0}")]
    Http(#[from] reqwest::Error),
    /// A file, a socket or a program.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The broker refused what a fault or its repair needs.
    #[error("{doing}: {reason}")]
    Broker {
        /// What was being done.
        doing: &'static str,
        /// What the broker said.
        reason: String,
    },
    /// Something that had to happen did not.
    #[error("{0}")]
    Unmet(String),
}

impl TortureError {
    /// For `map_err`: names the action that failed.
    pub fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// For `map_err` of the broker's many kinds of errors.
    pub fn broker<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Broker {
            doing,
            reason: error.to_string(),
        }
    }
}

/// What runs here return.
pub type Result<T = ()> = std::result::Result<T, TortureError>;
