//! The command line: serve by default, and two tools for people who set a webhook up.

pub mod secret_file;
pub mod send;
pub mod verify_signature;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use wahook_telemetry::LogFormat;

const EXAMPLES: &str = "\
Examples:
  Serve with settings from a file in the format of .env.example:
    wahook-receiver --env-file .env --ensure-stream

  Serve with a configuration file, logging JSON:
    wahook-receiver --config config.yaml --log-format json

  Post a signed text message to a receiver on this machine:
    WHATSAPP_APP_SECRET=... wahook-receiver send --type text

  Find out why a signature is refused:
    wahook-receiver verify-signature --secret-file app-secret --header 'sha256=...' < body.json

Settings without a configuration file come from the environment:
  WEBHOOK_VERIFY_TOKEN   what you entered as verify token in Meta's App Dashboard (16 characters or more)
  WHATSAPP_APP_SECRET    App Dashboard > Settings > Basic > App Secret
  PORT, ADMIN_PORT       where to listen (3000 and 9090)
  NATS_URL               the broker (nats://127.0.0.1:4222)";

/// Receives WhatsApp Business webhooks and stores every event in NATS JetStream before it answers.
#[derive(Debug, Parser)]
#[command(name = "wahook-receiver", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Settings of the default command.
    #[command(flatten)]
    pub serve: ServeArgs,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Settings of the default command: serve.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Read the configuration from this YAML file instead of the environment
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Read environment variables from this file; the process's own environment wins
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,

    /// Create the JetStream stream if it does not exist
    #[arg(long)]
    pub ensure_stream: bool,

    /// How log lines look: JSON on standard output, or text on standard error
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// What else the receiver can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain why a signature matches a body, or why not
    VerifySignature(verify_signature::VerifySignatureArgs),
    /// Post signed sample webhooks, as Meta would
    Send(send::SendArgs),
}

/// A command was used wrongly or could not start; exit with [`USAGE_EXIT_CODE`].
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// A file could not be read.
    #[error("{}: {source}. Check the path and its permissions", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A secret file holds no secret.
    #[error("{}: holds no secret. Write the app secret into it", path.display())]
    BlankSecret {
        /// Which file.
        path: PathBuf,
    },
    /// No secret was named at all.
    #[error("no app secret was given. Use --secret-file FILE or set WHATSAPP_APP_SECRET")]
    NoSecret,
    /// No sample has this name.
    #[error("there is no sample named {name:?}. `wahook-receiver send --list` shows all")]
    UnknownSample {
        /// What was asked for.
        name: String,
    },
    /// The HTTP client could not be set up.
    #[error(
        "cannot send to this address: {0}. Use http://host/path, or https:// with CA certificates installed"
    )]
    Client(#[from] reqwest::Error),
    /// What says where stored events are makes no sense.
    #[error("cannot look for stored events: {problem}")]
    Lookup {
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The answer could not be printed.
    #[error("cannot write the result: {0}. Check where standard output goes")]
    Output(#[from] std::io::Error),
}

/// The exit code for [`UsageError`], the same that clap uses.
pub const USAGE_EXIT_CODE: u8 = 2;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_the_default() {
        let cli = Cli::try_parse_from(["wahook-receiver", "--env-file", ".env", "--ensure-stream"]).unwrap();
        assert!(cli.command.is_none());
        assert!(cli.serve.ensure_stream);
        assert_eq!(cli.serve.env_file, Some(".env".into()));
        assert_eq!(cli.serve.log_format, None);
    }

    #[test]
    fn serve_options_do_not_mix_with_commands() {
        assert!(Cli::try_parse_from(["wahook-receiver", "--config", "x", "send"]).is_err());
        assert!(Cli::try_parse_from(["wahook-receiver", "send"]).is_ok());
    }

    #[test]
    fn help_teaches_by_example() {
        for name in ["", "send", "verify-signature"] {
            let mut command = Cli::command();
            let command = if name.is_empty() {
                &mut command
            } else {
                command.find_subcommand_mut(name).unwrap()
            };
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:"), "{name}: {help}");
            assert!(help.contains("wahook-receiver "), "{name}: {help}");
        }
    }
}
