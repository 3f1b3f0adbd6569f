//! What every connection of ours to the broker shares: how it logs in, how it waits, and what its errors say.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::ConnectOptions;
use rand::Rng as _;

/// The longest pause between two attempts to connect. Attempts never end.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// One way to log in to the broker, as text. Without `Debug`: it holds secrets.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// The text of a credentials file: a user's JWT and its nkey seed.
    File(&'a str),
    /// The seed of a user's nkey.
    Nkey(&'a str),
    /// A user name and its password.
    UserPassword {
        /// The name.
        user: &'a str,
        /// The password.
        password: &'a str,
    },
    /// A token.
    Token(&'a str),
}

impl Credential<'_> {
    /// Adds the login to the options.
    ///
    /// # Errors
    /// When the text of a credentials file is not one.
    pub fn add_to(self, options: ConnectOptions) -> io::Result<ConnectOptions> {
        Ok(match self {
            Self::File(text) => options.credentials(text)?,
            Self::Nkey(seed) => options.nkey(seed.to_owned()),
            Self::UserPassword { user, password } => {
                options.user_and_password(user.to_owned(), password.to_owned())
            }
            Self::Token(token) => options.token(token.to_owned()),
        })
    }
}

/// How long to wait before each attempt to connect, for one client: not at all before its very first. The library asks before
/// that one too, and would take most of a receiver's start.
pub fn pauses() -> impl Fn(usize) -> Duration + Send + Sync + 'static {
    let begun = AtomicBool::new(false);
    move |attempts| {
        if begun.swap(true, Ordering::Relaxed) {
            pause(attempts)
        } else {
            Duration::ZERO
        }
    }
}

/// Doubles from 20 ms to four seconds, then half of it at random: clients that lost a broker together must not come
/// back together.
pub fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.min(8)).unwrap_or(8);
    let longest = (Duration::from_millis(20) * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
    longest.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// The subject in nats-server's `Permissions Violation for Publish to "subject"`.
pub fn denied_subject(error: &str) -> Option<&str> {
    let lower = error.to_ascii_lowercase();
    let at = lower.find("permissions violation")?;
    error[at..].split('"').nth(1)
}

/// An error with its causes, each once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            // Writing to a string does not fail.
            let _ = write!(text, ": {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        assert!(pause(1) <= Duration::from_millis(40));
        assert!((LONGEST_PAUSE / 2..=LONGEST_PAUSE).contains(&pause(1_000_000)));
        let pauses: std::collections::BTreeSet<_> = (0..20).map(|_| pause(10)).collect();
        assert!(pauses.len() > 1);
    }

    #[test]
    fn only_the_very_first_attempt_of_a_client_is_made_at_once() {
        let pauses = pauses();
        assert_eq!(pauses(1), Duration::ZERO);
        assert!(pauses(2) > Duration::ZERO);
        // The library counts from one again after each connection.
        assert!(pauses(1) > Duration::ZERO);
    }

    #[test]
    fn a_permission_violation_names_its_subject() {
        let text = r#"Permissions Violation for Publish to "whatsapp.shop.main.1.messages.text.3""#;
        assert_eq!(denied_subject(text), Some("whatsapp.shop.main.1.messages.text.3"));
        assert_eq!(
            denied_subject("permissions violation for subscription to \"a.>\""),
            Some("a.>")
        );
        assert_eq!(denied_subject("authorization violation"), None);
    }

    #[test]
    fn each_cause_is_told_once() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("no connection")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        assert_eq!(
            chain(&Outer(io::Error::other("refused"))),
            "no connection: refused"
        );
        assert_eq!(chain(&Outer(io::Error::other("no connection"))), "no connection");
    }
}
