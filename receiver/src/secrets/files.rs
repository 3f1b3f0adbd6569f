//! Where the secrets lie, and reading all of them at once. The only place that touches the file system.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::{Config, NatsAuth, ServerUrl};

use super::settle::Digest;

/// Larger files are no secrets. A bundle of certificate authorities has a few hundred KiB.
const LARGEST: u64 = 1024 * 1024;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    AppSecret1,
    AppSecret2,
    AppSecret3,
    AppSecret4,
    VerifyToken,
    ProbeKey,
    NatsCredentials,
    NatsNkey,
    NatsUser,
    NatsPassword,
    NatsToken,
    NatsCa,
    NatsCert,
    NatsKey,
}

impl Slot {
    /// Every slot and its file's name in the directory.
    pub(super) const ALL: [(Self, &'static str); 14] = [
        (Self::AppSecret1, "app-secret-1"),
        (Self::AppSecret2, "app-secret-2"),
        (Self::AppSecret3, "app-secret-3"),
        (Self::AppSecret4, "app-secret-4"),
        (Self::VerifyToken, "verify-token"),
        (Self::ProbeKey, "probe-key"),
        (Self::NatsCredentials, "nats.creds"),
        (Self::NatsNkey, "nats.nkey"),
        (Self::NatsUser, "nats.user"),
        (Self::NatsPassword, "nats.password"),
        (Self::NatsToken, "nats.token"),
        (Self::NatsCa, "nats-ca.crt"),
        (Self::NatsCert, "nats-tls.crt"),
        (Self::NatsKey, "nats-tls.key"),
    ];

    /// The app secrets, in their order.
    pub(super) const APP_SECRETS: [Self; 4] = [
        Self::AppSecret1,
        Self::AppSecret2,
        Self::AppSecret3,
        Self::AppSecret4,
    ];

    fn is_nats_auth(self) -> bool {
        matches!(
            self,
            Self::NatsCredentials | Self::NatsNkey | Self::NatsUser | Self::NatsPassword | Self::NatsToken
        )
    }
}

/// Which files hold the secrets: those of one directory, except where the configuration names others.
#[derive(Debug, Clone)]
pub struct SecretsSource {
    dir: PathBuf,
    explicit: Vec<(Slot, PathBuf)>,
    only_explicit_auth: bool,
    pub(super) url_has_user: bool,
}

impl SecretsSource {
    /// The files of `dir`.
    pub fn directory(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            explicit: Vec::new(),
            only_explicit_auth: false,
            url_has_user: false,
        }
    }

    /// What `config` says. `None` when it names no directory: the secrets are those of the environment then.
    pub fn from_config(config: &Config) -> Option<Self> {
        let mut explicit = match config.nats.auth.clone() {
            NatsAuth::Found => Vec::new(),
            NatsAuth::Credentials(file) => vec![(Slot::NatsCredentials, file)],
            NatsAuth::Nkey(file) => vec![(Slot::NatsNkey, file)],
            NatsAuth::UserPassword { user, password } => {
                vec![(Slot::NatsUser, user), (Slot::NatsPassword, password)]
            }
            NatsAuth::Token(file) => vec![(Slot::NatsToken, file)],
        };
        let only_explicit_auth = !explicit.is_empty();
        let tls = &config.nats.tls;
        for (slot, file) in [
            (Slot::NatsCa, &tls.ca_file),
            (Slot::NatsCert, &tls.cert_file),
            (Slot::NatsKey, &tls.key_file),
        ] {
            explicit.extend(file.clone().map(|file| (slot, file)));
        }
        Some(Self {
            dir: config.secrets_dir.clone()?,
            explicit,
            only_explicit_auth,
            url_has_user: config.nats.servers.iter().any(ServerUrl::has_credentials),
        })
    }

    /// Reads every file. Never fails: what went wrong is part of the result.
    pub(super) fn read(&self) -> Snapshot {
        let files = Slot::ALL.iter().filter_map(|(slot, name)| {
            let named = self
                .explicit
                .iter()
                .find(|(named, _)| named == slot)
                .map(|(_, path)| path.clone());
            // Credentials named in the configuration replace all of the directory's, not only those of the
            // same kind.
            if named.is_none() && self.only_explicit_auth && slot.is_nats_auth() {
                return None;
            }
            let required = named.is_some();
            let path = named.unwrap_or_else(|| self.dir.join(name));
            Some(SecretFile {
                slot: *slot,
                name,
                required,
                content: Content::read(&path),
                path,
            })
        });
        Snapshot {
            files: files.collect(),
        }
    }
}

/// All files at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) files: Vec<SecretFile>,
}

/// One file at one moment.
#[derive(Debug)]
pub(super) struct SecretFile {
    pub(super) slot: Slot,
    /// The name a message uses: that of the file in the directory, whatever path the configuration names.
    pub(super) name: &'static str,
    /// Named in the configuration, so it has to exist.
    pub(super) required: bool,
    pub(super) path: PathBuf,
    pub(super) content: Content,
}

impl Snapshot {
    /// Stands for the content of all files.
    pub(super) fn digest(&self) -> Digest {
        Self::digest_of(self.files.iter())
    }

    /// Stands for the content of the files the connection to the broker needs.
    pub(super) fn nats_digest(&self) -> Digest {
        let ours =
            |slot| matches!(slot, Slot::VerifyToken | Slot::ProbeKey) || Slot::APP_SECRETS.contains(&slot);
        Self::digest_of(self.files.iter().filter(|file| !ours(file.slot)))
    }

    fn digest_of<'a>(files: impl Iterator<Item = &'a SecretFile>) -> Digest {
        Digest::of(files.flat_map(|file| [file.name.as_bytes(), file.content.tag(), file.content.bytes()]))
    }

    /// The file of `slot`.
    pub(super) fn get(&self, slot: Slot) -> Option<&SecretFile> {
        self.files.iter().find(|file| file.slot == slot)
    }
}

/// What a file held. `Debug` never shows it.
pub(super) enum Content {
    /// There is no such file.
    Absent,
    /// There is one and it cannot be read.
    Unreadable(io::ErrorKind),
    /// There is one too large to be a secret.
    TooLarge,
    /// Its bytes.
    Bytes(Zeroizing<Vec<u8>>),
}

impl Content {
    fn read(path: &Path) -> Self {
        match Self::try_read(path) {
            Ok(bytes) if bytes.len() as u64 > LARGEST => Self::TooLarge,
            Ok(bytes) => Self::Bytes(bytes),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Self::Absent
            }
            Err(error) => Self::Unreadable(error.kind()),
        }
    }

    fn try_read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        let file = File::open(path)?;
        // Room for all of it from the start: a vector that grows leaves copies behind that nobody wipes.
        let expected = file.metadata()?.len().min(LARGEST) + 2;
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(expected).unwrap_or_default()));
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn tag(&self) -> &'static [u8] {
        match self {
            Self::Absent => b"absent",
            Self::Unreadable(_) => b"unreadable",
            Self::TooLarge => b"too large",
            Self::Bytes(_) => b"bytes",
        }
    }

    fn bytes(&self) -> &[u8] {
        if let Self::Bytes(bytes) = self { bytes } else { &[] }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(self.tag()))
    }
}
