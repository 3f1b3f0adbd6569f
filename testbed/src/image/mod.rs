//! Container images without an engine and without a registry: one static program in an OCI archive.
//!
//! What is written depends on the program's bytes and the fields of [`Image`] alone: no clock, no user, no order of a
//! directory. The same build gives the same digest. `ctr images import`, `podman load`, `kind load image-archive` and
//! `skopeo copy oci-archive:` read it.

mod elf;
mod layout;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::elf::Unfit;

/// The user every image runs as: nobody's, and the same as in the Dockerfiles.
pub const USER: &str = "65532:65532";

/// An image with one program in it, and nothing else but what [`Image::authorities`] names.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// The name with its tag under which a cluster finds it, such as `ghcr.io/wahook/wahook-receiver:0.1.0`.
    pub name: &'a str,
    /// The program, a static ELF file. It is in the image's root under its own name, and what the image runs.
    pub program: &'a Path,
    /// The user and the group, as numbers, so that Kubernetes can see that it is not root.
    pub user: &'a str,
    /// The image's labels.
    pub labels: BTreeMap<String, String>,
    /// A PEM file with the authorities that the program trusts on the internet.
    pub authorities: Option<&'a Path>,
    /// When the image counts as made, in seconds since 1970 (see reproducible-builds.org, `SOURCE_DATE_EPOCH`).
    pub created: u32,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The digest of the manifest, `sha256:...`: what the image is referred to by.
    pub digest: String,
    /// The size of the archive.
    pub bytes: u64,
    /// The processor it is for, as Go spells it: `amd64`, `arm64`.
    pub architecture: &'static str,
}

/// An image could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The program would not run where there is nothing else.
    #[error("{} does not go into an empty image: {reason}", program.display())]
    Unfit {
        /// The program.
        program: PathBuf,
        /// Why.
        reason: Unfit,
    },
    /// The name lacks a tag, without which nothing finds the image.
    #[error("{0:?} is no name of an image: it needs a tag, as in example.com/name:1.0")]
    Name(String),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
}

impl Image<'_> {
    /// Writes the archive, whole or not at all.
    ///
    /// # Errors
    /// [`ImageError`].
    pub fn write(&self, archive: &Path) -> Result<Written, ImageError> {
        if !self
            .name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains(':'))
        {
            return Err(ImageError::Name(self.name.to_owned()));
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ImageError::Io { path, source }
        };
        let program = fs::read(self.program).map_err(failed(self.program))?;
        let architecture = elf::architecture(&program).map_err(|reason| ImageError::Unfit {
            program: self.program.to_owned(),
            reason,
        })?;
        let authorities = match self.authorities {
            Some(path) => Some(fs::read(path).map_err(failed(path))?),
            None => None,
        };
        let file = self
            .program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let layout = layout::render(self, &file, &program, authorities.as_deref(), architecture)
            .map_err(failed(archive))?;
        let scratch = archive.with_extension("new");
        fs::write(&scratch, &layout.bytes).map_err(failed(&scratch))?;
        fs::rename(&scratch, archive).map_err(failed(archive))?;
        Ok(Written {
            digest: layout.digest,
            bytes: layout.bytes.len() as u64,
            architecture,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image<'a>(name: &'a str, program: &'a Path) -> Image<'a> {
        Image {
            name,
            program,
            user: USER,
            labels: BTreeMap::from([("org.opencontainers.image.title".to_owned(), "tool".to_owned())]),
            authorities: None,
            created: 0,
        }
    }

    #[test]
    fn the_same_program_gives_the_same_bytes_and_another_one_another_digest() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("tool");
        let write = |content: &[u8], archive: &str| {
            fs::write(&program, content).unwrap();
            let archive = directory.path().join(archive);
            let written = image("example.com/tool:1", &program).write(&archive).unwrap();
            (written, fs::read(archive).unwrap())
        };
        let first = write(&elf::tests::program(None), "a.tar");
        let second = write(&elf::tests::program(None), "b.tar");
        assert_eq!(first, second);
        let mut other = elf::tests::program(None);
        other.push(7);
        assert_ne!(write(&other, "c.tar").0.digest, first.0.digest);
    }

    #[test]
    fn a_program_that_needs_a_loader_is_refused_and_nothing_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("image.tar");
        let program = directory.path().join("tool");
        fs::write(&program, elf::tests::program(Some("/lib64/ld-linux-x86-64.so.2"))).unwrap();
        let error = image("example.com/tool:1", &program).write(&archive).unwrap_err();
        assert!(error.to_string().contains("/lib64/ld-linux-x86-64.so.2"), "{error}");
        assert!(!archive.exists());
    }

    #[test]
    fn a_name_without_a_tag_is_refused() {
        for name in ["tool", "localhost:5000/tool"] {
            let error = image(name, Path::new("/nowhere")).write(Path::new("/nowhere.tar"));
            assert!(matches!(error, Err(ImageError::Name(_))), "{name}");
        }
    }
}
