//! Why a run of `cargo xtask torture` stopped.

use std::io;

use wahook_testbed::nats::InstallError;

use crate::workspace::WorkspaceError;

/// The run could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TortureError {
    /// A mix could not be carried through.
    #[error(transparent)]
    Torture(#[from] wahook_torture::TortureError),
    /// The receiver could not be built.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// No NATS server.
    #[error(transparent)]
    Nats(#[from] InstallError),
    /// A wrong `--only`.
    #[error("there is no mix {0}. There are: {1}")]
    NoSuchMix(String, String),
    /// A file or a process.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The operating system's answer.
        source: io::Error,
    },
}

impl TortureError {
    /// For `map_err`: names the action that failed.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

pub(super) type Result<T = ()> = std::result::Result<T, TortureError>;
