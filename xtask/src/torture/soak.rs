//! `cargo xtask torture soak`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use wahook_testbed::nats;
use wahook_torture::{Ground, soak};

use super::error::Result;
use super::{paper, runtime, verdict};
use crate::workspace::{RECEIVER, Workspace};

/// Arguments of `cargo xtask torture soak`.
#[derive(Debug, Args)]
pub(super) struct SoakArgs {
    /// How long. The first quarter is warm-up
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,

    /// The time from one fault to the next. The slowest takes fifteen seconds
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    every_seconds: u64,

    /// Chooses the deliveries
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Soak a debug build
    #[arg(long)]
    debug: bool,

    /// Write what came of it to this file of the workspace; `docs/reports/torture.md` when none is named
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = paper::PLACE)]
    report: Option<String>,
}

/// Soaks; fails when something grew or a promise was broken.
pub(super) fn run(workspace: &Workspace, args: &SoakArgs) -> Result<ExitCode> {
    let profile = if args.debug { "debug" } else { "release" };
    let setting = workspace.setting();
    let mut ground = Ground::long(args.minutes * 60 * soak::RATE, args.seed);
    ground.rate = soak::RATE;
    // There are nearly five events in a delivery: enough are sent before the time is over.
    ground.events *= 4;
    ground.receiver = Some(workspace.build_alone(RECEIVER, !args.debug)?);
    nats::nats_server()?;
    let (length, cycle) = (
        Duration::from_secs(args.minutes * 60),
        Duration::from_secs(args.every_seconds),
    );
    let soaked = soak::soak(&ground, length, cycle, |line| eprintln!("torture: {line}"));
    let figures = runtime()?.block_on(soaked)?;
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_header(["soak", "came to"]);
    for (what, came) in figures.rows() {
        table.add_row([what, came]);
    }
    println!("{table}");
    if let Some(path) = &args.report {
        paper::write(workspace, path, "Soak", &figures.section(), profile, &setting)?;
    }
    Ok(verdict(&figures.broken()))
}
