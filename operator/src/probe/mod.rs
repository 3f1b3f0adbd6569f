//! Looks at the public URL as Meta would, for the condition `EndpointReady`: name, address, TLS, and whether it is our
//! receiver that answers.
//!
//! ```text
//! address (where the host is), or proxy ─ secure (TLS, the certificate) ─ question (whose answer is it) ─ outcome ─ memory
//! ```

mod address;
mod memory;
mod outcome;
mod proxy;
mod question;
mod secure;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub use address::is_public;
pub use memory::{Due, Probes};
pub use outcome::Outcome;
pub use proxy::Proxies;

use outcome::Trouble;

/// How long the whole of it may take: Meta gives up after ten seconds at a handshake.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a name may take where a proxy resolves it anyway.
const GLANCE: Duration = Duration::from_secs(2);
/// The largest body that Meta sends, in bytes.
pub const LARGEST: usize = 3 * 1024 * 1024;
/// The port of HTTPS.
const HTTPS: u16 = 443;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Target {
    /// The host.
    pub host: String,
    /// The path.
    pub path: String,
    /// The key that our receivers prove themselves with.
    pub key: Zeroizing<Vec<u8>>,
    /// How many bytes are sent along to see whether they get through; none to send nothing.
    pub body: Option<usize>,
}

/// What may be looked at, and by which way.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Private addresses, too: whoever may create a resource would have the operator look around in the cluster.
    pub private_addresses: bool,
    /// Authorities to trust beside those that browsers trust.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The way out.
    pub proxies: Proxies,
}

/// Looks at public URLs.
#[derive(Clone, Debug)]
pub struct Prober {
    tls: Arc<ClientConfig>,
    private_addresses: bool,
    proxies: Proxies,
    /// Where tests' servers are.
    elsewhere: Option<SocketAddr>,
}

impl Prober {
    /// Trusts the authorities that browsers trust, and those that it is told to.
    ///
    /// # Errors
    /// When TLS cannot be set up, or one of the authorities is none.
    pub fn new(sight: Sight) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for authority in sight.authorities {
            roots.add(authority)?;
        }
        Ok(Self {
            tls: secure::config(roots)?,
            private_addresses: sight.private_addresses,
            proxies: sight.proxies,
            elsewhere: None,
        })
    }

    /// For tests: other authorities, and every host at this address.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn in_a_laboratory(roots: RootCertStore, address: SocketAddr) -> Result<Self, rustls::Error> {
        Ok(Self {
            tls: secure::config(roots)?,
            private_addresses: true,
            proxies: Proxies::none(),
            elsewhere: Some(address),
        })
    }

    /// Looks once. Follows no redirect.
    pub async fn probe(&self, target: &Target) -> Outcome {
        let began = Instant::now();
        let look = timeout(LIMIT, self.look(target)).await;
        let result = look.unwrap_or(Err(Trouble::Silent));
        let took = began.elapsed();
        let carried = match (&result, target.body) {
            (Ok(_), Some(size)) => {
                let sending = timeout(LIMIT, self.send(target, size)).await;
                sending.unwrap_or(Err(Trouble::Body { size, status: None }))
            }
            _ => Ok(None),
        };
        Outcome::new(result, carried, took)
    }

    async fn look(&self, target: &Target) -> Result<i64, Trouble> {
        let stream = self.reach(&target.host).await?;
        let (tls, not_after) = secure::handshake(&self.tls, &target.host, stream).await?;
        question::ask(tls, target).await?;
        Ok(not_after)
    }

    async fn send(&self, target: &Target, size: usize) -> Result<Option<()>, Trouble> {
        let stream = self.reach(&target.host).await?;
        let (tls, _) = secure::handshake(&self.tls, &target.host, stream).await?;
        question::send(tls, target, size).await
    }

    async fn reach(&self, host: &str) -> Result<TcpStream, Trouble> {
        if let Some(address) = self.elsewhere {
            return connect(&[address]).await;
        }
        match self.proxies.of(host) {
            // It may know names that are unknown here. What is private here stays so.
            Some(proxy) => match timeout(GLANCE, self.resolve(host)).await {
                Ok(Err(private @ Trouble::Private(_))) => Err(private),
                _ => proxy::connect(&proxy, host).await,
            },
            None => connect(&self.resolve(host).await?).await,
        }
    }

    async fn resolve(&self, host: &str) -> Result<Vec<SocketAddr>, Trouble> {
        let all = address::resolve(host, HTTPS).await?;
        let visible: Vec<SocketAddr> = all
            .iter()
            .copied()
            .filter(|address| self.private_addresses || is_public(address.ip()))
            .collect();
        if visible.is_empty() {
            let private = all.first().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
            return Err(Trouble::Private(private));
        }
        Ok(visible)
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Trouble> {
    let mut trouble = Trouble::Silent;
    for address in addresses {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => trouble = Trouble::Refused(address.ip(), error.kind()),
            Err(_) => {}
        }
    }
    Err(trouble)
}
