//! A cluster's directory: whose it is, what is remembered in it, one `up` or `down` in it at a time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::KubeError;
use super::node::Extent;
use super::pki::write_once;

/// The file that says: this directory is a cluster's.
const MARKER: &str = "cluster.json";
const LOCK: &str = "lock";

/// What a running cluster was started as. Another one means starting its processes anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    pub(crate) version: String,
    /// The API server's port on 127.0.0.1; of no meaning where it is on the node's network.
    pub(crate) port: u16,
    #[serde(default)]
    pub(crate) extent: Extent,
}

impl Marker {
    /// The marker of the cluster in `directory`, if there is one.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, KubeError> {
        match fs::read_to_string(directory.join(MARKER)) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| KubeError::io(format!("read {MARKER}"))(error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KubeError::io(format!("read {MARKER}"))(error)),
        }
    }

    pub(crate) fn write(&self, directory: &Path) -> Result<(), KubeError> {
        let text =
            serde_json::to_string(self).map_err(|error| KubeError::io("write a file")(error.into()))?;
        write_once(&directory.join(MARKER), &text)
    }
}

/// The directory, made if need be. One that holds something else is refused: deleting a cluster deletes it all.
pub(crate) fn own(directory: &Path) -> Result<PathBuf, KubeError> {
    let make = || {
        fs::create_dir_all(directory)?;
        let directory = directory.canonicalize()?;
        let used = fs::read_dir(&directory)?.next().is_some();
        if used && !directory.join(LOCK).exists() {
            return Err(io::Error::other(
                "it holds something that is no cluster; name an empty directory or a new one",
            ));
        }
        Ok(directory)
    };
    make().map_err(KubeError::io(format!("use {}", directory.display())))
}

/// The absolute path of a directory in which a cluster is or was.
pub(crate) fn find(directory: &Path) -> Result<Option<PathBuf>, KubeError> {
    if !directory.join(MARKER).exists() {
        return Ok(None);
    }
    let absolute = directory.canonicalize();
    absolute
        .map(Some)
        .map_err(KubeError::io(format!("use {}", directory.display())))
}

/// One `up` or `down` at a time. The lock ends with the file handle, also when its owner is killed.
pub(crate) async fn locked(directory: &Path) -> Result<File, KubeError> {
    let path = directory.join(LOCK);
    let lock = move || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(lock)
        .await
        .map_err(|error| KubeError::io("wait for the lock")(error.into()))?
        .map_err(KubeError::io("wait for the lock"))
}
