//! `cargo xtask test`: installs what the tests need, runs them all, says how long each binary took.

mod tally;

use std::io::{self, BufReader, Write as _};
use std::process::{ExitCode, ExitStatus};
use std::time::Instant;

use clap::Args;
use wahook_testbed::kube;
use wahook_testbed::nats::{self, InstallError};

use self::tally::Tally;
use crate::workspace::{WHOLE, Workspace, WorkspaceError};

/// Arguments of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Run the tests that need a Kubernetes control plane instead: builds one, once, in a quarter of an hour
    #[arg(long)]
    pub(crate) kubernetes: bool,

    /// Goes to `cargo test` as it is: a filter, `--package`, or `-- --nocapture`
    #[arg(last = true)]
    pub(crate) rest: Vec<String>,
}

/// The tests could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TestError {
    /// No NATS server.
    #[error(transparent)]
    Nats(#[from] InstallError),
    /// No control plane.
    #[error(transparent)]
    Kubernetes(#[from] kube::InstallError),
    /// No receiver.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Cargo's output could not be read or passed on.
    #[error("cannot follow cargo's output: {0}")]
    Output(#[from] io::Error),
}

/// Runs every test; fails when one fails. The last line is `N passed, N failed`.
pub(crate) fn run(workspace: &Workspace, args: &TestArgs) -> Result<ExitCode, TestError> {
    let server = nats::nats_server()?;
    let receiver = workspace.build_receiver()?;
    let mut command = workspace.cargo();
    command.arg("test").arg("--no-fail-fast");
    if args.kubernetes {
        kube::programs()?;
        command.args([
            "--package",
            "wahook-testbed",
            "--test",
            "kube_control_plane",
            "--test",
            "kube_node",
        ]);
        command.args(["--", "--ignored"]);
    } else {
        command.args(WHOLE);
    }
    command
        .args(&args.rest)
        .env("NATS_SERVER", server)
        .env("WAHOOK_RECEIVER", receiver);

    // One pipe for both outputs, so that what a test binary says stands below the line that names it.
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // It holds the pipe's other end: the reader would wait for it.
    drop(command);
    let mut tally = Tally::default();
    let followed = follow(BufReader::new(reader), &mut tally);
    let status = child.wait()?;
    followed?;
    Ok(report(tally, status))
}

fn follow(mut reader: impl io::BufRead, tally: &mut Tally) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        out.write_all(&line)?;
        out.flush()?;
        tally.line(String::from_utf8_lossy(&line).trim_end(), Instant::now());
        line.clear();
    }
    Ok(())
}

fn report(tally: Tally, status: ExitStatus) -> ExitCode {
    let mut summary = tally.finish(Instant::now());
    if !status.success() && summary.failed == 0 {
        // It did not compile, or cargo itself failed: nothing passed for certain.
        summary.failed = 1;
        println!("cargo test ended with {status} before every test was run");
    }
    print!("{summary}");
    if summary.failed == 0 && status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
