//! The files that the operator logs in with, all read at one moment. The only place that touches the file system.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Larger files are no secrets. A bundle of certificate authorities has a few hundred KiB.
const LARGEST: u64 = 1024 * 1024;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Credentials,
    Nkey,
    User,
    Password,
    Token,
    Certificate,
    Key,
    Authorities,
}

impl Slot {
    const ALL: [Self; 8] = [
        Self::Credentials,
        Self::Nkey,
        Self::User,
        Self::Password,
        Self::Token,
        Self::Certificate,
        Self::Key,
        Self::Authorities,
    ];

    /// What messages call it: the file's name in the directory, or the flag that names it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Credentials => "nats.creds",
            Self::Nkey => "nats.nkey",
            Self::User => "nats.user",
            Self::Password => "nats.password",
            Self::Token => "nats.token",
            Self::Certificate => "nats-tls.crt",
            Self::Key => "nats-tls.key",
            Self::Authorities => "--nats-ca-file",
        }
    }
}

/// Where the files are.
#[derive(Clone, Debug, Default)]
pub(super) struct LoginFiles {
    /// The directory of the login; without one nobody logs in.
    pub(super) dir: Option<PathBuf>,
    /// The authorities to trust; the system's without.
    pub(super) ca: Option<PathBuf>,
}

impl LoginFiles {
    /// Where the file of `slot` is.
    pub(super) fn path(&self, slot: Slot) -> Option<PathBuf> {
        match slot {
            Slot::Authorities => self.ca.clone(),
            slot => self.dir.as_ref().map(|dir| dir.join(slot.name())),
        }
    }

    /// Reads all of them. Never fails: what went wrong is part of the result.
    pub(super) fn read(&self) -> Snapshot {
        let contents = Slot::ALL
            .into_iter()
            .filter_map(|slot| Some((slot, Content::read(&self.path(slot)?))))
            .collect();
        Snapshot { contents }
    }
}

/// All files at one moment.
pub(super) struct Snapshot {
    contents: Vec<(Slot, Content)>,
}

impl Snapshot {
    /// What the file of `slot` holds.
    pub(super) fn get(&self, slot: Slot) -> &Content {
        self.contents
            .iter()
            .find_map(|(of, content)| (*of == slot).then_some(content))
            .unwrap_or(&Content::Absent)
    }

    /// Stands for the content of all files, to notice a change.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for (slot, content) in &self.contents {
            let (tag, bytes) = content.parts();
            for part in [slot.name().as_bytes(), tag, bytes] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        }
        hasher.finalize().into()
    }
}

/// What a file held. Without `Debug`.
pub(super) enum Content {
    /// There is no such file.
    Absent,
    /// There is one and it cannot be read.
    Unreadable(io::ErrorKind),
    /// There is one too large to be a secret.
    TooLarge,
    /// There is one that is not text.
    NotText,
    /// Its text.
    Text(Zeroizing<String>),
}

impl Content {
    fn read(path: &Path) -> Self {
        match Self::try_read(path) {
            Ok(bytes) if bytes.len() as u64 > LARGEST => Self::TooLarge,
            Ok(bytes) => std::str::from_utf8(&bytes)
                .map_or(Self::NotText, |text| Self::Text(Zeroizing::new(text.to_owned()))),
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

    fn parts(&self) -> (&'static [u8], &[u8]) {
        match self {
            Self::Absent => (b"absent", b""),
            Self::Unreadable(_) => (b"unreadable", b""),
            Self::TooLarge => (b"too large", b""),
            Self::NotText => (b"not text", b""),
            Self::Text(text) => (b"text", text.as_bytes()),
        }
    }
}
