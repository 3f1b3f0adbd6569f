//! Certificate authorities, as a file of the operator holds them now: who runs a private authority replaces its certificate
//! in that file, and whoever trusts it has to follow before the old one ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream;
use tokio::sync::watch;
use tracing::{info, warn};

/// How often the file is looked at.
const POLL: Duration = Duration::from_secs(10);

/// Certificates in PEM, or none. Clones share them.
#[derive(Clone, Debug)]
pub struct Authorities(watch::Sender<Option<String>>);

impl Default for Authorities {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl From<&str> for Authorities {
    fn from(pem: &str) -> Self {
        Self(watch::Sender::new(Some(pem.to_owned())))
    }
}

impl Authorities {
    /// Reads a file.
    ///
    /// # Errors
    /// Says what is wrong with it, and what to write instead.
    pub fn read(file: &Path) -> Result<Self, String> {
        read(file).map(|pem| Self::from(pem.as_str()))
    }

    /// The certificates as they are now.
    pub fn current(&self) -> Option<String> {
        self.0.borrow().clone()
    }

    /// Follows the file that a flag names, for ever; without one it only waits. A file that cannot be used leaves the last
    /// good certificates.
    pub async fn follow(&self, flag: &str, file: Option<&Path>) {
        let Some(file) = file.map(PathBuf::from) else {
            return std::future::pending().await;
        };
        let mut trouble = None;
        loop {
            tokio::time::sleep(POLL).await;
            let path = file.clone();
            let Ok(found) = tokio::task::spawn_blocking(move || read(&path)).await else {
                return;
            };
            match found {
                Ok(pem) => {
                    trouble = None;
                    if self.replace(pem) {
                        info!(flag, "the certificate authorities changed");
                    }
                }
                Err(error) if trouble.as_ref() != Some(&error) => {
                    warn!(
                        flag,
                        error, "certificate authorities cannot be used, the last good ones stay"
                    );
                    trouble = Some(error);
                }
                Err(_) => {}
            }
        }
    }

    /// Answers whether these are others than before.
    fn replace(&self, pem: String) -> bool {
        self.0.send_if_modified(|known| {
            let is_new = known.as_ref() != Some(&pem);
            *known = Some(pem);
            is_new
        })
    }

    /// Tells of each change.
    pub fn changes(&self) -> impl Stream<Item = ()> + Send + 'static {
        stream::unfold(self.0.subscribe(), async |mut changes| {
            changes.changed().await.ok().map(|()| ((), changes))
        })
    }
}

fn read(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("{} cannot be read: {}", file.display(), error.kind()))?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        Ok(text)
    } else {
        Err("name a file with certificates in PEM, which begin with -----BEGIN CERTIFICATE-----".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::StreamExt as _;

    use super::*;

    const ONE: &str = "-----BEGIN CERTIFICATE-----\none\n";
    const TWO: &str = "-----BEGIN CERTIFICATE-----\ntwo\n";

    #[tokio::test(start_paused = true)]
    async fn the_file_is_followed_and_a_bad_one_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.crt");
        fs::write(&file, ONE).unwrap();
        let authorities = Authorities::read(&file).unwrap();
        let shared = authorities.clone();
        let mut changes = std::pin::pin!(authorities.changes());
        let following = tokio::spawn({
            let (authorities, file) = (authorities.clone(), file.clone());
            async move { authorities.follow("--ca-file", Some(&file)).await }
        });
        fs::write(&file, "").unwrap();
        tokio::time::sleep(POLL * 3).await;
        assert_eq!(shared.current().as_deref(), Some(ONE));
        fs::write(&file, TWO).unwrap();
        changes.next().await.unwrap();
        assert_eq!(shared.current().as_deref(), Some(TWO));
        following.abort();
    }
}
