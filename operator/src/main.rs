//! `wahook-operator`: runs, or shows what it would do.

use std::io::{stderr, stdin, stdout};
use std::process::ExitCode;

use clap::Parser as _;
use wahook_operator::cli::{Cli, Command, USAGE_EXIT_CODE, crd, render, run};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => match run::run(&args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.is_usage() => fail(&error, USAGE_EXIT_CODE),
            Err(error) => fail(&error, 1),
        },
        Command::Render(args) => match render::run(&args, stdin(), stdout(), stderr()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => fail(&error, USAGE_EXIT_CODE),
        },
        Command::Crd => crd::run(stdout()).map_or_else(|error| fail(&error, 1), |()| ExitCode::SUCCESS),
    }
}

fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("wahook-operator: {error}");
    ExitCode::from(code)
}
