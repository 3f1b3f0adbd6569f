//! A consumer as a child process: workers that run on, and commands that end.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use wahook_testbed::child::OwnedChild;
use wahook_testbed::log::Log;
use wahook_testbed::room;

use crate::house::{House, STREAM, TOKEN};

/// How long an event may take until something is said of it.
const LIMIT: Duration = Duration::from_secs(60);

/// What a consumer is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
    Node,
}

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::Node];

    /// The consumer, installed as its manual says.
    pub(crate) fn command(self) -> Command {
        let installed = |name| {
            let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
            room::install(&format!("consumer-{name}"), &sources).unwrap()
        };
        match self {
            Self::Rust => Command::new(env!("CARGO_BIN_EXE_wahook-consumer")),
            Self::Python => {
                let room = installed("python");
                let mut command = Command::new(room.join("venv/bin/python"));
                command.arg(room.join("main.py"));
                command
            }
            Self::Node => {
                let mut command = Command::new("node");
                command.arg(installed("node").join("main.js"));
                command
            }
        }
    }
}

/// A bot: its settings.
#[derive(Clone, Debug)]
pub(crate) struct Bot {
    language: Language,
    environment: Vec<(String, String)>,
}

impl Bot {
    /// One that reads what the house receives and replies through its Graph API.
    pub(crate) fn new(house: &House, language: Language) -> Self {
        Self {
            language,
            environment: Vec::new(),
        }
        .set("NATS_URL", &house.nats.url())
        .set("STREAM", STREAM)
        .set("GRAPH_URL", &house.graph.url())
        .set("GRAPH_TOKEN", TOKEN)
        .set("MEDIA_HOSTS", &house.graph.media_host())
        .set("MEDIA_DIR", &house.media.path().to_string_lossy())
        .set("TRIES", "2")
        .set("RETRY", "0.1")
    }

    /// Changes a setting.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.language.command();
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a worker.
    pub(crate) fn start(&self) -> Worker {
        let log = Log::default();
        let child = OwnedChild::spawn(self.command(&["run"]), &log).unwrap();
        Worker { child, log }
    }

    /// Runs a command to its end, which must be good; what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.output(arguments).await;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        lines(&String::from_utf8(output.stdout).unwrap())
    }

    /// Runs a command that must fail; its complaint.
    pub(crate) async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    async fn output(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }
}

/// A running worker. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Worker {
    child: OwnedChild,
    log: Log,
}

impl Worker {
    /// The last word about an event: what was done, or why it was given up.
    pub(crate) fn outcome(&self, event_id: &str) -> Option<String> {
        lines(&self.log.text())
            .into_iter()
            .filter(|line| line["event_id"] == event_id)
            .find_map(|line| Some(line["did"].as_str().or(line["gave_up"].as_str())?.to_owned()))
    }

    /// The same, as soon as there is one.
    pub(crate) async fn outcome_of(&self, event_id: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(outcome) = self.outcome(event_id) {
                return outcome;
            }
            assert!(
                Instant::now() < deadline && self.child.exit_status().is_none(),
                "nothing was said of {event_id}:\n{}",
                self.log.tail(30)
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until it has said this so many times.
    pub(crate) async fn says(&self, words: &str, times: usize) {
        let deadline = Instant::now() + LIMIT;
        while self.log.text().matches(words).count() < times {
            assert!(
                Instant::now() < deadline && self.child.exit_status().is_none(),
                "it did not say `{words}`:\n{}",
                self.log.tail(30)
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Everything it said.
    pub(crate) fn said(&self) -> String {
        self.log.text()
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(&self) {
        self.child.kill_now();
    }

    /// Stops it as Kubernetes does.
    pub(crate) async fn stop(&self) {
        let status = self.child.terminate(Duration::from_secs(20)).await.unwrap();
        assert!(status.success(), "{status}:\n{}", self.log.tail(30));
    }
}

/// The lines that are JSON; the others are for people.
fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .filter(|line| line.starts_with('{'))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}
