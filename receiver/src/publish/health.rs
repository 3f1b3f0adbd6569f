//! What is known of the broker: whether it is connected, whether the stream is there and fit, and what it last refused.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;
use wahook_stream::connect::denied_subject;

/// The state of the stream that events go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StreamState {
    /// Not looked at yet.
    Unknown,
    /// There, with the settings the promises need.
    Ready,
    /// There and takes events, but this account may not read its settings.
    Unverified {
        /// What could not be read, and the permission that would allow it.
        reason: String,
    },
    /// Not there.
    Missing {
        /// What to do about it.
        reason: String,
    },
    /// There, with settings that would break a promise; never changed by the receiver.
    Mismatch {
        /// Each setting, what it is and what it has to be.
        reasons: Vec<String>,
    },
    /// The broker did not say.
    Unreachable {
        /// Why.
        reason: String,
    },
}

impl StreamState {
    /// Whether events may be published: a stream with the wrong settings could lose what it acknowledged, and one that
    /// nobody looked at could have them. A stream that is missing refuses by itself.
    pub const fn takes_events(&self) -> bool {
        !matches!(self, Self::Unknown | Self::Mismatch { .. })
    }

    /// Whether the stream is known to be there and fit, or why not.
    pub fn unready(&self) -> Option<String> {
        match self {
            Self::Ready | Self::Unverified { .. } => None,
            Self::Unknown => Some("the stream was not checked yet".into()),
            Self::Missing { reason } | Self::Unreachable { reason } => Some(reason.clone()),
            Self::Mismatch { reasons } => Some(reasons.join("; ")),
        }
    }
}

/// Shared by the connection, the stream monitor, the readiness check and the status page.
#[derive(Debug)]
pub struct Health {
    stream: watch::Sender<StreamState>,
    connection: watch::Sender<Connection>,
    trouble: Mutex<Trouble>,
    was_ready: Mutex<Option<Instant>>,
}

/// The connection to the broker.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// Whether it is up.
    pub up: bool,
    /// Whether it ever was.
    pub was_up: bool,
    /// Since when.
    pub since: Instant,
}

/// What the broker last complained about.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Trouble {
    /// The subject the account may not publish or subscribe to, as the broker named it.
    pub denied_subject: Option<String>,
    /// The last error the broker or the client library reported.
    pub last_error: Option<String>,
    /// Every subject that was denied since the connection was made.
    #[serde(skip)]
    denied: BTreeSet<String>,
}

/// How many denied subjects are kept apart: events have many, one is enough to know what is missing.
const DENIED_KEPT: usize = 20;

impl Trouble {
    /// Whether a subject with this part was denied.
    pub fn is_denied(&self, part: &str) -> bool {
        self.denied.iter().any(|subject| subject.contains(part))
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            stream: watch::Sender::new(StreamState::Unknown),
            connection: watch::Sender::new(Connection {
                up: false,
                was_up: false,
                since: Instant::now(),
            }),
            trouble: Mutex::default(),
            was_ready: Mutex::default(),
        }
    }
}

impl Health {
    fn trouble_mut(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream as it was last seen.
    pub fn stream(&self) -> StreamState {
        self.stream.borrow().clone()
    }

    /// Whether events may be published to the stream as it was last seen.
    pub fn stream_takes_events(&self) -> bool {
        self.stream.borrow().takes_events()
    }

    /// Follows the stream.
    pub fn watch_stream(&self) -> watch::Receiver<StreamState> {
        self.stream.subscribe()
    }

    /// When the stream was last seen there and fit.
    pub fn stream_was_ready(&self) -> Option<Instant> {
        *self.was_ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what was seen of the stream; returns whether it changed.
    pub fn set_stream(&self, state: StreamState) -> bool {
        if state.unready().is_none() {
            *self.was_ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        self.stream.send_if_modified(|old| {
            let changed = *old != state;
            *old = state;
            changed
        })
    }

    /// The connection.
    pub fn connection(&self) -> Connection {
        *self.connection.borrow()
    }

    /// Follows the connection.
    pub fn watch_connection(&self) -> watch::Receiver<Connection> {
        self.connection.subscribe()
    }

    /// Records that the connection came up or went down.
    pub fn set_connected(&self, up: bool) {
        self.connection.send_if_modified(|connection| {
            let changed = connection.up != up;
            if changed {
                let was_up = connection.was_up || up;
                *connection = Connection {
                    up,
                    was_up,
                    since: Instant::now(),
                };
            }
            changed
        });
    }

    /// What the broker last complained about.
    pub fn trouble(&self) -> Trouble {
        self.trouble_mut().clone()
    }

    /// Records an error; a permission violation names its subject, which is returned when it is a new one.
    pub fn complained<'a>(&self, error: &'a str) -> Option<&'a str> {
        let mut trouble = self.trouble_mut();
        trouble.last_error = Some(error.to_owned());
        let subject = denied_subject(error)?;
        trouble.denied_subject = Some(subject.to_owned());
        let new = trouble.denied.len() < DENIED_KEPT && trouble.denied.insert(subject.to_owned());
        new.then_some(subject)
    }

    /// A new login: what an old one was denied says nothing about it.
    pub fn logged_in(&self) {
        *self.trouble_mut() = Trouble::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_subject_is_new_once_for_each_login() {
        let health = Health::default();
        let error = r#"Permissions Violation for Publish to "$JS.API.STREAM.INFO.S""#;
        assert_eq!(health.complained(error), Some("$JS.API.STREAM.INFO.S"));
        assert_eq!(health.complained(error), None);
        assert_eq!(
            health.complained(r#"Permissions Violation for Publish to "a.b""#),
            Some("a.b")
        );
        assert!(
            health.trouble().is_denied("STREAM.INFO"),
            "a later violation does not hide the first"
        );
        health.logged_in();
        assert!(!health.trouble().is_denied("STREAM.INFO"));
    }

    #[test]
    fn a_stream_that_was_not_looked_at_takes_nothing() {
        let health = Health::default();
        assert!(!health.stream_takes_events());
        health.set_stream(StreamState::Ready);
        assert!(health.stream_takes_events());
    }

    #[test]
    fn no_more_subjects_are_kept_apart_than_there_is_room_for() {
        let health = Health::default();
        let error = |n: usize| format!(r#"Permissions Violation for Publish to "a.{n}.end""#);
        for n in 0..DENIED_KEPT {
            assert!(health.complained(&error(n)).is_some());
        }
        assert_eq!(health.complained(&error(DENIED_KEPT)), None);
        assert!(!health.trouble().is_denied(&format!("a.{DENIED_KEPT}.end")));
    }

    #[test]
    fn a_stream_tells_when_it_changes_and_when_it_was_ready() {
        let health = Health::default();
        let missing = || StreamState::Missing {
            reason: "gone".to_owned(),
        };
        assert!(health.set_stream(missing()));
        assert!(!health.set_stream(missing()));
        assert_eq!(health.stream_was_ready(), None);
        assert!(health.set_stream(StreamState::Ready));
        let ready = health.stream_was_ready();
        assert!(ready.is_some());
        assert!(health.set_stream(missing()));
        assert_eq!(health.stream_was_ready(), ready);
    }

    #[test]
    fn a_connection_that_was_up_stays_one_that_was() {
        let health = Health::default();
        assert!(!health.connection().was_up);
        health.set_connected(true);
        let up = health.connection();
        assert!(up.up && up.was_up);
        health.set_connected(true);
        assert_eq!(health.connection().since, up.since, "nothing changed");
        health.set_connected(false);
        let down = health.connection();
        assert!(!down.up && down.was_up);
    }
}
