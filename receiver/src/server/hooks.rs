//! What the server tells the metrics: connections opened, closed and why, turned away.

use std::sync::Arc;

/// Told about every connection. Every method does nothing unless overridden, must not block, and must
/// not panic: it runs inside the accept loop.
pub trait Hooks: Send + Sync + 'static {
    /// A connection was accepted and is being served.
    fn opened(&self) {}
    /// A connection that was opened is gone. Called exactly once for each [`Hooks::opened`].
    fn closed(&self, why: Closed) {
        let _ = why;
    }
    /// A connection was answered 503 and closed because [`super::Limits::connections`] are open.
    fn refused(&self) {}
    /// `accept` failed for want of a resource (descriptors, memory); the loop waits and tries again.
    fn accept_failed(&self) {}
}

/// Hooks for whoever does not want to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closed {
    /// Either side closed it between requests, as HTTP says.
    Done,
    /// The peer broke the protocol, or hung up in the middle of a request.
    Failed,
    /// A request head was not complete in time.
    HeadTimeout,
    /// No request came for a long time.
    IdleTimeout,
    /// The peer did not read what we wrote.
    WriteTimeout,
    /// The grace period of a shutdown ended first.
    Aborted,
}

impl Closed {
    /// The value for a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::HeadTimeout => "head_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::Aborted => "aborted",
        }
    }
}

/// Pairs every `opened` with one `closed`, even when the connection's task unwinds.
pub(super) struct OpenConnection {
    hooks: Arc<dyn Hooks>,
    why: Closed,
}

impl OpenConnection {
    pub(super) fn new(hooks: Arc<dyn Hooks>) -> Self {
        hooks.opened();
        Self {
            hooks,
            why: Closed::Failed,
        }
    }

    pub(super) fn close(mut self, why: Closed) {
        self.why = why;
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.hooks.closed(self.why);
    }
}
