//! Reads app secrets for the command-line tools, byte for byte.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::UsageError;

/// The environment variable that holds the app secret when no file is named.
const VARIABLE: &str = "WHATSAPP_APP_SECRET";

/// An app secret exactly as it was given, and where it came from.
pub struct GivenSecret {
    /// The file or variable, for messages.
    pub name: String,
    /// Everything the file holds, a trailing newline included.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl GivenSecret {
    /// The secret as the receiver loads it: without one trailing newline.
    pub fn loaded(&self) -> &[u8] {
        let bytes = self.bytes.as_slice();
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        bytes.strip_suffix(b"\r").unwrap_or(bytes)
    }
}

/// Shows where a secret came from and its length, never the secret.
impl fmt::Debug for GivenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GivenSecret({}, {} bytes)", self.name, self.bytes.len())
    }
}

/// Reads every file, or `WHATSAPP_APP_SECRET` when there is none.
pub(super) fn read_all(files: &[PathBuf]) -> Result<Vec<GivenSecret>, UsageError> {
    if !files.is_empty() {
        return files.iter().map(|file| read(file)).collect();
    }
    let value = std::env::var_os(VARIABLE)
        .filter(|value| !value.is_empty())
        .ok_or(UsageError::NoSecret)?;
    let bytes = Zeroizing::new(value.into_encoded_bytes());
    Ok(vec![GivenSecret {
        name: VARIABLE.to_owned(),
        bytes,
    }])
}

fn read(path: &Path) -> Result<GivenSecret, UsageError> {
    let bytes = std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|source| UsageError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    if bytes.trim_ascii().is_empty() {
        return Err(UsageError::BlankSecret {
            path: path.to_owned(),
        });
    }
    Ok(GivenSecret {
        name: path.display().to_string(),
        bytes,
    })
}
