//! From the configuration and the secrets to the options of a connection.

use async_nats::{ConnectOptions, ServerAddr};
use wahook_stream::connect::{Credential, pauses};

use crate::config::Nats;
use crate::secrets::{NatsCredential, NatsSecrets, Secret};

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
        .reconnect_delay_callback(pauses())
        // Subjects are made of tokens that cannot be wrong (`wahook_events::token`) and inboxes of the library's own.
        .skip_subject_validation(true)
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
    let credential = match &secrets.credential {
        None => return Ok((servers, options)),
        Some(NatsCredential::Credentials(file)) => Credential::File(text(file)?),
        Some(NatsCredential::Nkey(seed)) => Credential::Nkey(text(seed)?),
        Some(NatsCredential::Token(token)) => Credential::Token(text(token)?),
        Some(NatsCredential::UserPassword { user, password }) => Credential::UserPassword {
            user: text(user)?,
            password: text(password)?,
        },
    };
    let options = credential.add_to(options).map_err(ConnectError::Credentials)?;
    Ok((servers, options))
}

fn text(secret: &Secret) -> Result<&str, ConnectError> {
    secret.expose_str().ok_or(ConnectError::NotText)
}
