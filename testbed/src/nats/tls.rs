//! Throw-away certificates for 127.0.0.1: an authority, a server and a client.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::error::NatsError;

/// A certificate and its private key, both PEM files.
#[derive(Clone, Debug)]
pub struct KeyPairFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A certificate authority of one test with the files it signed. Dropping it deletes them.
///
/// A second `Pki` is a stranger to the first: what a test of a wrong authority needs.
#[derive(Debug)]
pub struct Pki {
    directory: tempfile::TempDir,
    server: KeyPairFiles,
    client: KeyPairFiles,
}

impl Pki {
    /// Makes an authority, a server certificate for `localhost`, `127.0.0.1` and `::1`, and a client certificate.
    ///
    /// # Errors
    /// [`NatsError::Credentials`] or [`NatsError::Io`] when a key cannot be made or a file not be written.
    pub fn new() -> Result<Self, NatsError> {
        let directory = tempfile::tempdir().map_err(NatsError::io("make a directory for certificates"))?;

        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "testbed authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate().map_err(credentials)?;
        let certificate = authority.self_signed(&authority_key).map_err(credentials)?;
        write(&directory.path().join("ca.pem"), &certificate.pem())?;
        let issuer = Issuer::new(authority, authority_key);

        let issue = |name: &str, alternatives: &[&str], usage| {
            let alternatives: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
            let mut params = CertificateParams::new(alternatives).map_err(credentials)?;
            params.distinguished_name.push(DnType::CommonName, name);
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![usage];
            params.use_authority_key_identifier_extension = true;
            let key = KeyPair::generate().map_err(credentials)?;
            let certificate = params.signed_by(&key, &issuer).map_err(credentials)?;
            let files = KeyPairFiles {
                certificate: directory.path().join(format!("{name}.pem")),
                key: directory.path().join(format!("{name}-key.pem")),
            };
            write(&files.certificate, &certificate.pem())?;
            write(&files.key, &key.serialize_pem())?;
            Ok::<_, NatsError>(files)
        };
        let server = issue(
            "server",
            &["localhost", "127.0.0.1", "::1"],
            ExtendedKeyUsagePurpose::ServerAuth,
        )?;
        let client = issue("client", &["client.test"], ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(Self {
            directory,
            server,
            client,
        })
    }

    /// The authority's certificate, PEM.
    pub fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The server's files.
    pub fn server(&self) -> &KeyPairFiles {
        &self.server
    }

    /// The client's files.
    pub fn client(&self) -> &KeyPairFiles {
        &self.client
    }
}

fn write(path: &Path, pem: &str) -> Result<(), NatsError> {
    fs::write(path, pem).map_err(NatsError::io("write a certificate"))
}

/// By value, as `map_err` hands it over.
#[allow(clippy::needless_pass_by_value)]
fn credentials(error: rcgen::Error) -> NatsError {
    NatsError::Credentials(error.to_string())
}
