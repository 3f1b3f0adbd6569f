//! The project's own commands: `cargo xtask demo`, `test`, `cluster` and the like.

mod bench;
mod cluster;
#[cfg(test)]
mod config_example;
mod dashboards;
mod demo;
mod e2e;
mod fuzz;
mod generate;
mod image;
#[cfg(test)]
mod manual;
mod mutants;
mod paper;
mod scale;
mod test;
mod torture;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Everything beside building that Wahook's developers do
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start NATS and the receiver, deliver webhooks as Meta would, and check what the stream holds
    Demo(demo::DemoArgs),
    /// Install what the tests need, run them all, and end with `N passed, N failed`
    Test(test::TestArgs),
    /// Start and stop a Kubernetes node on this machine, without Docker, or use the cluster that you have
    Cluster(cluster::ClusterArgs),
    /// Build the receiver and the operator as container images, without an engine, and NATS for tests
    Image(image::ImageArgs),
    /// Install, use, break, repair and remove everything on a real Kubernetes node, with messages arriving all the while
    E2e(e2e::E2eArgs),
    /// Give one operator hundreds of webhooks, on a control plane without a node: what it costs, and that it then rests
    Scale(scale::ScaleArgs),
    /// Give what strangers can send to the code that reads it, changed at random, for as long as you like
    Fuzz(fuzz::FuzzArgs),
    /// Change the code of what the project exists for, one place at a time, and count what no test notices
    Mutants(mutants::MutantsArgs),
    /// Measure what a delivery costs, beside the ways in which people build such an endpoint today; nothing may be lost
    Bench(bench::BenchArgs),
    /// Break everything under load and count what was lost, stored twice or answered late: nothing
    Torture(torture::TortureArgs),
    /// Draw the dashboards with what a Prometheus answered their queries, for the documentation
    Dashboards(dashboards::DashboardsArgs),
    /// Write the files that are made from the code: golden files and reference pages
    Generate(generate::GenerateArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(args) => boxed(|workspace| demo::run(workspace, &args)),
        Command::Test(args) => boxed(|workspace| test::run(workspace, &args)),
        Command::Cluster(args) => cluster::run(&args).map_err(Into::into),
        Command::Image(args) => boxed(|workspace| image::run(workspace, &args)),
        Command::E2e(args) => boxed(|workspace| e2e::run(workspace, &args)),
        Command::Scale(args) => boxed(|workspace| scale::run(workspace, &args)),
        Command::Fuzz(args) => boxed(|workspace| fuzz::run(workspace, &args)),
        Command::Mutants(args) => boxed(|workspace| mutants::run(workspace, &args)),
        Command::Bench(args) => boxed(|workspace| bench::run(workspace, &args)),
        Command::Torture(args) => boxed(|workspace| torture::run(workspace, &args)),
        Command::Dashboards(args) => boxed(|workspace| dashboards::run(workspace, &args)),
        Command::Generate(args) => boxed(|workspace| generate::run(workspace, &args)),
    };
    done.unwrap_or_else(|error| {
        eprintln!("cargo xtask: {error}");
        ExitCode::FAILURE
    })
}

fn boxed<E: Error + 'static>(
    command: impl FnOnce(&Workspace) -> Result<ExitCode, E>,
) -> Result<ExitCode, Box<dyn Error>> {
    Ok(command(&Workspace::find()?)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_follows_two_dashes_goes_to_cargo() {
        let cli = Cli::try_parse_from(["cargo xtask", "test", "--", "name", "--", "--nocapture"]).unwrap();
        let Command::Test(args) = cli.command else {
            panic!("another command")
        };
        assert_eq!(args.rest, ["name", "--", "--nocapture"]);
    }
}
