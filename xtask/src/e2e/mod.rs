//! `cargo xtask e2e`: the whole of it on a real node, as a user installs, breaks, repairs and removes it.

mod command;
mod error;
mod founder;
mod house;
mod leave;
mod load;
mod pages;
mod repair;
mod rights;
mod rolling;
mod runbooks;
mod scraped;
mod tenants;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use self::error::E2eError;
use self::error::Result;
use self::house::House;
use crate::cluster::ChoiceError;
use crate::workspace::Workspace;

/// Arguments of `cargo xtask e2e`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct E2eArgs {
    /// Leave the cluster running, whatever comes of it
    #[arg(long)]
    keep: bool,

    /// Where the cluster lives; `<cache>/e2e` unless told otherwise
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Needs Linux and root: it starts a Kubernetes node of its own, with an ingress proxy, and takes it down again. There is one
such node on a machine: `cargo xtask cluster down` first. The first run builds Kubernetes, half an hour; a later one takes
about seven minutes.

When a step fails, the cluster's state and the logs are printed. With --keep look around:
  export KUBECONFIG=~/.cache/wahook/e2e/kubeconfig
  cargo xtask cluster down --cluster own --directory ~/.cache/wahook/e2e";

/// What a failed run shows of the cluster.
const DIAGNOSIS: [&str; 6] = [
    "get pods -A -o wide",
    "get whatsappwebhooks -A -o yaml",
    "get events -A --sort-by=.lastTimestamp",
    "logs -n wahook -l app.kubernetes.io/component=operator --tail=40 --prefix",
    "logs -n wahook -l wahook.dev/webhook --tail=15 --prefix",
    "logs -n wahook wahook-nats-0 --tail=20",
];

/// Runs everything and says how long each step took.
pub(crate) fn run(workspace: &Workspace, args: &E2eArgs) -> Result<ExitCode> {
    let directory = match &args.directory {
        Some(directory) => directory.clone(),
        None => wahook_testbed::cache_directory()
            .ok_or(ChoiceError::NoDirectory)?
            .join("e2e"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(E2eError::io("start"))?;
    runtime.block_on(async {
        // What an earlier run kept is not what this one begins with.
        House::end(&directory).await?;
        let work = async {
            let began = Instant::now();
            let mut house = House::start(workspace, &directory).await?;
            told("a node with an ingress proxy, and the images in it", began, "");
            let outcome = steps(&mut house).await;
            if outcome.is_err() {
                diagnose(&house).await;
            }
            outcome
        };
        let outcome = tokio::select! {
            // Heard from the beginning, though some of the work blocks.
            biased;
            () = interrupted() => Err(E2eError::Interrupted),
            outcome = work => outcome,
        };
        if args.keep {
            eprintln!(
                "The cluster stays: export KUBECONFIG={}",
                directory.join("kubeconfig").display()
            );
        } else if let Err(error) = House::end(&directory).await {
            eprintln!("cargo xtask: {error}");
            // Why the run failed is said by the caller, and matters more.
            return outcome.and(Err(error));
        }
        outcome.map(|()| ExitCode::SUCCESS)
    })
}

/// Whoever stops the run, or the job it is part of, wants no node to stay either.
async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => drop(terminated.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Does a step and says what came of it.
macro_rules! step {
    ($what:literal, $step:expr) => {{
        let began = Instant::now();
        let came = $step.await.inspect_err(|_| println!("FAILED   {}", $what))?;
        told($what, began, &came);
    }};
}

async fn steps(house: &mut House) -> Result {
    step!(
        "helm install, the chart of one version ago",
        founder::install(house)
    );
    step!(
        "two manifests, the first message over TLS",
        founder::first_message(house)
    );
    step!("the same through a Gateway", founder::gateway(house));
    step!("helm upgrade at 300 messages a second", rolling::upgrade(house));
    step!("the receivers have seen events", founder::receiving(house));
    step!("helm test", leave::test(house));
    step!("kubectl diff of everything applied", leave::unchanged(house));
    step!(
        "kinds of others appear, and parts come and go",
        rights::optional(house)
    );
    step!(
        "the Prometheus operator has everything scraped",
        scraped::run(house)
    );
    step!(
        "every command of the runbooks and the manual",
        runbooks::run(house)
    );
    step!("a roll at 300 messages a second", rolling::restart(house));
    step!("a killed pod at 300 messages a second", rolling::kill(house));
    step!("scale", rolling::scale(house));
    step!("rotate the app secret", repair::rotate(house));
    step!("the app secret is deleted and made again", repair::secret(house));
    step!("the broker goes and comes back", repair::broker(house));
    step!("children are deleted", repair::children(house));
    step!("the leading operator is deleted", repair::operator(house));
    step!("rights granted are rights used", rights::exact(house));
    step!("a webhook is deleted", leave::delete(house));
    step!("helm uninstall", leave::uninstall(house));
    step!("two tenants on one broker", tenants::apart(house));
    Ok(())
}

fn told(what: &str, began: Instant, came: &str) {
    println!(
        "{:>6.1} s  {what}{}{came}",
        began.elapsed().as_secs_f64(),
        if came.is_empty() { "" } else { ": " }
    );
    // Whoever waits should see it now.
    let _ = io::Write::flush(&mut io::stdout());
}

async fn diagnose(house: &House) {
    for line in DIAGNOSIS {
        let said = house.kubectl.line(line).await;
        eprintln!(
            "\n$ kubectl {line}\n{}",
            said.unwrap_or_else(|error| error.to_string())
        );
    }
}
