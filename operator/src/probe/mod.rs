//! Looks at the public URL as Meta would, for the condition `EndpointReady`: name, address, TLS, and whether it is our
//! receiver that answers.
//!
//! ```text
//! address (where the host is) ─ secure (TLS, the certificate) ─ question (whose answer is it) ─ outcome ─ memory
//! ```

mod address;
mod memory;
mod outcome;
mod question;
mod secure;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub use address::is_public;
pub use memory::{Due, Probes};
pub use outcome::Outcome;

use outcome::Trouble;

/// How long the whole of it may take: Meta gives up after ten seconds at a handshake.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
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
}

/// Looks at public URLs.
#[derive(Clone, Debug)]
pub struct Prober {
    tls: Arc<ClientConfig>,
    private_addresses: bool,
    /// Where tests' servers are.
    elsewhere: Option<SocketAddr>,
}

impl Prober {
    /// Trusts the authorities that browsers trust. Private addresses only when asked to: whoever may create a resource
    /// would have the operator look around in the cluster.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(private_addresses: bool) -> Result<Self, rustls::Error> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Ok(Self {
            tls: secure::config(roots)?,
            private_addresses,
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
            elsewhere: Some(address),
        })
    }

    /// Looks once. Follows no redirect, and no proxy.
    pub async fn probe(&self, target: &Target) -> Outcome {
        let began = Instant::now();
        let look = timeout(LIMIT, self.look(target)).await;
        let result = look.unwrap_or(Err(Trouble::Silent));
        Outcome::new(result, began.elapsed())
    }

    async fn look(&self, target: &Target) -> Result<i64, Trouble> {
        let addresses = match self.elsewhere {
            Some(address) => vec![address],
            None => self.resolve(&target.host).await?,
        };
        let stream = connect(&addresses).await?;
        let (tls, not_after) = secure::handshake(&self.tls, &target.host, stream).await?;
        question::ask(tls, target).await?;
        Ok(not_after)
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
