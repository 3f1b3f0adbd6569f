//! The keys of one cluster: an authority, what the parts present to each other, and the administrator.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::error::KubeError;

/// Whom a client certificate names. The API server takes the common name for the user and the organisation for
/// the group (Kubernetes, Authenticating: X.509 client certificates).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) user: &'a str,
    pub(crate) group: Option<&'a str>,
}

/// An authority and a directory with what it signed. Everything in it is made once and found again by the next
/// start on the same directory.
pub(crate) struct Authority {
    directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the authority in `directory`, or makes it.
    pub(crate) fn open(directory: &Path) -> Result<Self, KubeError> {
        let key_file = directory.join("ca.key");
        // The parameters are constant, so that the key alone is the authority.
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "testbed cluster authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
        ];
        let key = if key_file.exists() {
            let pem = fs::read_to_string(&key_file).map_err(KubeError::io("read the authority's key"))?;
            KeyPair::from_pem(&pem).map_err(certificate)?
        } else {
            let key = KeyPair::generate().map_err(certificate)?;
            let own = params.self_signed(&key).map_err(certificate)?;
            write_once(&directory.join("ca.crt"), &own.pem())?;
            // The key last: where it is, the certificate is too.
            write_once(&key_file, &key.serialize_pem())?;
            key
        };
        Ok(Self {
            directory: directory.to_owned(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The authority's certificate, a PEM file.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join("ca.crt")
    }

    /// A certificate for a server that is reached under these names and addresses.
    pub(crate) fn server(&self, name: &str, alternatives: &[String]) -> Result<Pair, KubeError> {
        let subject = Subject {
            user: name,
            group: None,
        };
        self.issue(name, subject, alternatives, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client who is this user.
    pub(crate) fn client(&self, name: &str, subject: Subject<'_>) -> Result<Pair, KubeError> {
        self.issue(name, subject, &[], ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A key pair without a certificate: what service account tokens are signed with.
    pub(crate) fn signing_key(&self, name: &str) -> Result<SigningKey, KubeError> {
        let pair = SigningKey {
            public: self.directory.join(format!("{name}.pub")),
            private: self.directory.join(format!("{name}.key")),
        };
        if !pair.private.exists() {
            let key = KeyPair::generate().map_err(certificate)?;
            write_once(&pair.public, &key.public_key_pem())?;
            write_once(&pair.private, &key.serialize_pem())?;
        }
        Ok(pair)
    }

    fn issue(
        &self,
        name: &str,
        subject: Subject<'_>,
        alternatives: &[String],
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Pair, KubeError> {
        let pair = Pair {
            certificate: self.directory.join(format!("{name}.crt")),
            key: self.directory.join(format!("{name}.key")),
        };
        if pair.certificate.exists() {
            // Written last: where it is, the key is too.
            return Ok(pair);
        }
        let mut params = CertificateParams::new(alternatives).map_err(certificate)?;
        params.distinguished_name.push(DnType::CommonName, subject.user);
        if let Some(group) = subject.group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(certificate)?;
        let signed = params.signed_by(&key, &self.issuer).map_err(certificate)?;
        write_once(&pair.key, &key.serialize_pem())?;
        write_once(&pair.certificate, &signed.pem())?;
        Ok(pair)
    }
}

/// A certificate and its private key, both PEM files.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Both halves of a key, PEM files.
#[derive(Clone, Debug)]
pub(crate) struct SigningKey {
    pub(crate) public: PathBuf,
    pub(crate) private: PathBuf,
}

/// Writes a file only its owner may read, whole or not at all.
pub(crate) fn write_once(path: &Path, text: &str) -> Result<(), KubeError> {
    let scratch = path.with_extension("new");
    let write = || {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        match fs::remove_file(&scratch) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&scratch)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&scratch, path)
    };
    write().map_err(KubeError::io(format!("write {}", path.display())))
}

/// By value, as `map_err` hands it over.
#[allow(clippy::needless_pass_by_value)]
fn certificate(error: rcgen::Error) -> KubeError {
    KubeError::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_finds_the_same_authority_and_signs_for_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = Authority::open(directory.path()).unwrap();
        let early = first.server("early", &["127.0.0.1".to_owned()]).unwrap();
        let before = fs::read(first.certificate()).unwrap();
        let second = Authority::open(directory.path()).unwrap();
        assert_eq!(fs::read(second.certificate()).unwrap(), before);
        let kept = fs::read(&early.certificate).unwrap();
        second.server("early", &["127.0.0.1".to_owned()]).unwrap();
        assert_eq!(fs::read(&early.certificate).unwrap(), kept, "made once");
    }

    #[test]
    fn keys_are_their_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let admin = Subject {
            user: "admin",
            group: Some("system:masters"),
        };
        let pair = authority.client("admin", admin).unwrap();
        for file in [&pair.key, &directory.path().join("ca.key")] {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
