//! Who is measured: two floors, the receiver, and five ways in which people build such an endpoint today.

mod receiver;
mod redis;
mod room;
mod start;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use wahook_testbed::room::install;

pub use receiver::Tuning;
pub use redis::{RedisProgram, RedisServer, find_redis};
pub use start::{Running, StartError};

/// A contestant. The order is that of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// The floor that only reads the body and answers.
    FloorEcho,
    /// The floor that also publishes, in the library's usual way.
    FloorPublish,
    /// Wahook's receiver.
    Receiver,
    /// Benthos, by configuration.
    Benthos,
    /// Fastify on Node, with the NATS client.
    Fastify,
    /// Express on Node, with Redis, as guides describe it.
    Express,
    /// `FastAPI` under granian, with the NATS client.
    PythonAsync,
    /// Flask under gunicorn, with Redis, as guides describe it.
    Flask,
}

/// Where a contestant keeps events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Nowhere.
    Nothing,
    /// In a `JetStream` stream.
    Stream,
    /// In a Redis list.
    List,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::FloorEcho,
        Self::FloorPublish,
        Self::Receiver,
        Self::Benthos,
        Self::Fastify,
        Self::Express,
        Self::PythonAsync,
        Self::Flask,
    ];

    /// Its name on the command line and in files, and that of its room.
    pub fn name(self) -> &'static str {
        match self {
            Self::FloorEcho => "floor-echo",
            Self::FloorPublish => "floor-publish",
            Self::Receiver => "receiver",
            Self::Benthos => "benthos",
            Self::Fastify => "fastify",
            Self::Express => "express",
            Self::PythonAsync => "python-async",
            Self::Flask => "flask",
        }
    }

    /// Its name in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::FloorEcho => "echo floor",
            Self::FloorPublish => "publish floor",
            Self::Receiver => "**receiver**",
            Self::Benthos => "Benthos",
            Self::Fastify => "Fastify, NATS",
            Self::Express => "Express, Redis",
            Self::PythonAsync => "FastAPI, NATS",
            Self::Flask => "Flask, Redis",
        }
    }

    /// What it does with a delivery.
    pub fn does(self) -> &'static str {
        match self {
            Self::FloorEcho => "axum: reads the body and answers 200. Checks and keeps nothing",
            Self::FloorPublish => {
                "axum: verifies, splits, publishes each event through async-nats' JetStream context and awaits every \
                 acknowledgement. No limits, metrics, memory of ids or reconnecting of its own"
            }
            Self::Receiver => {
                "the release build, complete: every limit, metric and reload on, the defaults of docs/config.example.yaml"
            }
            Self::Benthos => {
                "a configuration: verifies, splits, publishes each event with its id, answers when all are acknowledged"
            }
            Self::Fastify => {
                "one process: verifies, parses, publishes all events at once with their ids, awaits all acknowledgements"
            }
            Self::Express => {
                "one process: verifies, parses, then for each event `SET NX EX` and `RPUSH`, one after the other, as guides have it"
            }
            Self::PythonAsync => {
                "granian with 2 workers and uvloop: verifies, parses (orjson), publishes all events at once with their ids, awaits all \
                 acknowledgements"
            }
            Self::Flask => {
                "gunicorn with 2 workers of 4 threads: verifies, parses, then for each event `SET NX EX` and `RPUSH`, one after the other, \
                 as guides have it. The Celery behind it is left out"
            }
        }
    }

    /// Where it keeps events.
    pub fn keeps(self) -> Keeps {
        match self {
            Self::FloorEcho => Keeps::Nothing,
            Self::Express | Self::Flask => Keeps::List,
            _ => Keeps::Stream,
        }
    }

    /// Whether it is one that people use today: neither ours nor a floor.
    pub fn is_foreign(self) -> bool {
        !matches!(self, Self::FloorEcho | Self::FloorPublish | Self::Receiver)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where programs and sources are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The workspace.
    pub workspace: PathBuf,
    /// The directory with the floors' programs.
    pub floors: PathBuf,
    /// The receiver's program.
    pub receiver: PathBuf,
}

/// A contestant that can be started.
#[derive(Clone, Debug)]
pub struct Program {
    /// Who.
    pub peer: Peer,
    path: PathBuf,
    arguments: Vec<String>,
    directory: PathBuf,
    /// What it is made of, with versions.
    pub versions: String,
    /// What has to be on a disk for it beside its runtime, in bytes: the program, or the packages.
    pub bytes: u64,
}

/// Prepares a contestant: finds its program, or builds it into the cache. Blocks; the first time, for minutes.
///
/// # Errors
/// Why it cannot be had on this machine.
pub fn prepare(peer: Peer, places: &Places) -> Result<Program, String> {
    let own = |path: PathBuf| {
        let bytes = path
            .metadata()
            .map_err(|error| format!("{}: {error}", path.display()))?
            .len();
        Ok(Program {
            peer,
            path,
            arguments: Vec::new(),
            directory: places.workspace.clone(),
            versions: String::new(),
            bytes,
        })
    };
    match peer {
        Peer::FloorEcho | Peer::FloorPublish => own(places.floors.join(peer.name())),
        Peer::Receiver => own(places.receiver.clone()),
        _ => {
            let home = install(
                &format!("bench-{peer}"),
                &places.workspace.join("bench/peers").join(peer.name()),
            )
            .map_err(|error| error.to_string())?;
            Ok(foreign(peer, &home))
        }
    }
}

/// How a peer is started in its built room.
fn foreign(peer: Peer, home: &Path) -> Program {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let (path, arguments) = match peer {
        Peer::Flask => (
            home.join("venv/bin/gunicorn"),
            words(
                "--workers 2 --worker-class gthread --threads 4 --keep-alive 75 --backlog 4096 --bind 127.0.0.1:{port} app:app",
            ),
        ),
        Peer::PythonAsync => (
            home.join("venv/bin/granian"),
            words(
                "--interface asgi --workers 2 --loop uvloop --no-access-log --host 127.0.0.1 --port {port} app:app",
            ),
        ),
        Peer::Benthos => (home.join("program"), words("--config config.yaml")),
        _ => ("node".into(), words("server.js")),
    };
    Program {
        peer,
        path,
        arguments,
        directory: home.to_owned(),
        versions: room::versions(home),
        bytes: room::installed_bytes(home),
    }
}
