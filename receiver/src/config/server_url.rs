//! The address of a NATS server, which may hold a password and therefore cannot be printed by accident.

use std::fmt;

use super::error::Fault;

/// The URL of a NATS server: `nats://host:4222` or `tls://host:4222`, with or without `user:password@`.
///
/// `Debug` and `Display` replace everything before the `@`. Only [`ServerUrl::expose`] gives the whole.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    url: String,
    shown: String,
    has_credentials: bool,
}

impl ServerUrl {
    /// Reads one URL. A missing scheme means `nats://`, a missing port 4222.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        const FIX: &str = "Write nats://host:4222, or tls://host:4222 for TLS from the start";
        let url = if text.contains("://") {
            text.to_owned()
        } else {
            format!("nats://{text}")
        };
        // The library's own message may repeat a piece of the URL, and so of a password: it is not passed on.
        let address: async_nats::ServerAddr = url
            .parse()
            .map_err(|_| Fault::new("is not the URL of a NATS server", FIX))?;
        if !matches!(address.scheme(), "nats" | "tls") {
            return Err(Fault::new("has a scheme other than nats and tls", FIX));
        }
        if address.host().is_empty() {
            return Err(Fault::new("names no host", FIX));
        }
        let parts = address.clone().into_inner();
        if !matches!(parts.path(), "" | "/") || parts.query().is_some() || parts.fragment().is_some() {
            return Err(Fault::new("has something after the host and port", FIX));
        }
        let has_credentials = address.has_user_pass() || address.password().is_some();
        let shown = format!(
            "{}://{}{}:{}",
            address.scheme(),
            if has_credentials { "***@" } else { "" },
            // As the URL spells it: an IPv6 address in brackets.
            parts.host_str().unwrap_or_default(),
            address.port(),
        );
        Ok(Self {
            url,
            shown,
            has_credentials,
        })
    }

    /// The URL with its user and password, for the connection itself. Never log it.
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// Whether the URL brings a user, a password or a token.
    pub fn has_credentials(&self) -> bool {
        self.has_credentials
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn user_password_and_token_are_never_shown() {
        for (url, shown) in [
            ("nats://ann:sesame@broker:4222", "nats://***@broker:4222"),
            ("ann:sesame@broker", "nats://***@broker:4222"),
            ("tls://sesame@broker", "tls://***@broker:4222"),
            ("nats://:sesame@[::1]:4333", "nats://***@[::1]:4333"),
            ("broker", "nats://broker:4222"),
        ] {
            let parsed = ServerUrl::parse(url).unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), format!("ServerUrl({shown})"));
            assert_eq!(parsed.has_credentials(), url.contains('@'));
            assert!(parsed.expose().contains(url));
        }
    }
}
