//! `cargo xtask test`: installs what the tests need, runs them all, says how long each binary took.

mod kubernetes;
mod tally;
mod tools;

use std::io::{self, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Instant;

use clap::Args;
use wahook_testbed::kube;
use wahook_testbed::nats::{self, InstallError};

use self::tally::Tally;
use self::tools::MissingTool;
use crate::workspace::{WHOLE, Workspace, WorkspaceError};

/// Arguments of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Only the tests that need a Kubernetes control plane
    #[arg(long, conflicts_with = "no_kubernetes")]
    pub(crate) kubernetes: bool,

    /// Leave those out: a machine that never ran them builds Kubernetes for them first, for a quarter of an hour
    #[arg(long)]
    pub(crate) no_kubernetes: bool,

    /// Goes to `cargo test` as it is: a filter, `--package`, or `-- --nocapture`. Then Kubernetes only with --kubernetes
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
    /// No helm, or something like it.
    #[error(transparent)]
    Tool(#[from] MissingTool),
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
    if Round::Kubernetes.is_wanted(args) {
        kube::programs()?;
    }
    let mut programs = Vec::new();
    if Round::Usual.is_wanted(args) {
        programs = tools::install()?;
    }
    programs.push(("NATS_SERVER", server));
    programs.push(("WAHOOK_RECEIVER", workspace.build_receiver()?));
    let mut tally = Tally::default();
    let mut failed = None;
    for round in Round::ALL.into_iter().filter(|round| round.is_wanted(args)) {
        let status = follow(round.command(workspace, args, &programs), &mut tally)?;
        if !status.success() {
            failed = Some(status);
        }
    }
    Ok(report(tally, failed))
}

/// One call of `cargo test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Everything that is not ignored.
    Usual,
    /// What needs a control plane.
    Kubernetes,
}

/// How many tests that need a control plane run at a time: they wait for it most of the time, however few cores there are.
const AT_ONCE: u8 = 8;

impl Round {
    const ALL: [Self; 2] = [Self::Usual, Self::Kubernetes];

    fn is_wanted(self, args: &TestArgs) -> bool {
        match self {
            Self::Usual => !args.kubernetes,
            // Whoever chooses tests has not asked for these.
            Self::Kubernetes => args.kubernetes || (!args.no_kubernetes && args.rest.is_empty()),
        }
    }

    /// With the paths of programs in the variables that name them.
    fn command(self, workspace: &Workspace, args: &TestArgs, programs: &[(&str, PathBuf)]) -> Command {
        let mut command = workspace.cargo();
        command.arg("test").arg("--no-fail-fast").args(WHOLE);
        let mut rest = args.rest.as_slice();
        if self == Self::Kubernetes {
            for binary in kubernetes::BINARIES {
                command.args(["--test", binary]);
            }
            // What is for cargo stays before the dashes, what is for the tests comes after them.
            let dashes = rest.iter().position(|word| word == "--");
            let (for_cargo, for_tests) = rest.split_at(dashes.unwrap_or(rest.len()));
            command.args(for_cargo).args(["--", "--ignored"]);
            if !rest.iter().any(|word| word.starts_with("--test-threads")) {
                command.arg(format!("--test-threads={AT_ONCE}"));
            }
            rest = for_tests.get(1..).unwrap_or_default();
        }
        let programs = programs.iter().map(|(variable, path)| (variable, path));
        command.args(rest).envs(programs);
        command
    }
}

/// Runs cargo, passes on what it prints and counts.
fn follow(mut command: Command, tally: &mut Tally) -> io::Result<ExitStatus> {
    // One pipe for both outputs, so that what a test binary says stands below the line that names it.
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // It holds the pipe's other end: the reader would wait for it.
    drop(command);
    let passed_on = pass_on(BufReader::new(reader), tally);
    let status = child.wait()?;
    passed_on?;
    Ok(status)
}

fn pass_on(mut reader: impl io::BufRead, tally: &mut Tally) -> io::Result<()> {
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

fn report(tally: Tally, failed: Option<ExitStatus>) -> ExitCode {
    let mut summary = tally.finish(Instant::now());
    if let Some(status) = failed
        && summary.failed == 0
    {
        // It did not compile, or cargo itself failed: nothing passed for certain.
        summary.failed = 1;
        println!("cargo test ended with {status} before every test was run");
    }
    print!("{summary}");
    if summary.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(round: Round, rest: &[&str]) -> Vec<String> {
        let args = TestArgs {
            kubernetes: false,
            no_kubernetes: false,
            rest: rest.iter().map(ToString::to_string).collect(),
        };
        let workspace = Workspace::at("/w");
        let command = round.command(&workspace, &args, &[]);
        let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
        words
            .skip_while(|word| word != "--all-features")
            .skip(1)
            .collect()
    }

    #[test]
    fn what_the_user_adds_reaches_both_rounds() {
        assert_eq!(
            arguments(Round::Usual, &["name", "--", "--nocapture"]),
            ["name", "--", "--nocapture"]
        );
        let both = arguments(Round::Kubernetes, &["name", "--", "--nocapture"]);
        assert!(
            both.ends_with(
                &["name", "--", "--ignored", "--test-threads=8", "--nocapture"].map(str::to_owned)
            ),
            "{both:?}"
        );
        let none = arguments(Round::Kubernetes, &[]);
        assert!(
            none.ends_with(&["--", "--ignored", "--test-threads=8"].map(str::to_owned)),
            "{none:?}"
        );
        let own = arguments(Round::Kubernetes, &["--", "--test-threads=1"]);
        assert!(
            own.ends_with(&["--ignored", "--test-threads=1"].map(str::to_owned)),
            "{own:?}"
        );
    }
}
