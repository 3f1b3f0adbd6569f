//! The address of a NATS server, as a flag or a resource may name it.

use async_nats::ServerAddr;

/// A text that is not the address of a server. It does not repeat the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write URLs such as nats://nats.example.com:4222 or tls://nats.example.com:4222, without user, password and path"
)]
pub struct ServerError;

/// The port of a server: `nats://host` has NATS' own.
///
/// # Errors
/// When the text is not `nats://` or `tls://` with a host and nothing but a port behind it. The receiver
/// accepts a user in front of the host; here it would be readable by everyone who reads the resource.
pub fn port(url: &str) -> Result<u16, ServerError> {
    let rest = url
        .strip_prefix("nats://")
        .or_else(|| url.strip_prefix("tls://"))
        .ok_or(ServerError)?;
    let host_and_port = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if !rest.bytes().all(host_and_port) || rest.ends_with(':') || url.len() > 512 {
        return Err(ServerError);
    }
    let address: ServerAddr = url.parse().map_err(|_| ServerError)?;
    if address.host().is_empty() || address.port() == 0 {
        return Err(ServerError);
    }
    Ok(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_scheme_a_host_and_a_port() {
        for (url, number) in [
            ("nats://nats", 4222),
            ("nats://nats.nats.svc:4223", 4223),
            ("tls://192.0.2.7:443", 443),
            ("tls://[2001:db8::1]:4222", 4222),
        ] {
            assert_eq!(port(url), Ok(number), "{url}");
        }
        for url in [
            "",
            "nats",
            "nats:4222",
            "nats://",
            "nats://:4222",
            "nats://nats:",
            "nats://nats:0",
            "nats://nats:99999",
            "http://nats:4222",
            "ws://nats:80",
            "nats://ann:sesame@nats:4222",
            "nats://sesame@nats",
            "nats://nats/x",
            "nats://nats?x",
            "nats://a,nats://b",
            "nats://a b",
            "nats://a\nb",
            "nats://[::1",
        ] {
            assert_eq!(port(url), Err(ServerError), "{url}");
        }
        assert!(!ServerError.to_string().contains("sesame"));
    }
}
