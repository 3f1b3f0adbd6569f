//! `wahook-receiver`: serve, or one of the tools beside it.

use std::process::ExitCode;

use clap::Parser as _;
use wahook_receiver::app;
use wahook_receiver::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        _ => ExitCode::SUCCESS
    }
}
