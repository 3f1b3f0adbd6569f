//! Why a run of `cargo xtask scale` stopped.

use std::io;

use wahook_testbed::kube::KubeError;
use wahook_testbed::nats::NatsError;

use crate::workspace::WorkspaceError;

/// The run could not go on, or a promise was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScaleError {
    /// The control plane.
    #[error(transparent)]
    Kube(#[from] KubeError),
    /// The broker.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// Listening to the broker.
    #[error("listen to what JetStream does: {0}")]
    Subscribe(#[from] async_nats::SubscribeError),
    /// The operator could not be built.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The operator could not be asked for its metrics.
    #[error("ask the operator: {0}")]
    Http(#[from] reqwest::Error),
    /// A file or a process.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The operator ended.
    #[error("the operator ended while {0}. Its last lines:\n{1}")]
    Ended(&'static str, String),
    /// It took too long.
    #[error("{what}: not within {seconds} s; {state}. The operator's last lines:\n{log}")]
    Late {
        /// What was waited for.
        what: &'static str,
        /// How long.
        seconds: u64,
        /// How far it came.
        state: String,
        /// The operator's log.
        log: String,
    },
    /// It wrote what nothing had asked for.
    #[error("{0}")]
    Broken(String),
}

impl ScaleError {
    /// For `map_err`: names the action that failed.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

pub(super) type Result<T = ()> = std::result::Result<T, ScaleError>;
