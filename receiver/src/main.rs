//! `wahook-receiver`: serves, or runs one of the tools beside it.

use std::error::Error;
use std::io::{stdin, stdout};
use std::process::ExitCode;

use clap::Parser as _;
use wahook_receiver::app;
use wahook_receiver::cli::{Cli, Command, USAGE_EXIT_CODE, UsageError, send, verify_signature};

/// A body of 100 events is a few thousand short-lived allocations; see "Where the time goes" in ARCHITECTURE.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// tokio's own setting for the number of its threads.
const WORKERS: &str = "TOKIO_WORKER_THREADS";
/// A receiver grows by replicas. Without a CPU limit it would start a thread for each core of its node, and wake them all.
const MOST_WORKERS: usize = 4;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli.command {
        None => run(app::serve(cli.serve)).map_or_else(|error| fail(&error, 1), |()| ExitCode::SUCCESS),
        Some(Command::Send(args)) => finish(run(send::run(&args, stdout()))),
        Some(Command::VerifySignature(args)) => finish(verify_signature::run(&args, stdin(), stdout())),
    }
}

fn run<T, E: From<std::io::Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if std::env::var_os(WORKERS).is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        runtime.worker_threads(cores.min(MOST_WORKERS));
    }
    runtime.enable_all().build()?.block_on(work)
}

fn finish(result: Result<u8, UsageError>) -> ExitCode {
    result.map_or_else(|error| fail(&error, USAGE_EXIT_CODE), ExitCode::from)
}

fn fail(error: &dyn Error, code: u8) -> ExitCode {
    eprintln!("wahook-receiver: {error}");
    ExitCode::from(code)
}
