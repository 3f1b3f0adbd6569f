//! `cargo xtask torture`: every fault under load, in turn; what was lost, stored twice or answered late; and the paper.

mod error;
mod paper;
mod soak;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use tokio::runtime::Runtime;
use wahook_testbed::nats;
use wahook_torture::mix::Outcome;
use wahook_torture::{Ground, MIXES, Mix, Report};

use self::error::Result;
pub(crate) use self::error::TortureError;
use crate::workspace::{RECEIVER, Workspace};

/// Arguments of `cargo xtask torture`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct TortureArgs {
    #[command(subcommand)]
    other: Option<Other>,

    /// How many events each mix delivers at least
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..))]
    events: u64,

    /// A look at whether it holds: as the tests run it, a minute or two
    #[arg(long, conflicts_with = "events")]
    quick: bool,

    /// Only this mix; may be given several times
    #[arg(long, value_name = "MIX")]
    only: Vec<String>,

    /// Chooses the deliveries
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Torture a debug build: no minutes of link-time optimisation
    #[arg(long)]
    debug: bool,

    /// Write what came of it to this file of the workspace; `docs/reports/torture.md` when none is named
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = paper::PLACE)]
    report: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// One receiver under mixed load for long, with a fault every half minute: does its memory grow, do files or tasks?
    Soak(soak::SoakArgs),
}

const AFTER_HELP: &str = "\
Each mix starts its own brokers and receivers, delivers numbered events as Meta would (again until they are taken, some once
more), lets its fault strike five times meanwhile, and compares every answer with what the stream holds. It fails when an event
was acknowledged and is missing, is stored twice within the window, or when an attempt was not answered within its deadline.

Needs a C compiler for the clock and root for the full disk; what cannot run says so. Everything on loopback.

Examples:
  Whether it holds, with a debug build:
    cargo xtask torture --quick --debug

  One mix, and another order of deliveries:
    cargo xtask torture --only leader_killed --seed 7

  Half an hour on one receiver:
    cargo xtask torture soak --report

  The paper of the repository; commit first, since it names the commit:
    cargo xtask torture --report";

/// Runs every mix that was asked for; fails when a promise was broken.
pub(crate) fn run(workspace: &Workspace, args: &TortureArgs) -> Result<ExitCode> {
    if let Some(Other::Soak(args)) = &args.other {
        return soak::run(workspace, args);
    }
    let mixes = chosen(&args.only)?;
    let profile = if args.debug { "debug" } else { "release" };
    // Before the build: what is changed meanwhile is not what was tortured.
    let setting = workspace.setting();
    let mut ground = if args.quick {
        Ground::short()
    } else {
        Ground::long(args.events, args.seed)
    };
    ground.seed = args.seed;
    ground.receiver = Some(workspace.build_alone(RECEIVER, !args.debug)?);
    nats::nats_server()?;
    let runtime = runtime()?;
    let mut report = Report::default();
    for mix in mixes {
        eprint!("torture: {}: {} ... ", mix.name, mix.about);
        let outcome = runtime.block_on(mix.run(&ground))?;
        eprintln!("{}", told(&outcome));
        report.rows.push((mix.name, outcome));
    }
    println!("{}", table(&report));
    let skipped = report.skipped();
    for line in &skipped {
        println!("SKIPPED {line}");
    }
    let ran = report.rows.len() - skipped.len();
    println!("{ran} mixes ran, {} were skipped", skipped.len());
    if let Some(path) = &args.report {
        paper::write(workspace, path, "Faults", &report.section(), profile, &setting)?;
    }
    let mut broken = report.broken();
    if ran == 0 {
        broken.push("no mix could run here".to_owned());
    }
    Ok(verdict(&broken))
}

fn runtime() -> Result<Runtime> {
    Runtime::new().map_err(TortureError::io("start"))
}

/// Tells what was broken; the command's end.
fn verdict(broken: &[String]) -> ExitCode {
    for line in broken {
        println!("BROKEN {line}");
    }
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The mixes of these names, or all.
fn chosen(only: &[String]) -> Result<Vec<&'static Mix>> {
    if let Some(name) = only
        .iter()
        .find(|name| MIXES.iter().all(|mix| mix.name != **name))
    {
        let names: Vec<_> = MIXES.iter().map(|mix| mix.name).collect();
        return Err(TortureError::NoSuchMix(name.clone(), names.join(", ")));
    }
    let wanted = |mix: &&Mix| only.is_empty() || only.iter().any(|name| mix.name == name);
    Ok(MIXES.iter().filter(wanted).collect())
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Skipped(why) => format!("SKIPPED, {why}"),
        Outcome::Ran(trial) => {
            let verdict = match trial.violations().first() {
                None => "kept".to_owned(),
                Some(first) => format!("BROKEN, {first}"),
            };
            format!("{verdict} ({} s)", trial.took.as_secs())
        }
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(Report::head());
    for row in report.table() {
        table.add_row(row);
    }
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn mixes_are_chosen_by_name_and_a_wrong_name_is_told() {
        assert_eq!(chosen(&[]).unwrap().len(), MIXES.len());
        let one = chosen(&["rollout".to_owned()]).unwrap();
        assert_eq!(one.iter().map(|mix| mix.name).collect::<Vec<_>>(), ["rollout"]);
        let error = chosen(&["rolout".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("rolout") && error.contains("rollout"), "{error}");
    }
}
