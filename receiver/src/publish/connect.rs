//! From the configuration and the secrets to the options of a connection.

use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr};
use rand::Rng as _;

use crate::config::Nats;
use crate::secrets::{NatsCredential, NatsSecrets, Secret};

/// The longest pause between two attempts to connect. Attempts never end.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Why no connection can be tried.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A server's address. The configuration checks them, so this is for schemes the client does not know.
    #[error("nats.servers: {0}. Use nats://host:4222 or tls://host:4222")]
    Server(#[source] std::io::Error),
    /// The credentials file is not one.
    #[error("nats.creds: {0}. Use the .creds file that nsc or your NATS provider generated")]
    Credentials(#[source] std::io::Error),
    /// A credential is not text.
    #[error("a NATS credential is not UTF-8 text. Store the text itself")]
    NotText,
}

/// The servers and options to connect with.
pub fn options(
    nats: &Nats,
    secrets: &NatsSecrets,
    name: &str,
) -> Result<(Vec<ServerAddr>, ConnectOptions), ConnectError> {
    let servers = nats
        .servers
        .iter()
        .map(|server| server.expose().parse::<ServerAddr>());
    let servers = servers
        .collect::<Result<Vec<_>, _>>()
        .map_err(ConnectError::Server)?;
    let mut options = ConnectOptions::new()
        .name(name)
        .custom_inbox_prefix(&nats.inbox_prefix)
        .connection_timeout(nats.connect_timeout)
        .ping_interval(nats.ping_interval)
        .reconnect_delay_callback(pause)
        .require_tls(nats.tls.required);
    if nats.tls.first {
        options = options.tls_first();
    }
    if let Some(ca) = &secrets.ca_file {
        options = options.add_root_certificates(ca.clone());
    }
    if let (Some(cert), Some(key)) = (&secrets.cert_file, &secrets.key_file) {
        options = options.add_client_certificate(cert.clone(), key.clone());
    }
    let options = match &secrets.credential {
        None => options,
        Some(NatsCredential::Credentials(file)) => options
            .credentials(text(file)?)
            .map_err(ConnectError::Credentials)?,
        Some(NatsCredential::Nkey(seed)) => options.nkey(text(seed)?.to_owned()),
        Some(NatsCredential::Token(token)) => options.token(text(token)?.to_owned()),
        Some(NatsCredential::UserPassword { user, password }) => {
            options.user_and_password(text(user)?.to_owned(), text(password)?.to_owned())
        }
    };
    Ok((servers, options))
}

fn text(secret: &Secret) -> Result<&str, ConnectError> {
    secret.expose_str().ok_or(ConnectError::NotText)
}

/// Doubles from 20 ms to four seconds, then half of it at random: receivers that lost a broker together must not come
/// back together.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.min(8)).unwrap_or(8);
    let longest = (Duration::from_millis(20) * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
    longest.mul_f64(rand::rng().random_range(0.5..=1.0))
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
}
