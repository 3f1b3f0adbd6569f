//! `cargo xtask demo`: the whole way from a signed body to the stream, on this machine, checked and shown.
//!
//! ```text
//! script (what is sent, what must come of it) -> house (NATS, the receiver) -> check -> tables
//! ```

mod bot;
mod check;
mod expected;
mod house;
mod keep;
mod script;
mod tables;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use wahook_testbed::nats::NatsError;
use wahook_testbed::process::ProcessError;
use wahook_testbed::stream::StreamError;

use self::check::{Row, differences};
use self::house::House;
use self::script::ScriptError;
use crate::workspace::{Workspace, WorkspaceError};

/// Arguments of `cargo xtask demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave everything running until Ctrl-C, and say how to post more
    #[arg(long)]
    keep: bool,

    /// The receiver's port (default: a free one)
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
}

/// The demo could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// No receiver.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// No NATS.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The receiver did not start or stop.
    #[error(transparent)]
    Receiver(#[from] ProcessError),
    /// The receiver's exit code was not 0.
    #[error("the receiver ended with {code:?}, expected exit code 0. Its last lines:\n{log}")]
    Ended {
        /// The code; `None` when a signal ended it.
        code: Option<i32>,
        /// The end of its output.
        log: String,
    },
    /// The stream could not be read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// No answer at all.
    #[error("the receiver did not answer: {0:?}")]
    NoAnswer(#[from] reqwest::Error),
    /// The script could not be written.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Bots cannot be told how to take part.
    #[error("cannot write {path}: {source}. Check that you may write there")]
    Settings {
        /// Which file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// New events cannot be shown.
    #[error("cannot follow the stream: {0}")]
    Watch(String),
    /// The runtime or a signal handler.
    #[error("cannot start: {0}. Check the process's limits")]
    Runtime(#[from] io::Error),
    /// Stopped by the user before the end.
    #[error("interrupted; NATS and the receiver are stopped")]
    Interrupted,
}

/// Runs the demo; fails when anything is not as it should be.
pub(crate) fn run(workspace: &Workspace, args: &DemoArgs) -> Result<ExitCode, DemoError> {
    eprintln!("Building the receiver ...");
    let receiver = workspace.build_receiver()?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let stop = async {
                tokio::select! {
                    _ = interrupt.recv() => (),
                    _ = terminate.recv() => (),
                }
            };
            show(workspace, &receiver, args, stop).await
        })
}

async fn show(
    workspace: &Workspace,
    receiver: &Path,
    args: &DemoArgs,
    stop: impl Future<Output = ()>,
) -> Result<ExitCode, DemoError> {
    tokio::pin!(stop);
    // Dropping the other branch drops what it started, which ends both processes.
    let played = tokio::select! {
        played = play(receiver, args.port) => played?,
        () = &mut stop => return Err(DemoError::Interrupted),
    };
    let (house, code) = played;
    if args.keep {
        let settings = bot::Settings::write(workspace, &house)?;
        println!("\n{}", keep::instructions(&house, receiver, settings.path()));
        tokio::select! {
            ended = keep::watch(&house) => ended?,
            () = &mut stop => println!("\nStopping."),
        }
    }
    house.stop().await?;
    Ok(code)
}

/// Everything up to the summary.
async fn play(receiver: &Path, port: Option<u16>) -> Result<(House, ExitCode), DemoError> {
    let steps = script::steps()?;
    eprintln!("Starting NATS and the receiver ...");
    let house = House::start(receiver, port).await?;
    println!(
        "NATS is at {}, the webhook at {}.\n",
        house.nats.url(),
        house.meta.url()
    );

    let mut done = Vec::with_capacity(steps.len());
    for step in &steps {
        done.push(house.perform(step).await?);
    }
    let (rows, misaddressed): (Vec<_>, Vec<_>) =
        house.stored().await?.iter().map(Row::of).partition(Result::is_ok);
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let totals = house.totals().await?;

    println!(
        "What was sent, and what came back:\n{}\n",
        tables::requests(&steps, &done)
    );
    println!(
        "What stream {} holds:\n{}\n",
        house::STREAM,
        tables::stored(&rows)
    );
    let mut problems: Vec<String> = misaddressed.into_iter().filter_map(Result::err).collect();
    problems.extend(differences(&steps, &done, &rows, totals));
    if problems.is_empty() {
        println!("{}", tables::summary(&steps, totals));
        return Ok((house, ExitCode::SUCCESS));
    }
    println!("NOT AS IT SHOULD BE:");
    for problem in &problems {
        println!("  * {problem}");
    }
    println!("\nThe receiver's last lines:\n{}", house.receiver.log().tail(20));
    Ok((house, ExitCode::FAILURE))
}
