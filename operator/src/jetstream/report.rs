//! What was found of a stream and done about it.

use wahook_crds::conditions::Reason;

/// What `StreamReady` says, and what metrics and Kubernetes events are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamReport {
    /// Whether the stream is as it should be.
    pub ok: bool,
    /// The reason of the condition.
    pub reason: Reason,
    /// What is wrong and the next step. The same until something changes, and never secret.
    pub message: String,
    /// How full the stream is, when it was seen.
    pub usage: Option<Usage>,
    /// What was created or changed, each in words for a Kubernetes event. Empty when nothing was written.
    pub written: Vec<String>,
}

/// How full a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The bytes it holds.
    pub bytes: u64,
    /// The bytes it may hold; no limit when absent.
    pub limit: Option<u64>,
}

impl StreamReport {
    /// A stream that is as it should be.
    pub(super) fn good(message: String) -> Self {
        Self {
            ok: true,
            reason: Reason::StreamFound,
            message,
            usage: None,
            written: Vec::new(),
        }
    }

    /// A stream that is not, or that could not be seen.
    pub(super) fn bad(reason: Reason, message: String) -> Self {
        Self {
            ok: false,
            reason,
            message,
            usage: None,
            written: Vec::new(),
        }
    }
}
