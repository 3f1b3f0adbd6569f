//! `wahook-bench`: what `cargo xtask bench` runs once everything is built for release, so that the load is cheap to make.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use wahook_bench::options::Options;
use wahook_bench::peer::Places;
use wahook_bench::session;

#[derive(Parser)]
#[command(name = "wahook-bench", about = "Started by cargo xtask bench")]
struct Cli {
    /// The workspace
    #[arg(long)]
    workspace: PathBuf,

    /// The receiver's program
    #[arg(long)]
    receiver: PathBuf,

    /// The directory of the floors' programs
    #[arg(long)]
    floors: PathBuf,

    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let places = Places {
        workspace: cli.workspace,
        floors: cli.floors,
        receiver: cli.receiver,
    };
    session::run(&cli.options, &places).await.unwrap_or_else(|error| {
        eprintln!("bench: {error}");
        ExitCode::FAILURE
    })
}
