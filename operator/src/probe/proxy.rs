//! The proxy that leads out of the cluster, where there is one: `HTTPS_PROXY` and `NO_PROXY`, as everywhere.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::net::TcpStream;
use tower::{Service as _, ServiceExt as _};

use super::HTTPS;
use super::outcome::Trouble;

/// Which hosts are reached through a proxy, and through which.
#[derive(Clone)]
pub struct Proxies(Arc<Matcher>);

impl fmt::Debug for Proxies {
    // A proxy's address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxies(..)")
    }
}

impl Proxies {
    /// Those of the environment.
    pub fn from_env() -> Self {
        Self(Arc::new(Matcher::from_env()))
    }

    /// None.
    pub fn none() -> Self {
        Self(Arc::new(Matcher::builder().build()))
    }

    /// This one, but for the hosts that `except` lists, separated by commas.
    pub fn one(proxy: &str, except: &str) -> Self {
        Self(Arc::new(Matcher::builder().https(proxy).no(except).build()))
    }

    /// The proxy of a host.
    pub(super) fn of(&self, host: &str) -> Option<Intercept> {
        self.0.intercept(&target("https", host).ok()?)
    }
}

fn target(scheme: &str, host: &str) -> Result<Uri, http::Error> {
    Uri::builder()
        .scheme(scheme)
        .authority(format!("{host}:{HTTPS}"))
        .path_and_query("/")
        .build()
}

/// Has a proxy connect to the host, which it resolves by itself.
pub(super) async fn connect(proxy: &Intercept, host: &str) -> Result<TcpStream, Trouble> {
    let trouble = |reason: String| Trouble::Proxy {
        proxy: proxy.uri().authority().map(shown).unwrap_or_default(),
        reason,
    };
    let host = target("https", host).map_err(|error| trouble(error.to_string()))?;
    let mut tunnel = Tunnel::new(proxy.uri().clone(), HttpConnector::new());
    if let Some(login) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(login.clone());
    }
    let connected = async { tunnel.ready().await?.call(host).await };
    let stream = connected.await.map_err(|error| trouble(error.to_string()))?;
    Ok(stream.into_inner())
}

/// Without the login.
fn shown(authority: &http::uri::Authority) -> String {
    let text = authority.as_str();
    text.rsplit_once('@').map_or(text, |(_, place)| place).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_excepted() {
        let proxies = Proxies::one("http://proxy.example.com:3128", "inside.example.com,.local");
        assert!(proxies.of("hooks.example.com").is_some());
        for host in ["inside.example.com", "a.inside.example.com", "b.local"] {
            assert!(proxies.of(host).is_none(), "{host}");
        }
        assert!(Proxies::none().of("hooks.example.com").is_none());
    }

    #[test]
    fn a_proxys_login_is_not_shown() {
        let authority = "user:very-private@proxy.example.com:3128".parse();
        assert_eq!(
            authority.map(|authority| shown(&authority)).ok().as_deref(),
            Some("proxy.example.com:3128")
        );
        let proxies = Proxies::one("http://user:very-private@proxy.example.com:3128", "");
        assert!(!format!("{proxies:?}").contains("private"));
    }
}
