//! From the file's shape to settings that can be relied on: every default, every range, every rule between
//! settings.

mod nats;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use wahook_telemetry::trace::{SampleRatio, TraceSettings};

use super::check::Checker;
use super::error::Fault;
use super::file::{
    FileHttp, FileIdentity, FileLimits, FileLog, FileSettings, FileShutdown, FileStream, FileTracing,
};
use super::settings::{
    Config, Deduplication, Http, Identity, Limits, Log, LogFormat, LogLevel, NatsAuth, Shutdown, Storage,
    Stream,
};
use super::value::{
    GIB, KIB, MIB, boolean, choice, collector, duration, file_path, name, network, number, phone_number_id,
    sample_ratio, show_duration, size, socket_addr, url_path,
};

/// Meta's whole retry horizon, seven days, and an hour: the longest useful memory of an event id.
const LONGEST_WINDOW: Duration = Duration::from_secs(169 * 3600);
/// The shortest duplicate window JetStream accepts.
const SHORTEST_WINDOW: Duration = Duration::from_millis(100);
/// Shorter than any real wait, so that a zero by mistake is noticed.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// What differs between a receiver with a configuration file and one started by hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    /// The address listened on when none is set.
    pub(super) ip: IpAddr,
    /// The log format when none is set.
    pub(super) log_format: LogFormat,
    /// The endpoint lag when none is set.
    pub(super) endpoint_lag: Duration,
}

/// The port webhooks arrive at.
pub(super) const PORT: u16 = 3000;
/// The port of probes, metrics and status.
pub(super) const ADMIN_PORT: u16 = 9090;

/// Checks every setting. Problems go to `check`; the result is of use only when there were none.
pub(super) fn validate(file: FileSettings, defaults: Defaults, check: &mut Checker) -> Config {
    let identity = identity(file.identity.unwrap_or_default(), check);
    let http = http(file.http.unwrap_or_default(), defaults.ip, check);
    let secrets_dir = check.read_optional("secretsDir", file.secrets_dir, file_path);
    let nats = nats::nats(file.nats.unwrap_or_default(), check);
    if nats.auth != NatsAuth::Found && secrets_dir.is_none() && check.is_clean(&["secretsDir", "nats.auth"]) {
        let problem = "names files while secretsDir is not set: nothing would read them";
        check.refuse(
            "nats.auth",
            Fault::new(problem, "Set secretsDir, or put the login into nats.servers"),
        );
    }
    let stream = stream(file.stream.unwrap_or_default(), &identity, check);
    let deduplication = Deduplication {
        memory_entries: check.read(
            "deduplication.memoryEntries",
            file.deduplication.unwrap_or_default().memory_entries,
            Deduplication::default().memory_entries,
            number(1..=10_000_000),
        ),
    };
    let limits = limits(file.limits.unwrap_or_default(), check);
    let phone_number_ids = check
        .read_list("phoneNumberIds", file.phone_number_ids, phone_number_id)
        .filter(|ids| !ids.is_empty())
        .map(|ids| ids.into_iter().collect::<BTreeSet<_>>());
    let log = log(file.log.unwrap_or_default(), defaults.log_format, check);
    let shutdown = shutdown(file.shutdown.unwrap_or_default(), defaults.endpoint_lag, check);
    let tracing = tracing(file.tracing.unwrap_or_default(), check);
    Config {
        identity,
        http,
        secrets_dir,
        nats,
        stream,
        deduplication,
        limits,
        phone_number_ids,
        log,
        shutdown,
        tracing,
    }
}

fn identity(file: FileIdentity, check: &mut Checker) -> Identity {
    let default = Identity::default();
    Identity {
        namespace: check.read("identity.namespace", file.namespace, default.namespace, name(40)),
        webhook: check.read("identity.webhook", file.webhook, default.webhook, name(40)),
        subject_prefix: check.read(
            "identity.subjectPrefix",
            file.subject_prefix,
            default.subject_prefix,
            name(40),
        ),
    }
}

fn http(file: FileHttp, ip: IpAddr, check: &mut Checker) -> Http {
    let listen = check.read("http.listen", file.listen, SocketAddr::new(ip, PORT), socket_addr);
    let admin = check.read(
        "http.adminListen",
        file.admin_listen,
        SocketAddr::new(ip, ADMIN_PORT),
        socket_addr,
    );
    let http = Http {
        listen,
        admin_listen: admin,
        path: check.read("http.path", file.path, "/webhook".to_owned(), url_path),
        trusted_proxies: check
            .read_list("http.trustedProxies", file.trusted_proxies, network)
            .unwrap_or_default(),
    };
    if check.is_clean(&["http.listen", "http.adminListen"]) {
        refuse_shared_port("http.adminListen", listen, admin, check);
    }
    http
}

/// Metrics and status must not appear on the port the world can reach. Port 0 is a free port, never the same
/// twice.
pub(super) fn refuse_shared_port(setting: &str, listen: SocketAddr, admin: SocketAddr, check: &mut Checker) {
    if listen.port() == admin.port() && listen.port() != 0 {
        check.refuse(
            setting,
            Fault::new(
                "has the same port as the webhook",
                "Use another port, for example 9090",
            ),
        );
    }
}

fn stream(file: FileStream, identity: &Identity, check: &mut Checker) -> Stream {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let default_name = format!(
        "{}_{}_{}",
        identity.subject_prefix, identity.namespace, identity.webhook
    );
    let name_of_stream = check.read("stream.name", file.name, default_name, name(200));
    let default_bucket = format!("{name_of_stream}_objects");
    let window = check.read(
        "stream.window",
        file.window,
        DAY,
        duration(SHORTEST_WINDOW..=LONGEST_WINDOW),
    );
    let max_age = check.read(
        "stream.maxAge",
        file.max_age,
        7 * DAY,
        duration(SHORTEST_WINDOW..=3650 * DAY),
    );
    if check.is_clean(&["stream.window", "stream.maxAge"]) && max_age < window {
        let problem = format!(
            "is shorter than stream.window, {}: events would be forgotten early",
            show_duration(window)
        );
        check.refuse(
            "stream.maxAge",
            Fault::new(problem, format!("Use {} or more", show_duration(window))),
        );
    }
    Stream {
        name: name_of_stream,
        ensure: check.read("stream.ensure", file.ensure, false, boolean),
        window,
        max_age,
        max_bytes: check.read(
            "stream.maxBytes",
            file.max_bytes,
            2 * 1024 * 1024 * 1024,
            size(MIB..=1024 * 1024 * GIB),
        ),
        replicas: check.read_optional("stream.replicas", file.replicas, number(1..=5)),
        storage: check.read(
            "stream.storage",
            file.storage,
            Storage::File,
            choice(&[("file", Storage::File), ("memory", Storage::Memory)]),
        ),
        object_bucket: check.read(
            "stream.objectBucket",
            file.object_bucket,
            default_bucket,
            name(240),
        ),
    }
}

fn limits(file: FileLimits, check: &mut Checker) -> Limits {
    let default = Limits::default();
    let wait = |longest| duration(waits(longest));
    let body_bytes = check.read(
        "limits.bodyBytes",
        file.body_bytes,
        default.body_bytes,
        size(KIB..=64 * MIB),
    );
    let body_memory_bytes = check.read(
        "limits.bodyMemoryBytes",
        file.body_memory_bytes,
        default.body_memory_bytes,
        size(KIB..=64 * GIB),
    );
    if check.is_clean(&["limits.bodyBytes", "limits.bodyMemoryBytes"]) && body_memory_bytes < body_bytes {
        check.refuse(
            "limits.bodyMemoryBytes",
            Fault::new(
                "is smaller than limits.bodyBytes",
                "Make it room for several bodies, for example 64Mi",
            ),
        );
    }
    Limits {
        body_bytes,
        body_memory_bytes,
        header_bytes: check.read(
            "limits.headerBytes",
            file.header_bytes,
            default.header_bytes,
            size(8 * KIB..=MIB),
        ),
        header_timeout: check.read(
            "limits.headerTimeout",
            file.header_timeout,
            default.header_timeout,
            wait(60),
        ),
        body_timeout: check.read(
            "limits.bodyTimeout",
            file.body_timeout,
            default.body_timeout,
            wait(60),
        ),
        idle_timeout: check.read(
            "limits.idleTimeout",
            file.idle_timeout,
            default.idle_timeout,
            wait(3600),
        ),
        write_timeout: check.read(
            "limits.writeTimeout",
            file.write_timeout,
            default.write_timeout,
            wait(60),
        ),
        publish_deadline: check.read(
            "limits.publishDeadline",
            file.publish_deadline,
            default.publish_deadline,
            wait(15),
        ),
        connections: check.read(
            "limits.connections",
            file.connections,
            default.connections,
            number(1..=1_000_000),
        ),
        in_flight_requests: check.read(
            "limits.inFlightRequests",
            file.in_flight_requests,
            default.in_flight_requests,
            number(1..=1_000_000),
        ),
        in_flight_events: check.read(
            "limits.inFlightEvents",
            file.in_flight_events,
            default.in_flight_events,
            number(1..=1_000_000),
        ),
        bad_signatures_per_minute: check.read(
            "limits.badSignaturesPerMinute",
            file.bad_signatures_per_minute,
            default.bad_signatures_per_minute,
            number(1..=1_000_000),
        ),
    }
}

fn waits(longest_seconds: u64) -> RangeInclusive<Duration> {
    SHORTEST_WAIT..=Duration::from_secs(longest_seconds)
}

fn log(file: FileLog, format: LogFormat, check: &mut Checker) -> Log {
    Log {
        format: check.read(
            "log.format",
            file.format,
            format,
            choice(&[("json", LogFormat::Json), ("text", LogFormat::Text)]),
        ),
        level: check.read(
            "log.level",
            file.level,
            LogLevel::Info,
            choice(&[
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
                ("trace", LogLevel::Trace),
            ]),
        ),
    }
}

fn shutdown(file: FileShutdown, endpoint_lag: Duration, check: &mut Checker) -> Shutdown {
    let up_to = |seconds| duration(Duration::ZERO..=Duration::from_secs(seconds));
    Shutdown {
        endpoint_lag: check.read(
            "shutdown.endpointLag",
            file.endpoint_lag,
            endpoint_lag,
            up_to(300),
        ),
        grace: check.read("shutdown.grace", file.grace, Duration::from_secs(20), up_to(3600)),
    }
}

/// A ratio alone turns nothing on.
fn tracing(file: FileTracing, check: &mut Checker) -> Option<TraceSettings> {
    let ratio = check.read(
        "tracing.sampleRatio",
        file.sample_ratio,
        SampleRatio::ALL,
        sample_ratio,
    );
    let endpoint = check.read_optional("tracing.endpoint", file.endpoint, collector)?;
    Some(TraceSettings {
        endpoint,
        sample_ratio: ratio,
    })
}
