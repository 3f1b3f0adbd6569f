//! TLS as Meta does it: 1.2 at least, a chain that leads to a known authority, and exactly this host.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, PeerIncompatible, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::parse_x509_certificate;

use super::outcome::Trouble;

/// Settings that trust these authorities.
pub(super) fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Opens TLS, and reads when the certificate expires, in seconds since 1970.
pub(super) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> Result<(TlsStream<TcpStream>, i64), Trouble> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Trouble::Name)?;
    let connector = TlsConnector::from(Arc::clone(config));
    let tls = connector
        .connect(name, stream)
        .await
        .map_err(|error| trouble(&error))?;
    let (_, session) = tls.get_ref();
    let not_after = session
        .peer_certificates()
        .and_then(|chain| chain.first())
        .and_then(|leaf| parse_x509_certificate(leaf).ok())
        .map(|(_, leaf)| leaf.validity().not_after.timestamp());
    let not_after = not_after.ok_or_else(|| Trouble::Tls("the certificate cannot be read".to_owned()))?;
    Ok((tls, not_after))
}

fn trouble(error: &io::Error) -> Trouble {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return Trouble::Tls(error.kind().to_string());
    };
    match tls {
        Error::InvalidCertificate(problem) => match problem {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Trouble::Name
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Trouble::Expired,
            // The latter: a certificate that is its own authority.
            CertificateError::UnknownIssuer | CertificateError::Other(_) => Trouble::Chain,
            other => Trouble::Tls(other.to_string()),
        },
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Trouble::OldTls,
        other => Trouble::Tls(other.to_string()),
    }
}
