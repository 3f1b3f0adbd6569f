//! What a connection is waiting for and until when: a state machine without clock or socket.
//!
//! ```text
//!            head complete                 last answer given
//! Head(10 s) ────────────> Active(n) ─────────────────────> Idle(75 s)
//!     ^                        ^     <──── a head (HTTP/2) ──── │ │
//!     └──── bytes (HTTP/1) ────┼────────────────────────────────┘ │ time is up, or shutdown
//!                              └── a head after all ── Leaving <──┘
//!
//! any ── our FIN is sent ──> Shut(2 s)
//! ```
//!
//! hyper's own `header_read_timeout` cannot tell a head that dribbles from a connection that rests: it
//! would close an idle connection after 10 s, while the proxy in front is about to reuse it.
//!
//! On HTTP/2 bytes say nothing, they may be a PING; only a request's head counts. A client that does
//! nothing but ping, or sends a head in drops, is told goodbye when the idle time is up.

use std::time::Duration;

use tokio::time::Instant;

use super::limits::Limits;

/// How long each wait may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) head: Duration,
    pub(super) idle: Duration,
    pub(super) write: Duration,
    pub(super) close: Duration,
}

impl From<&Limits> for Timeouts {
    fn from(limits: &Limits) -> Self {
        Self {
            head: limits.header_timeout,
            idle: limits.idle_timeout,
            write: limits.write_timeout,
            close: limits.close_timeout,
        }
    }
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request head is awaited or has begun.
    Head(Instant),
    /// So many requests are with the router, which has its own deadline.
    Active(usize),
    /// Between requests.
    Idle(Instant),
    /// Told goodbye; a request that crosses it is still served.
    Leaving(Instant),
    /// Our side of the socket is closed: nothing counts any more but the peer's FIN.
    Shut(Instant),
}

/// How far the shutdown has come, for this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Course {
    Serving,
    /// The next answer is the last.
    Closing,
    /// No request under way: go.
    Draining,
}

/// What the watchdog has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing before this instant.
    Wait(Option<Instant>),
    /// Start hyper's graceful shutdown; said at most once.
    SayGoodbye,
    /// Drop the connection.
    Expired(Expiry),
}

/// Which wait took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    Head,
    Idle,
    Write,
    /// The peer did not leave after the goodbye of a shutdown or a last answer. Nothing is lost.
    Close,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Machine {
    timeouts: Timeouts,
    phase: Phase,
    course: Course,
    /// HTTP/2; known from the first request on.
    multiplexed: bool,
    /// Set while a write waits for the peer.
    write_deadline: Option<Instant>,
    goodbye: Goodbye,
    /// The idle time ran out, so a later [`Expiry::Close`] is really that.
    idled_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goodbye {
    NotYet,
    Due,
    Said,
}

impl Machine {
    pub(super) fn new(timeouts: Timeouts, now: Instant) -> Self {
        Self {
            timeouts,
            phase: Phase::Head(now + timeouts.head),
            course: Course::Serving,
            multiplexed: false,
            write_deadline: None,
            goodbye: Goodbye::NotYet,
            idled_out: false,
        }
    }

    /// The socket gave bytes.
    pub(super) fn bytes_read(&mut self, now: Instant) {
        if let (Phase::Idle(_), false) = (self.phase, self.multiplexed) {
            self.phase = Phase::Head(now + self.timeouts.head);
        }
    }

    /// A head is complete and goes to the router.
    pub(super) fn request_begun(&mut self, multiplexed: bool) {
        self.multiplexed |= multiplexed;
        self.phase = match self.phase {
            Phase::Active(requests) => Phase::Active(requests + 1),
            Phase::Head(_) | Phase::Idle(_) | Phase::Leaving(_) => Phase::Active(1),
            Phase::Shut(deadline) => Phase::Shut(deadline),
        };
        // On HTTP/1 the answer itself ends the connection.
        if self.course == Course::Draining || self.course == Course::Closing && self.multiplexed {
            self.goodbye_is_due();
        }
    }

    /// A request is answered or given up. True when it was the last.
    pub(super) fn request_done(&mut self, now: Instant) -> bool {
        match self.phase {
            Phase::Active(0 | 1) => {
                self.phase = if self.goodbye == Goodbye::Said {
                    Phase::Leaving(now + self.timeouts.close)
                } else {
                    Phase::Idle(now + self.timeouts.idle)
                };
                true
            }
            Phase::Active(requests) => {
                self.phase = Phase::Active(requests - 1);
                false
            }
            // The connection is being torn down around its last streams.
            Phase::Head(_) | Phase::Idle(_) | Phase::Leaving(_) | Phase::Shut(_) => false,
        }
    }

    /// The peer's window is full.
    pub(super) fn write_blocked(&mut self, now: Instant) {
        self.write_deadline.get_or_insert(now + self.timeouts.write);
    }

    /// The peer took some bytes.
    pub(super) fn write_progressed(&mut self) {
        self.write_deadline = None;
    }

    /// Our side is closed, the peer's not yet.
    pub(super) fn shut_down(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Shut(_)) {
            self.phase = Phase::Shut(now + self.timeouts.close);
        }
    }

    /// The shutdown has come to `course`.
    pub(super) fn proceed(&mut self, course: Course, now: Instant) {
        self.course = self.course.max(course);
        match (self.course, self.phase) {
            (Course::Draining, Phase::Active(_) | Phase::Idle(_)) => self.goodbye_is_due(),
            // hyper would drop a head it has only half of: last call instead.
            (Course::Draining, Phase::Head(deadline)) => {
                self.phase = Phase::Head(deadline.min(now + self.timeouts.close));
            }
            (Course::Closing, Phase::Active(_)) if self.multiplexed => self.goodbye_is_due(),
            _ => {}
        }
    }

    /// What is to be done at `now`.
    pub(super) fn verdict(&mut self, now: Instant) -> Verdict {
        let passed = |deadline: Instant| deadline <= now;
        if self.write_deadline.is_some_and(passed) {
            return Verdict::Expired(Expiry::Write);
        }
        match self.phase {
            Phase::Head(deadline) if passed(deadline) => return Verdict::Expired(Expiry::Head),
            Phase::Leaving(deadline) | Phase::Shut(deadline) if passed(deadline) => {
                return Verdict::Expired(if self.idled_out {
                    Expiry::Idle
                } else {
                    Expiry::Close
                });
            }
            Phase::Idle(deadline) if passed(deadline) => {
                self.idled_out = true;
                self.goodbye_is_due();
            }
            _ => {}
        }
        if self.goodbye == Goodbye::Due {
            self.goodbye = Goodbye::Said;
            if matches!(self.phase, Phase::Idle(_)) {
                self.phase = Phase::Leaving(now + self.timeouts.close);
            }
            return Verdict::SayGoodbye;
        }
        let phase_deadline = match self.phase {
            Phase::Active(_) => None,
            Phase::Head(deadline)
            | Phase::Idle(deadline)
            | Phase::Leaving(deadline)
            | Phase::Shut(deadline) => Some(deadline),
        };
        Verdict::Wait(self.write_deadline.into_iter().chain(phase_deadline).min())
    }

    /// Whether the connection ends because nobody used it.
    pub(super) fn idled_out(&self) -> bool {
        self.idled_out
    }

    fn goodbye_is_due(&mut self) {
        if self.goodbye == Goodbye::NotYet {
            self.goodbye = Goodbye::Due;
        }
    }
}

#[cfg(test)]
mod tests;
