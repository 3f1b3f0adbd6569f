//! `cargo xtask bench`: builds the receiver, the floors and the benchmark for release, and hands over to the benchmark.

use std::env;
use std::io;
use std::process::{Command, ExitCode};

use clap::Args;
use wahook_bench::options::Options;

use crate::workspace::{RECEIVER, Workspace, WorkspaceError};

const BENCH: &str = "wahook-bench";

/// Arguments of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Read here, so that a mistake is told before minutes of building; the benchmark reads them again.
    #[command(flatten)]
    _options: Options,
}

/// The benchmark could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// A build failed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// It was built and cannot be started.
    #[error("the benchmark does not start: {0}")]
    Start(io::Error),
    /// It was built into no directory.
    #[error("the benchmark's programs are in no directory")]
    NoDirectory,
}

/// Builds, runs, and ends as the benchmark does.
pub(crate) fn run(workspace: &Workspace, _: &BenchArgs) -> Result<ExitCode, BenchError> {
    let receiver = workspace.build_alone(RECEIVER, true)?;
    let bench = workspace.build_alone(BENCH, true)?;
    let floors = bench.parent().ok_or(BenchError::NoDirectory)?;
    let mut command = Command::new(&bench);
    command
        .arg("--workspace")
        .arg(workspace.file(""))
        .arg("--receiver")
        .arg(receiver)
        .arg("--floors")
        .arg(floors)
        // What was given to this program, without its name and `bench`.
        .args(env::args_os().skip(2));
    let status = command.status().map_err(BenchError::Start)?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
