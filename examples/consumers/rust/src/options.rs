//! The settings: variables of the environment, the same ones in every language.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Where the events are, and whose they are.
#[derive(Args, Clone, Debug)]
pub(crate) struct Source {
    /// The broker
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    pub(crate) nats_url: String,
    /// Its credentials file, if it wants one
    #[arg(long, env = "NATS_CREDS")]
    pub(crate) nats_creds: Option<PathBuf>,
    /// The user there, if it wants one with a password
    #[arg(long, env = "NATS_USER", requires = "nats_password")]
    pub(crate) nats_user: Option<String>,
    /// The password. Not shown by --help, and better not given on the command line
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true)]
    pub(crate) nats_password: Option<Secret>,
    /// The certificate of the authority that signed the broker's, if this machine does not trust it
    #[arg(long, env = "NATS_CA")]
    pub(crate) nats_ca: Option<PathBuf>,
    /// What the subjects of answers begin with, if the permissions there say so
    #[arg(long, env = "NATS_INBOX_PREFIX", default_value = "_INBOX")]
    pub(crate) nats_inbox_prefix: String,
    /// The stream of the webhook; `kubectl get whatsappwebhook` shows it
    #[arg(long, env = "STREAM")]
    pub(crate) stream: String,
    /// What this bot is called: its consumers, its bucket and its poison stream begin with it
    #[arg(long, env = "BOT", default_value = "bot")]
    pub(crate) bot: String,
}

/// How events are worked on.
#[derive(Args, Clone, Debug)]
pub(crate) struct Settings {
    /// The Graph API with its version
    #[arg(long, env = "GRAPH_URL", default_value = "https://graph.facebook.com/v23.0")]
    pub(crate) graph_url: String,
    /// The access token. Not shown by --help, and better not given on the command line
    #[arg(long, env = "GRAPH_TOKEN", hide_env_values = true)]
    pub(crate) graph_token: Secret,
    /// The hosts media may come from, and the token may go to
    #[arg(
        long,
        env = "MEDIA_HOSTS",
        default_value = "lookaside.fbsbx.com",
        value_delimiter = ','
    )]
    pub(crate) media_hosts: Vec<String>,
    /// Where media is put
    #[arg(long, env = "MEDIA_DIR", default_value = "media")]
    pub(crate) media_dir: PathBuf,
    /// How often an event is tried before it is poison
    #[arg(long, env = "TRIES", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) tries: u16,
    /// Seconds before the second try; doubled for each further one
    #[arg(long, env = "RETRY", default_value = "2", value_parser = seconds)]
    pub(crate) retry: Duration,
    /// Seconds after which the broker takes a silent worker for dead
    #[arg(long, env = "ACK_WAIT", default_value = "30", value_parser = seconds)]
    pub(crate) ack_wait: Duration,
    /// Seconds to wait for Meta's status of a message that was sent by somebody who died over it
    #[arg(long, env = "SETTLE", default_value = "60", value_parser = seconds)]
    pub(crate) settle: Duration,
    /// The lanes this worker takes from, such as 0-7; all sixteen by default
    #[arg(long, env = "LANES", default_value = "0-f", value_parser = lanes)]
    pub(crate) lanes: Lanes,
}

/// Never shown.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Lanes, by their hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lanes(pub(crate) Vec<char>);

/// The digits of all lanes.
pub(crate) const LANES: &str = "0123456789abcdef";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "seconds, such as 30 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// `0-7`, `3`, `0,8,c-f`.
fn lanes(text: &str) -> Result<Lanes, String> {
    let mut found = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let place = |digit: &str| match digit.as_bytes() {
            &[one] => LANES.find(char::from(one)),
            _ => None,
        };
        match (place(from), place(to)) {
            (Some(from), Some(to)) if from <= to => found.extend(LANES[from..=to].chars()),
            _ => {
                return Err(format!(
                    "`{part}` names no lanes; write one digit of {LANES}, or a range such as 0-7"
                ));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(Lanes(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_digits_and_ranges() {
        assert_eq!(lanes("0-f").unwrap().0.len(), 16);
        assert_eq!(lanes("3,1-2,2").unwrap().0, ['1', '2', '3']);
        for wrong in ["", "g", "7-0", "00", "1-"] {
            assert!(lanes(wrong).is_err(), "{wrong}");
        }
    }
}
