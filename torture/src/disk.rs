//! A small disk that can be filled: a file system in memory. Linux, and root alone.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::geteuid;

/// Bytes that are written at a time, first much and then little.
const PIECES: [usize; 3] = [1 << 20, 1 << 12, 1];

/// There is no such disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    /// This user or this system does not get one.
    #[error("{0}")]
    NotAllowed(String),
    /// Something else.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A mounted file system. Dropping it unmounts it; whoever has files open there goes first.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    /// A disk of so many bytes.
    ///
    /// # Errors
    /// [`DiskError::NotAllowed`] without root or where mounting is forbidden.
    pub(crate) fn mount(bytes: u64) -> Result<Self, DiskError> {
        if !cfg!(target_os = "linux") || !geteuid().is_root() {
            let why = "a small disk is a mounted file system: this needs Linux and root".to_owned();
            return Err(DiskError::NotAllowed(why));
        }
        let directory = tempfile::tempdir()?;
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={bytes},mode=700"),
                "wahook-torture",
            ])
            .arg(directory.path())
            .stdin(Stdio::null())
            .output()?;
        if !mounted.status.success() {
            let why = String::from_utf8_lossy(&mounted.stderr).trim().to_owned();
            return Err(DiskError::NotAllowed(format!(
                "a small disk cannot be mounted: {why}"
            )));
        }
        Ok(Self { directory })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Fills it to the last byte.
    ///
    /// # Errors
    /// The operating system's, but for the one that is wanted.
    pub(crate) fn fill(&self) -> io::Result<()> {
        let mut ballast = File::create(self.ballast())?;
        for size in PIECES {
            let piece = vec![b'.'; size];
            loop {
                match ballast.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Takes what [`Self::fill`] wrote away.
    ///
    /// # Errors
    /// The operating system's.
    pub(crate) fn make_room(&self) -> io::Result<()> {
        std::fs::remove_file(self.ballast())
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may still hold it. Nothing is left to do about a failure.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.directory.path())
            .status();
    }
}
