//! `cargo xtask fuzz`: libFuzzer, guided by coverage, on a stable compiler.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use wahook_fuzz::Target;

use crate::workspace::{Workspace, WorkspaceError, built};

const PROGRAM: &str = "wahook-fuzz";

/// What makes code say which way it went, and which comparisons it made. All of it is stable: only sanitizers are not, and code
/// without `unsafe` has little for them to find.
const INSTRUMENTED: [&str; 8] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Clink-dead-code",
    "-Cforce-frame-pointers=yes",
];

/// Arguments of `cargo xtask fuzz`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct FuzzArgs {
    /// What to fuzz; everything, one after the other, unless named
    #[arg(value_name = "TARGET", value_parser = target)]
    targets: Vec<Target>,

    /// How long, for each target
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,

    /// How many processes share a target's inputs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,

    /// Only say which targets there are
    #[arg(long)]
    list: bool,
}

const AFTER_HELP: &str = "\
Inputs that reached new code are kept in target/fuzz/corpus and are where the next run goes on. An input that failed is kept in
fuzz/tests/crashes/<target>/: rename it after what it is and commit it, and the tests try it for ever.

Needs a C++ compiler, for libFuzzer. Exit code 1 when an input failed; the other targets are fuzzed all the same.

Examples:
  An hour for the body of a request:
    cargo xtask fuzz envelope families --seconds 1800

  A night for everything on eight cores:
    cargo xtask fuzz --seconds 3600 --jobs 8";

/// Why nothing could be fuzzed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FuzzError {
    /// Cargo, or what it built.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A file or process.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The compiler's own name for this machine.
    #[error("`rustc -vV` does not say which machine it compiles for")]
    Host,
}

fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> FuzzError {
    let what = what.into();
    |source| FuzzError::Io { what, source }
}

fn target(name: &str) -> Result<Target, String> {
    let names = || Target::ALL.map(|target| target.name).join(", ");
    Target::named(name).ok_or_else(|| format!("the targets are {}", names()))
}

/// Fuzzes each target in turn.
pub(crate) fn run(workspace: &Workspace, args: &FuzzArgs) -> Result<ExitCode, FuzzError> {
    let targets = match &args.targets[..] {
        [] => &Target::ALL[..],
        named => named,
    };
    if args.list {
        for target in targets {
            println!("{:12} {}", target.name, target.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("fuzz: building with libFuzzer, some minutes the first time");
    let program = build(workspace)?;
    let mut failed = Vec::new();
    for target in targets {
        eprintln!("\nfuzz: {}, {} s: {}", target.name, args.seconds, target.about);
        if !fuzz(workspace, &program, target, args)? {
            failed.push(target.name);
        }
    }
    if failed.is_empty() {
        println!(
            "\n{} targets, {} s each: nothing failed.",
            targets.len(),
            args.seconds
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "\nfailed: {}. The inputs are in fuzz/tests/crashes.",
        failed.join(", ")
    );
    Ok(ExitCode::FAILURE)
}

fn build(workspace: &Workspace) -> Result<PathBuf, FuzzError> {
    let mut command = workspace.cargo();
    command
        .args(["build", "--locked", "--profile", "fuzz", "--package", PROGRAM])
        // With a target of their own, build scripts and macros are not instrumented.
        .args(["--target", &host()?])
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTED.join("\x1f"));
    let path = built(command, &[PROGRAM])?.pop();
    Ok(path.ok_or(WorkspaceError::NotBuilt(PROGRAM))?)
}

fn host() -> Result<String, FuzzError> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(io("run rustc"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or(FuzzError::Host)
}

/// Whether all inputs held.
fn fuzz(workspace: &Workspace, program: &Path, target: &Target, args: &FuzzArgs) -> Result<bool, FuzzError> {
    let directory = |path: String| {
        let path = workspace.file(&path);
        fs::create_dir_all(&path)
            .map(|()| path)
            .map_err(io("make a directory"))
    };
    let corpus = directory(format!("target/fuzz/corpus/{}", target.name))?;
    let crashes = directory(format!("fuzz/tests/crashes/{}", target.name))?;
    for (place, seed) in target.seeds().iter().enumerate() {
        fs::write(corpus.join(format!("seed-{place}")), seed).map_err(io("write a seed"))?;
    }
    let mut command = Command::new(program);
    command
        .env("WAHOOK_FUZZ_TARGET", target.name)
        .arg(format!("-max_total_time={}", args.seconds))
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .args([
            "-max_len=65536",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ])
        .args((args.jobs > 1).then(|| format!("-fork={}", args.jobs)))
        .arg(corpus);
    let status = command
        .status()
        .map_err(io(format!("run {}", program.display())))?;
    // Left there only when it holds something.
    let _ = fs::remove_dir(crashes);
    Ok(status.success())
}
