//! `cargo xtask mutants`: changes of the code that no test notices.

mod outcome;
mod plan;
mod report;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use wahook_testbed::child::find_program;
use wahook_testbed::nats::cache_directory;

use self::outcome::Mutant;
use self::plan::{PARTS, Part, Round};
use self::report::{Found, GOAL};
use crate::paper::Paper;
use crate::workspace::Workspace;

const VERSION: &str = "27.1.0";
const PROGRAM: &str = "cargo-mutants";
/// Where the paper is.
const PAPER: &str = "docs/reports/mutants.md";

/// Arguments of `cargo xtask mutants`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct MutantsArgs {
    /// What to change: signature, split, dedupe or publish; all of them unless named
    #[arg(value_name = "PART", value_parser = part)]
    parts: Vec<&'static Part>,

    /// Print the table only
    #[arg(long)]
    no_report: bool,
}

const AFTER_HELP: &str = "\
Works on a copy of the tree, which it builds once more: have 10 GB free. Each change is first tried with tests of a second or two,
and what they do not notice with slower ones, such as those that need a broker. All of it takes an hour or two on two cores.

Exit code 1 when fewer than 85 % of a part's changes are caught.

Examples:
  After a change of the tests of the local memory:
    cargo xtask mutants dedupe --no-report

  The paper of the repository, a section for each part; commit first, since it names the commit:
    cargo xtask mutants";

/// Why nothing could be tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MutantsError {
    /// A file or process.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// cargo-mutants is not here.
    #[error(
        "cargo-mutants {VERSION} is not on PATH and could not be installed. What helps: \
         `cargo install cargo-mutants --locked --version {VERSION}`"
    )]
    NotInstalled,
    /// cargo-mutants did not get to its end.
    #[error(
        "cargo-mutants ended without a result for {0}; its messages are above. The tests must pass before code is changed"
    )]
    NoResult(&'static str),
}

type Result<T> = std::result::Result<T, MutantsError>;

fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> MutantsError {
    let what = what.into();
    |source| MutantsError::Io { what, source }
}

fn part(name: &str) -> std::result::Result<&'static Part, String> {
    let names = || PARTS.each_ref().map(|part| part.name).join(", ");
    Part::named(name).ok_or_else(|| format!("the parts are {}", names()))
}

/// Changes each part, prints the table, and writes each part's section of the paper once it is done.
pub(crate) fn run(workspace: &Workspace, args: &MutantsArgs) -> Result<ExitCode> {
    let parts: Vec<_> = match &args.parts[..] {
        [] => PARTS.iter().collect(),
        named => named.to_vec(),
    };
    let made = workspace.setting();
    let program = program(workspace)?;
    let paper = Paper::at(workspace.file(PAPER), report::TITLE);
    let mut weak = Vec::new();
    for part in parts {
        let found = try_part(workspace, &program, part)?;
        let builds = builds(workspace, part);
        fs::remove_dir_all(&builds).map_err(io(format!("remove {}", builds.display())))?;
        println!("\n{}", found.text());
        if !args.no_report {
            paper
                .write(part.name, &found.text(), &made, &[("tests", &found.tests)])
                .map_err(io("report"))?;
        }
        if found.caught() < GOAL {
            weak.push(part.name);
        }
    }
    if weak.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("fewer than {GOAL} % caught: {}", weak.join(", "));
    Ok(ExitCode::FAILURE)
}

fn try_part(workspace: &Workspace, program: &Path, part: &'static Part) -> Result<Found> {
    let mut mutants = Vec::new();
    let mut tests = Vec::new();
    for round in part.rounds {
        let missed: Vec<_> = outcome::missed(&mutants)
            .map(|mutant| mutant.name.clone())
            .collect();
        if missed.is_empty() && !tests.is_empty() {
            break;
        }
        let command = part.command(round);
        eprintln!("\nmutants: {}, with {command}", part.name);
        let again = once(workspace, program, part, round, &missed)?;
        outcome::merge(&mut mutants, again);
        tests.push(format!("`{command}`"));
    }
    Ok(Found {
        tests: tests.join(", then "),
        mutants,
    })
}

/// Tries the changes of a part, or only those named, with a round of its tests.
fn once(
    workspace: &Workspace,
    program: &Path,
    part: &Part,
    round: &Round,
    only: &[String],
) -> Result<Vec<Mutant>> {
    let output = workspace.file(&format!("target/mutants/{}", part.name));
    fs::create_dir_all(&output).map_err(io(format!("make {}", output.display())))?;
    let mut command = Command::new(program);
    command
        .arg("mutants")
        .args(["--colors", "never", "--no-shuffle", "--package", part.package])
        .args(["--timeout-multiplier", "3"])
        .args(part.files.iter().flat_map(|file| ["--file", file]))
        .arg("--dir")
        .arg(workspace.file(""))
        .arg("--output")
        .arg(&output)
        // For the build as well: behind `--` they would be for the run alone, and all test programs be built for each change.
        .args(round.targets.iter().map(|target| format!("--cargo-arg={target}")))
        // Its copies share what they depend on; and nobody steps through them.
        .env("CARGO_TARGET_DIR", builds(workspace, part))
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    for name in only {
        command
            .arg("--re")
            .arg(format!("^{}$", regex_syntax::escape(name)));
    }
    command.args(["--", "--"]).args(round.tests);
    // Its exit code says whether something was missed, and much else: the result file says more.
    let status = command.status();
    status.map_err(io(format!("run {}", program.display())))?;
    let file = output.join("mutants.out/outcomes.json");
    let text = fs::read_to_string(&file).map_err(io(format!("read {}", file.display())))?;
    outcome::read(&text)
        .filter(|mutants| !mutants.is_empty())
        .ok_or(MutantsError::NoResult(part.name))
}

/// Where a part's copies are built; removed when all its rounds are over.
fn builds(workspace: &Workspace, part: &Part) -> PathBuf {
    workspace.file(&format!("target/mutants/{}/build", part.name))
}

/// The program: on PATH, in the cache, or installed there now.
fn program(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(path) = find_program(PROGRAM, &env::var_os("PATH").unwrap_or_default()) {
        return Ok(path);
    }
    let home = cache_directory().ok_or(MutantsError::NotInstalled)?;
    let home = home.join(format!("{PROGRAM}-{VERSION}"));
    let path = home.join("bin").join(PROGRAM);
    if !path.is_file() {
        eprintln!("mutants: installing cargo-mutants {VERSION}, some minutes the first time");
        let mut command = workspace.cargo();
        command
            .args(["install", PROGRAM, "--locked", "--version", VERSION, "--root"])
            .arg(&home);
        let status = command.status().map_err(io("run cargo"))?;
        if !status.success() {
            return Err(MutantsError::NotInstalled);
        }
    }
    Ok(path)
}
