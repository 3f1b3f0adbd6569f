//! What can go wrong with Prometheus and Alertmanager.

use std::io;

use crate::tools::ToolError;

/// Prometheus or Alertmanager could not be started or asked.
#[derive(Debug, thiserror::Error)]
pub enum MonitoringError {
    /// The program is not here.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file, socket or process call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// It ended or did not get ready in time.
    #[error("{name} {problem}. Its last lines:\n{log_tail}")]
    NotReady {
        /// The program.
        name: &'static str,
        /// What happened instead.
        problem: String,
        /// The end of its output.
        log_tail: String,
    },
    /// No whole answer.
    #[error("no answer: {0}")]
    Http(#[from] reqwest::Error),
    /// The answer is a refusal.
    #[error("refused: {0}")]
    Refused(String),
}

impl MonitoringError {
    pub(super) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
