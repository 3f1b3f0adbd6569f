//! `cargo xtask scale`: many webhooks and one operator. What it costs, and that nothing is written when nothing changes.

mod error;
mod operator;
mod others;
mod report;
mod requests;
mod run;
mod stage;
mod state;
mod streams;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::error::Result;
pub(crate) use self::error::ScaleError;
use self::run::Plan;
use crate::workspace::Workspace;

/// Where the paper is.
const PAPER: &str = "docs/reports/scale.md";
const OPERATOR: &str = "wahook-operator";

/// Arguments of `cargo xtask scale`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ScaleArgs {
    /// How many webhooks
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=5000))]
    resources: u16,

    /// How long the operator is watched once there is nothing to do. It looks at each webhook every four to six minutes: with
    /// 400 at all of them once more
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1800))]
    quiet_seconds: u64,

    /// Measure a debug build: no minutes of link-time optimisation, and other figures
    #[arg(long)]
    debug: bool,

    /// Where the paper is written; `docs/reports/scale.md` unless told otherwise
    #[arg(long, value_name = "FILE", conflicts_with = "no_report")]
    report: Option<PathBuf>,

    /// Print the table only
    #[arg(long)]
    no_report: bool,
}

const AFTER_HELP: &str = "\
Starts a control plane without a node, a NATS server and the operator; applies the webhooks, waits until all of them are
ready, watches the operator do nothing, and starts it again. Needs Linux, no root, and with 500 webhooks about ten minutes.

Fails when the webhooks do not become ready, or when the operator writes anything but its Lease while nothing changes or
after its new start. Then no paper is written.

Examples:
  A look at whether it works, in three minutes:
    cargo xtask scale --resources 20 --quiet-seconds 10 --debug --no-report

  The paper of the repository; commit first, since it names the commit:
    cargo xtask scale --quiet-seconds 400";

/// Measures, prints, and writes the paper.
pub(crate) fn run(workspace: &Workspace, args: &ScaleArgs) -> Result<ExitCode> {
    if !cfg!(target_os = "linux") {
        return Err(ScaleError::Broken(
            "what a process costs is read from /proc: run this on Linux".to_owned(),
        ));
    }
    let profile = if args.debug { "debug" } else { "release" };
    // Before the build: what is changed meanwhile is not what was measured.
    let setting = workspace.setting();
    let plan = Plan {
        operator: workspace.build_alone(OPERATOR, !args.debug)?,
        resources: usize::from(args.resources),
        quiet_seconds: args.quiet_seconds,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ScaleError::io("start"))?;
    let figures = runtime.block_on(run::measure(&plan))?;
    println!("{}", figures.table());
    println!("{} on {}, commit {}", profile, setting.machine, setting.commit);
    figures.kept()?;
    if !args.no_report {
        let path = args.report.clone().unwrap_or_else(|| workspace.file(PAPER));
        let write = || {
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory)?;
            }
            fs::write(&path, figures.paper(&setting, profile))
        };
        write().map_err(ScaleError::io(format!("write {}", path.display())))?;
        println!("{} is written.", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
