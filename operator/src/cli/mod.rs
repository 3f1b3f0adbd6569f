//! The command line: run the operator, or show without a cluster what it would do.

pub mod crd;
mod flags;
mod parse;
pub mod render;
pub mod run;
pub mod schema;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use parse::{Reader, collector, sample_ratio};
use wahook_telemetry::LogFormat;
use wahook_telemetry::trace::{SampleRatio, TraceSettings};

pub use flags::SettingsArgs;
pub use parse::{FlagProblem, FlagProblems};

const EXAMPLES: &str = "\
Examples:
  See every object a resource becomes, without a cluster:
    wahook-operator render -f webhook.yaml

  Install the definition of the resource:
    wahook-operator crd | kubectl apply --server-side -f -

  Run against the cluster of the current kubeconfig, with a NATS server on this machine:
    wahook-operator run --nats-servers nats://127.0.0.1:4222 --leader-election=false --namespace default

Each flag can also be an environment variable: --nats-servers is WAHOOK_NATS_SERVERS. Lists are separated by
commas, or the flag is repeated.";

/// Turns `WhatsAppWebhook` resources into running webhooks.
#[derive(Debug, Parser)]
#[command(name = "wahook-operator", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look after the cluster's resources until told to stop
    Run(Box<RunArgs>),
    /// Print every object that resources become, without a cluster
    Render(Box<render::RenderArgs>),
    /// Print the definition of the resource `WhatsAppWebhook`
    Crd,
}

const RUN_EXAMPLES: &str = "\
Examples:
  One namespace, a broker for everyone, Let's Encrypt for every host:
    wahook-operator run --watch-namespaces shop --nats-servers nats://nats.nats:4222 \\
      --nats-credentials-dir /etc/wahook/nats --issuer letsencrypt

  Tenants that may use only their own hosts:
    wahook-operator run --allow-hosts 'shop=*.shop.example.com,books=hooks.books.example.com'

Exit codes: 0 stopped as asked, 1 it could not go on, 2 the command was used wrongly.";

/// Arguments of `wahook-operator run`.
#[derive(Clone, Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunArgs {
    /// What `render` takes too.
    #[command(flatten)]
    pub settings: SettingsArgs,

    /// The directory with the operator's own login for --nats-servers: nats.creds, nats.nkey, nats.user with
    /// nats.password, or nats.token, and nats-tls.crt with nats-tls.key. No login when absent
    #[arg(
        long,
        value_name = "DIR",
        env = "WAHOOK_NATS_CREDENTIALS_DIR",
        help_heading = "Broker"
    )]
    pub nats_credentials_dir: Option<PathBuf>,

    /// Whether one of several operators is elected to work. Without it there must be only one
    #[arg(long, value_name = "BOOL", env = "WAHOOK_LEADER_ELECTION", action = ArgAction::Set, default_value_t = true, help_heading = "Process")]
    pub leader_election: bool,

    /// The name of the Lease they elect by, in --namespace
    #[arg(
        long,
        value_name = "NAME",
        env = "WAHOOK_LEASE_NAME",
        default_value = "wahook-operator",
        help_heading = "Process"
    )]
    pub lease_name: String,

    /// Where /livez, /readyz and /metrics are served
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "WAHOOK_ADMIN_LISTEN",
        default_value = "0.0.0.0:8080",
        help_heading = "Process"
    )]
    pub admin_listen: SocketAddr,

    /// How log lines look
    #[arg(long, value_enum, value_name = "FORMAT", env = "WAHOOK_LOG_FORMAT", default_value_t = LogFormat::Json, help_heading = "Process")]
    pub log_format: LogFormat,

    /// The least severe line that is logged: error, warn, info, debug, trace, or target=level pairs
    #[arg(
        long,
        value_name = "LEVEL",
        env = "WAHOOK_LOG_LEVEL",
        default_value = "info",
        help_heading = "Process"
    )]
    pub log_level: String,

    /// The collector to which the operator sends traces of its own work by OTLP over HTTP, such as
    /// `http://collector.observability:4318`; /v1/traces is added. None are made when absent
    #[arg(
        long,
        value_name = "URL",
        env = "WAHOOK_TRACING_ENDPOINT",
        help_heading = "Process"
    )]
    pub tracing_endpoint: Option<String>,

    /// Which share of those traces is kept, 0 to 1
    #[arg(
        long,
        value_name = "RATIO",
        env = "WAHOOK_TRACING_SAMPLE_RATIO",
        default_value = "1",
        help_heading = "Process"
    )]
    pub tracing_sample_ratio: String,

    /// How many resources are worked on at a time
    #[arg(long, value_name = "N", env = "WAHOOK_CONCURRENCY", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Process")]
    pub concurrency: u16,
}

impl RunArgs {
    /// Where the operator's own spans go; nowhere without an endpoint.
    ///
    /// # Errors
    /// Names every flag that cannot be used.
    pub fn tracing(&self) -> Result<Option<TraceSettings>, FlagProblems> {
        let mut read = Reader::default();
        let endpoint = read.optional("--tracing-endpoint", self.tracing_endpoint.as_ref(), collector);
        let ratio = read.optional(
            "--tracing-sample-ratio",
            Some(&self.tracing_sample_ratio),
            sample_ratio,
        );
        let settings = endpoint.map(|endpoint| TraceSettings {
            endpoint,
            sample_ratio: ratio.unwrap_or(SampleRatio::ALL),
        });
        read.finish(settings)
    }
}

/// The exit code of a command that was used wrongly, the same that clap uses.
pub const USAGE_EXIT_CODE: u8 = 2;

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
    fn help_teaches_by_example() {
        for name in ["", "run", "render"] {
            let mut command = Cli::command();
            let command = if name.is_empty() {
                &mut command
            } else {
                command.find_subcommand_mut(name).unwrap()
            };
            let help = command.render_long_help().to_string();
            assert!(
                help.contains("Examples:") && help.contains("wahook-operator "),
                "{name}: {help}"
            );
        }
    }

    /// A chart passes flags, a person without one may prefer variables: both name everything.
    #[test]
    fn every_flag_of_run_is_a_variable_too() {
        let command = Cli::command();
        let run = command.find_subcommand("run").unwrap();
        for flag in run.get_arguments().filter(|flag| flag.get_id() != "help") {
            let long = flag.get_long().unwrap();
            let expected = match long {
                "namespace" => "POD_NAMESPACE".to_owned(),
                long => format!("WAHOOK_{}", long.to_uppercase().replace('-', "_")),
            };
            assert_eq!(flag.get_env().unwrap(), expected.as_str(), "{long}");
            assert!(flag.get_help_heading().is_some(), "{long} has no heading");
        }
    }

    #[test]
    fn what_run_does_when_told_nothing() {
        let cli = Cli::try_parse_from(["wahook-operator", "run"]).unwrap();
        let Command::Run(run) = cli.command else {
            panic!("another command")
        };
        assert!(run.leader_election && run.settings.ingress_needs_address);
        assert_eq!((run.concurrency, run.lease_name.as_str()), (4, "wahook-operator"));
        assert_eq!(run.admin_listen.port(), 8080);
        let off = [
            "wahook-operator",
            "run",
            "--leader-election=false",
            "--ingress-needs-address",
            "false",
        ];
        let Command::Run(run) = Cli::try_parse_from(off).unwrap().command else {
            panic!("another command")
        };
        assert!(!run.leader_election && !run.settings.ingress_needs_address);
    }
}
