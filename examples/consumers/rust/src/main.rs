//! A bot on Wahook's events, to copy from: answers each message once, in order, and loses none. See `../README.md`.

mod apart;
mod broker;
mod graph;
mod lanes;
mod ledger;
mod media;
mod options;
mod record;
mod replay;
mod work;

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use wahook_events::received::Headers;

use crate::broker::Broker;
use crate::options::{Settings, Source};
use crate::work::Work;

/// Answers WhatsApp messages, each once, each customer's in order. Every setting is a variable of the environment
#[derive(Debug, Parser)]
#[command(name = "wahook-consumer", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take messages and statuses until it is told to stop
    Run(RunArgs),
    /// Read old events again; sends nothing unless asked
    Replay(ReplayCommand),
    /// Look at what was set apart, and publish it again
    Apart(ApartArgs),
    /// Read events as JSON, one in a line, from standard input, and write what they say
    Record,
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct ReplayCommand {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    args: replay::ReplayArgs,
}

#[derive(Debug, clap::Args)]
struct ApartArgs {
    #[command(flatten)]
    source: Source,
    #[command(subcommand)]
    command: apart::ApartCommand,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    // Only an error if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Box::pin(perform(Cli::parse().command)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(command: Command) -> Result<(), Failure> {
    match command {
        Command::Run(RunArgs { source, settings }) => {
            let work = Arc::new(work(&source, settings).await?);
            Ok(lanes::run(work, stop()?).await?)
        }
        Command::Replay(ReplayCommand {
            source,
            settings,
            args,
        }) => Ok(replay::run(&work(&source, settings).await?, &args).await?),
        Command::Apart(ApartArgs { source, command }) => {
            Ok(apart::run(&Broker::connect(&source).await?, &command).await?)
        }
        Command::Record => record_all(),
    }
}

async fn work(source: &Source, settings: Settings) -> Result<Work, Failure> {
    let broker = Broker::connect(source).await?;
    let ledger = ledger::Ledger::open(&broker.context, &source.bot, broker.replicas()).await?;
    let graph = graph::Graph::new(&settings.graph_url, &settings.graph_token)?;
    Ok(Work {
        broker,
        ledger,
        graph,
        settings,
    })
}

/// Cancelled by the first Ctrl-C or SIGTERM.
fn stop() -> std::io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
        stop.cancel();
    });
    Ok(token)
}

fn record_all() -> Result<(), Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    for line in text.lines() {
        let event: Value = serde_json::from_str(line)?;
        let pairs = event["headers"].as_object().into_iter().flatten();
        let headers =
            Headers::from_pairs(pairs.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))));
        let data = serde_json::to_vec(&event["data"])?;
        println!(
            "{}",
            serde_json::to_string(&record::Record::of(&headers, &data)?)?
        );
    }
    Ok(())
}
