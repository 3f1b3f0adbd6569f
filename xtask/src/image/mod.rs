//! `cargo xtask image`: the receiver, the operator and NATS as container images, without an engine.
//!
//! Programs are built statically and written into OCI archives by the testbed. The Dockerfiles beside the crates make the
//! same images of the same programs, where an engine is at hand.

mod build;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use wahook_testbed::image::{Image, ImageError, USER, Written};
use wahook_testbed::nats;

use crate::workspace::{Workspace, WorkspaceError};

/// Where images go unless told otherwise, in the workspace: what the Dockerfiles take for their context.
const OUT: &str = "target/image";
/// What the images are called in front of their own name: the chart's default.
const REPOSITORY: &str = "ghcr.io/wahook";
/// The name under which the chart looks for NATS.
const NATS_REPOSITORY: &str = "docker.io/library/nats";
/// Where Debian, Ubuntu, Alpine and Arch keep the authorities they trust.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Arguments of `cargo xtask image`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ImageArgs {
    /// Optimise fully, as for a release; slow to build
    #[arg(long)]
    pub(crate) release: bool,

    /// The tag of the receiver's and the operator's image
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    pub(crate) tag: String,

    /// The authorities that the images trust on the internet, a PEM file (default: those of this machine)
    #[arg(long, value_name = "FILE")]
    pub(crate) authorities: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Into the cluster made here:
  cargo xtask image && cargo xtask cluster load target/image/*.tar

Into others:
  kind load image-archive target/image/wahook-receiver.tar
  podman load --input target/image/wahook-receiver.tar
  skopeo copy oci-archive:target/image/wahook-receiver.tar docker://registry.example.com/wahook-receiver:1

With an engine, of the programs built here:
  docker build --file receiver/Dockerfile target/image

The same sources, compiler and authorities give the same bytes. SOURCE_DATE_EPOCH is the time in the images (1970 without).";

/// The images could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// The programs.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// NATS.
    #[error(transparent)]
    Nats(#[from] nats::InstallError),
    /// An archive.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Not Linux.
    #[error("images are built on Linux, where their programs run; use a Linux machine or a release's images")]
    NotLinux,
    /// `SOURCE_DATE_EPOCH` is no time.
    #[error("SOURCE_DATE_EPOCH is {0:?}; expected seconds since 1970")]
    Time(String),
}

/// An image that was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) archive: PathBuf,
    pub(crate) written: Written,
}

/// Builds and writes all images, and shows them.
pub(crate) fn run(workspace: &Workspace, args: &ImageArgs) -> Result<ExitCode, MakeError> {
    let made = make(workspace, args)?;
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_header(["image", "processor", "MiB", "digest"]);
    for image in &made {
        table.add_row([
            image.name.clone(),
            image.written.architecture.to_owned(),
            mebibytes(image.written.bytes),
            image.written.digest[..19].to_owned(),
        ]);
    }
    if let Some(sizes) = table.column_mut(2) {
        sizes.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    for image in &made {
        println!("{}", image.archive.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds and writes all images: receiver, operator, NATS.
pub(crate) fn make(workspace: &Workspace, args: &ImageArgs) -> Result<Vec<Made>, MakeError> {
    let created = created()?;
    let server = nats::nats_server()?;
    let programs = build::programs(workspace, args.release)?;
    let out = workspace.file(OUT);
    let authorities = authorities(args.authorities.as_deref(), &out)?;
    let mut made = Vec::new();
    for (program, about) in programs.iter().zip(build::PROGRAMS) {
        let image = Image {
            name: &format!("{REPOSITORY}/{}:{}", about.name, args.tag),
            program,
            user: USER,
            labels: about.labels(&args.tag),
            authorities: authorities.as_deref(),
            created,
        };
        let made_now = write(&image, &out, about.name)?;
        stage(program, about.name, made_now.written.architecture, &out)?;
        made.push(made_now);
    }
    let image = Image {
        name: &format!("{NATS_REPOSITORY}:{}", nats::VERSION),
        program: &server,
        user: USER,
        labels: BTreeMap::new(),
        authorities: None,
        created,
    };
    made.push(write(&image, &out, "nats")?);
    Ok(made)
}

fn write(image: &Image<'_>, out: &Path, file: &str) -> Result<Made, MakeError> {
    fs::create_dir_all(out).map_err(failed(out))?;
    let archive = out.join(format!("{file}.tar"));
    let written = image.write(&archive)?;
    Ok(Made {
        name: image.name.to_owned(),
        archive,
        written,
    })
}

/// Puts a program where the Dockerfiles look for it: below the name of its processor, as engines spell it.
fn stage(program: &Path, name: &str, architecture: &str, out: &Path) -> Result<(), MakeError> {
    let directory = out.join(architecture);
    fs::create_dir_all(&directory).map_err(failed(&directory))?;
    let target = directory.join(name);
    // A copy: cargo writes over its own file.
    fs::copy(program, &target).map(drop).map_err(failed(&target))
}

/// The authorities, beside the programs. Without any, public TLS is refused by what runs in the image.
fn authorities(named: Option<&Path>, out: &Path) -> Result<Option<PathBuf>, MakeError> {
    let source = named.unwrap_or(Path::new(AUTHORITIES));
    if named.is_none() && !source.exists() {
        eprintln!("image: there is no {AUTHORITIES}; the images trust no public authority");
        return Ok(None);
    }
    fs::create_dir_all(out).map_err(failed(out))?;
    let target = out.join("ca-certificates.crt");
    fs::copy(source, &target).map_err(failed(source))?;
    Ok(Some(target))
}

fn created() -> Result<u32, MakeError> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.parse().map_err(|_| MakeError::Time(text)),
        Err(_) => Ok(0),
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> MakeError {
    let path = path.to_owned();
    move |source| MakeError::Io { path, source }
}

/// Rounded up, with one digit behind the point.
fn mebibytes(bytes: u64) -> String {
    let tenths = (bytes * 10).div_ceil(1024 * 1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Both ways to an image must agree: what the Dockerfile says is what the archive says.
    #[test]
    fn the_dockerfiles_make_the_same_images() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for about in build::PROGRAMS {
            let directory = about.name.strip_prefix("wahook-").unwrap();
            let text = fs::read_to_string(root.join(directory).join("Dockerfile")).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let copied = format!("COPY --chmod=0755 ${{TARGETARCH}}/{0} /{0}", about.name);
            for line in [
                "FROM scratch",
                &copied,
                "COPY --chmod=0644 ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
                &format!("USER {USER}"),
                &format!("ENTRYPOINT [\"/{}\"]", about.name),
            ] {
                assert!(lines.contains(&line), "{line:?} is missing in:\n{text}");
            }
            for (key, value) in about.labels("${VERSION}") {
                let label = format!("{key}=\"{value}\"");
                assert!(text.contains(&label), "{label} is missing in:\n{text}");
            }
        }
    }

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(mebibytes(1), "0.1");
        assert_eq!(mebibytes(16 * 1024 * 1024), "16.0");
        assert_eq!(mebibytes(16 * 1024 * 1024 + 1), "16.1");
    }
}
