//! What can go wrong while Kubernetes is built, started or asked.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::install::InstallError;
use crate::image::ImageError;
use crate::tools::ToolError;
use crate::wheel::WheelError;

/// A control plane or node could not be built, started, reached or stopped.
#[derive(Debug, thiserror::Error)]
pub enum KubeError {
    /// The programs are not here and could not be built.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A file, socket or process call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A socket's path would be longer than a system allows.
    #[error(
        "{} is too long for a directory with sockets (at most {limit} bytes); choose a shorter one",
        directory.display()
    )]
    PathTooLong {
        /// The directory asked for.
        directory: PathBuf,
        /// How many bytes its path may have.
        limit: usize,
    },
    /// A key or certificate could not be made or read.
    #[error("make test certificates: {0}; delete the directory they are in and start again")]
    Certificate(String),
    /// A part ended, or the whole did not get ready in time.
    #[error("{part} {problem}. Its last lines:\n{log_tail}")]
    NotReady {
        /// The program that kept the others waiting.
        part: &'static str,
        /// What happened instead.
        problem: String,
        /// The end of its log.
        log_tail: String,
    },
    /// The call needs a running control plane and this one was stopped.
    #[error("the control plane is stopped; call restart() first")]
    Stopped,
    /// The API server could not be asked.
    #[error("ask the API server: {0}; is it still running?")]
    Http(#[from] reqwest::Error),
    /// The API server answered something else than success.
    #[error("the API server answered {path} with {status}: {message}")]
    Refused {
        /// The path asked for.
        path: String,
        /// The HTTP status code.
        status: u16,
        /// Its explanation.
        message: String,
    },
    /// What others publish about their kinds could not be fetched.
    #[error(
        "fetch {module}: {reason}. What helps: Go 1.26 or newer on PATH and access to the Go module proxy"
    )]
    Definitions {
        /// The Go module they are in.
        module: String,
        /// What went wrong.
        reason: String,
    },
    /// A command of the system failed.
    #[error("`{command}` ended with {status}: {complaint}")]
    Command {
        /// The program and its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote.
        complaint: String,
    },
    /// The machine is not fit for a node; says what to do.
    #[error("{0}")]
    Host(String),
    /// Another directory's node runs here, and there is room for one.
    #[error(
        "a node of {} runs on this machine, and there is room for one: take it down first \
         (cargo xtask cluster down --directory {})",
        directory.display(),
        directory.display()
    )]
    OtherNode {
        /// Its directory.
        directory: PathBuf,
    },
    /// Something of the machine is in the way of the node's network.
    #[error(
        "addresses or routes of 10.254.0.0/16 are on {} already, and pods with the same addresses would be cut off. What \
         another node left goes by `ip link delete dev {}`; a network of yours in this range and a node exclude each other",
        devices.join(", "),
        devices.first().map_or("DEVICE", String::as_str)
    )]
    NetworkTaken {
        /// The devices.
        devices: Vec<String>,
    },
    /// One of the node's programs is not here and could not be built.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// One of the node's programs is not here and could not be fetched.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// An image could not be made.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A process could not be stopped.
    #[error(
        "{part} (process {pid}) still runs {waited:?} after SIGKILL; end it by hand and run `down` again"
    )]
    StillRuns {
        /// The program.
        part: String,
        /// Its process id.
        pid: i32,
        /// How long it was given.
        waited: Duration,
    },
}

impl KubeError {
    /// For `map_err`: names the action that failed.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            doing: doing.into(),
            source,
        }
    }
}
