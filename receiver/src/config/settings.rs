//! The receiver's settings after every check: what these types hold can be used without looking again.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::ServerUrl;
pub use wahook_telemetry::LogFormat;
pub use wahook_telemetry::trace::TraceSettings;

/// All settings of one receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Whose webhook this is.
    pub identity: Identity,
    /// Where and for whom it listens.
    pub http: Http,
    /// The directory the secrets are read from and watched in. Without one they come from the environment.
    pub secrets_dir: Option<PathBuf>,
    /// The broker.
    pub nats: Nats,
    /// The stream events are stored in.
    pub stream: Stream,
    /// The local memory of stored events.
    pub deduplication: Deduplication,
    /// What one receiver accepts at most. Reloaded without a restart.
    pub limits: Limits,
    /// The business phone numbers whose events are published; others go to quarantine. `None`: all are
    /// published. Reloaded without a restart.
    pub phone_number_ids: Option<BTreeSet<String>>,
    /// How it logs. The level is reloaded without a restart.
    pub log: Log,
    /// How it ends.
    pub shutdown: Shutdown,
    /// Where spans go; nowhere when absent.
    pub tracing: Option<TraceSettings>,
}

/// Names the webhook. All three are tokens of every subject: 1 to 40 of `[A-Za-z0-9_-]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The namespace; `local` by hand.
    pub namespace: String,
    /// The webhook's name; `webhook` by hand.
    pub webhook: String,
    /// The first token of every subject; `whatsapp` by default.
    pub subject_prefix: String,
}

/// Where the receiver listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The address Meta's requests arrive at.
    pub listen: SocketAddr,
    /// The address of probes, metrics and status. Keep it private.
    pub admin_listen: SocketAddr,
    /// The path of the webhook; `/webhook` by default.
    pub path: String,
    /// Networks whose `X-Forwarded-For` is believed. Reloaded without a restart.
    pub trusted_proxies: Vec<IpNet>,
}

/// The broker and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nats {
    /// At least one server.
    pub servers: Vec<ServerUrl>,
    /// Where the credentials come from.
    pub auth: NatsAuth,
    /// Transport security.
    pub tls: NatsTls,
    /// The prefix of reply subjects; `_INBOX` by default. A user restricted to its own inbox needs its own.
    pub inbox_prefix: String,
    /// The JetStream domain, when the stream lives behind a leaf node.
    pub domain: Option<String>,
    /// How long one connection attempt may take; 5 s by default.
    pub connect_timeout: Duration,
    /// How often the connection is tested; 10 s by default.
    pub ping_interval: Duration,
}

/// Where the credentials for the broker come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NatsAuth {
    /// Whatever the secrets directory holds, else the URL's user, else none.
    #[default]
    Found,
    /// A credentials file: a user's JWT and its nkey seed.
    Credentials(PathBuf),
    /// A file with an nkey seed.
    Nkey(PathBuf),
    /// A file with a user name and one with its password.
    UserPassword {
        /// The file that holds the name.
        user: PathBuf,
        /// The file that holds the password.
        password: PathBuf,
    },
    /// A file with a token.
    Token(PathBuf),
}

/// Transport security of the connection to the broker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NatsTls {
    /// Refuse a connection without TLS. Always true when `first` is.
    pub required: bool,
    /// Start TLS before the server's first line (`handshake_first` on the server).
    pub first: bool,
    /// Certificates to trust, PEM. Without it `nats-ca.crt` of the secrets directory, else the system's.
    pub ca_file: Option<PathBuf>,
    /// The client certificate, PEM. Set together with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// The client certificate's key, PEM.
    pub key_file: Option<PathBuf>,
}

/// The JetStream stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name; `<prefix>_<namespace>_<webhook>` by default.
    pub name: String,
    /// Whether the receiver creates it when it is not there. Off where the operator does.
    pub ensure: bool,
    /// How long an event id is remembered, 100 ms to 169 h; 24 h by default. Never longer than `max_age`.
    pub window: Duration,
    /// How long an event is kept; 7 days by default.
    pub max_age: Duration,
    /// How much it holds, in bytes; 2 GiB by default. A full stream refuses, it never drops.
    pub max_bytes: i64,
    /// Copies, 1 to 5. `None`: 3 where the broker is a cluster, else 1.
    pub replicas: Option<u8>,
    /// Where it is kept.
    pub storage: Storage,
    /// The object store of events too large for one message; `<stream>_objects` by default.
    pub object_bucket: String,
}

/// Where a stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// On disk.
    File,
    /// In memory: gone when the broker restarts. For tests.
    Memory,
}

/// The local memory of events already stored. It saves the broker work; the stream's own window decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deduplication {
    /// How many ids are remembered; 100 000 by default.
    pub memory_entries: usize,
}

/// What one receiver accepts at most. Everything here is reloaded without a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes; 3 MiB by default, Meta's own maximum (Meta, Webhooks: payload size).
    pub body_bytes: usize,
    /// Bytes of all bodies and of the events they become, held at one time; 64 MiB by default. Never smaller than
    /// `body_bytes`.
    pub body_memory_bytes: usize,
    /// All headers of a request together, in bytes; 32 KiB by default.
    pub header_bytes: usize,
    /// From the first byte of a request to the end of its headers; 10 s by default.
    pub header_timeout: Duration,
    /// From the end of the headers to the end of the body; 10 s by default.
    pub body_timeout: Duration,
    /// A connection without a request; 75 s by default, longer than common load balancers' own.
    pub idle_timeout: Duration,
    /// A client that does not read its answer; 10 s by default.
    pub write_timeout: Duration,
    /// From a verified body to the acknowledgement of all its events; 4 s by default, at most 15 s.
    pub publish_deadline: Duration,
    /// Open connections; 4096 by default.
    pub connections: usize,
    /// Deliveries in progress whose signature was right; 1024 by default. Bodies that are still being read do not count, or
    /// whoever sends slowly could keep everybody else out; of those there are as many as connections.
    pub in_flight_requests: usize,
    /// Events published and not yet acknowledged; 8192 by default.
    pub in_flight_events: usize,
    /// Wrong signatures one client may send in a minute before it is answered 429; 60 by default.
    pub bad_signatures_per_minute: u32,
}

/// How the receiver logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// JSON lines by default with a configuration file, text by hand.
    pub format: LogFormat,
    /// `info` by default. Reloaded without a restart.
    pub level: LogLevel,
}

/// The least severe line that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// Failures and what may become one.
    Warn,
    /// And what happens to the process as a whole.
    Info,
    /// And what happens to each request.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The level as a filter directive.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How the receiver ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown {
    /// How long it keeps serving after the signal, until every load balancer knows; 5 s by default, 0 by
    /// hand.
    pub endpoint_lag: Duration,
    /// How long requests in progress may then take; 20 s by default.
    pub grace: Duration,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            namespace: "local".into(),
            webhook: "webhook".into(),
            subject_prefix: "whatsapp".into(),
        }
    }
}

impl Default for Deduplication {
    fn default() -> Self {
        Self {
            memory_entries: 100_000,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 3 * 1024 * 1024,
            body_memory_bytes: 64 * 1024 * 1024,
            header_bytes: 32 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(10),
            publish_deadline: Duration::from_secs(4),
            connections: 4096,
            in_flight_requests: 1024,
            in_flight_events: 8192,
            bad_signatures_per_minute: 60,
        }
    }
}
