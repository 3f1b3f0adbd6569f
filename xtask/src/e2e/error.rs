//! Why an end-to-end run stopped.

use std::io;
use std::process::ExitStatus;

use wahook_testbed::kube::KubeError;
use wahook_testbed::monitoring::MonitoringError;
use wahook_testbed::stream::StreamError;
use wahook_testbed::tools::ToolError;

use crate::cluster::ChoiceError;
use crate::image::MakeError;

/// The run could not go on, or found something that is not as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum E2eError {
    /// The cluster.
    #[error(transparent)]
    Kube(#[from] KubeError),
    /// No place for it.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The images.
    #[error(transparent)]
    Image(#[from] MakeError),
    /// Helm.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// Prometheus.
    #[error(transparent)]
    Monitoring(#[from] MonitoringError),
    /// A stream.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The broker.
    #[error("connect to NATS: {0}")]
    Nats(#[from] async_nats::ConnectError),
    /// A request of our own.
    #[error("post to the webhook: {0}")]
    Http(#[from] reqwest::Error),
    /// A file.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A command of a user's.
    #[error("`{command}` ended with {status}: {complaint}")]
    Command {
        /// As it was typed.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// Its standard error.
        complaint: String,
    },
    /// Somebody stopped it.
    #[error("the run was stopped before its end")]
    Interrupted,
    /// Something is not as it should be.
    #[error("{0}")]
    Unmet(String),
}

impl E2eError {
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

pub(super) type Result<T = ()> = std::result::Result<T, E2eError>;

/// An expectation, in words that make sense when it is not met.
pub(super) fn expect(met: bool, otherwise: impl FnOnce() -> String) -> Result {
    if met {
        Ok(())
    } else {
        Err(E2eError::Unmet(otherwise()))
    }
}
