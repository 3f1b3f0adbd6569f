//! Configuration from the outside: what is accepted, what is refused and how the refusal reads.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use wahook_receiver::config::{self, Config, Env, LogFormat, LogLevel, NatsAuth, Storage};

const TOKEN: &str = "a-verify-token-for-tests";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn env(more: &[(&str, &str)]) -> Env {
    let good = [("WEBHOOK_VERIFY_TOKEN", TOKEN), ("WHATSAPP_APP_SECRET", SECRET)];
    good.iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn by_hand(more: &[(&str, &str)]) -> Config {
    config::load(None, &env(more)).unwrap().config
}

fn file(yaml: &str) -> Config {
    config::parse(yaml).unwrap().0
}

#[test]
fn by_hand_two_secrets_are_enough() {
    let loaded = config::load(None, &env(&[])).unwrap();
    let config = loaded.config;
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.http.admin_listen.to_string(), "127.0.0.1:9090");
    assert_eq!(config.http.path, "/webhook");
    assert_eq!(config.nats.servers[0].expose(), "nats://127.0.0.1:4222");
    assert_eq!(config.stream.name, "whatsapp_local_webhook");
    assert_eq!(config.stream.object_bucket, "whatsapp_local_webhook_objects");
    assert_eq!(config.shutdown.endpoint_lag, Duration::ZERO);
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.secrets_dir, None);

    let secrets = loaded.env_secrets.unwrap();
    assert!(secrets.is_complete());
    assert_eq!(secrets.app_secrets[0].expose(), SECRET.as_bytes());
    assert_eq!(secrets.verify_token.unwrap().expose(), TOKEN.as_bytes());
    assert!(secrets.warnings.is_empty());
}

#[test]
fn by_hand_ports_and_brokers_are_variables() {
    let config = by_hand(&[
        ("PORT", "8080"),
        ("ADMIN_PORT", "0"),
        ("NATS_URL", "nats://ann:sesame@one, tls://two:4333"),
    ]);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.admin_listen.to_string(), "127.0.0.1:0");
    let shown: Vec<String> = config.nats.servers.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["nats://***@one:4222", "tls://two:4333"]);
    assert!(!format!("{config:?}").contains("sesame"));
}

#[test]
fn an_empty_file_is_all_defaults() {
    for yaml in ["", "\n", "# nothing yet\n", "{}", "limits:\nstream:\n"] {
        let config = file(yaml);
        assert_eq!(config.http.listen.to_string(), "0.0.0.0:3000", "{yaml:?}");
        assert_eq!(config.log.format, LogFormat::Json);
        assert_eq!(config.shutdown.endpoint_lag, Duration::from_secs(5));
        assert_eq!(config.shutdown.grace, Duration::from_secs(20));
        assert_eq!(config.stream.window, Duration::from_secs(86400));
        assert_eq!(config.stream.max_age, Duration::from_secs(7 * 86400));
        assert_eq!(config.stream.max_bytes, 2 * 1024 * 1024 * 1024);
        assert_eq!(config.stream.replicas, None);
        assert_eq!(config.limits, config::Limits::default());
        assert_eq!(config.deduplication.memory_entries, 100_000);
        assert_eq!(config.phone_number_ids, None);
    }
}

const FULL: &str = r#"
identity: {namespace: shops, webhook: "123", subjectPrefix: wa}
http:
  listen: "[::]:8080"
  adminListen: 127.0.0.1:8081
  path: /hooks/wa
  trustedProxies: [10.0.0.0/8, "2001:db8::1"]
secretsDir: /etc/wahook/secrets
nats:
  servers: ["tls://one.example.com", "nats://two.example.com:4333"]
  auth: {userFile: /nats/user, passwordFile: /nats/password}
  tls: {first: true, caFile: /tls/ca.crt, certFile: /tls/tls.crt, keyFile: /tls/tls.key}
  inboxPrefix: _INBOX_shops
  domain: hub
  connectTimeout: 2s
  pingInterval: 500ms
stream:
  name: shops
  ensure: true
  window: 7d
  maxAge: 169h
  maxBytes: 512Mi
  replicas: 3
  storage: memory
  objectBucket: shops_large
deduplication: {memoryEntries: 5000}
limits:
  bodyBytes: 1Mi
  bodyMemoryBytes: 33554432
  headerBytes: 16Ki
  headerTimeout: 5s
  bodyTimeout: 6s
  idleTimeout: 2m
  writeTimeout: 7s
  publishDeadline: 15s
  connections: 10
  inFlightRequests: 11
  inFlightEvents: 12
  badSignaturesPerMinute: 13
phoneNumberIds: [100000000000001, "100000000000002"]
log: {format: text, level: debug}
shutdown: {endpointLag: 0s, grace: 1m}
tracing: {endpoint: "http://collector:4318/", sampleRatio: 0.25}
"#;

#[test]
fn every_setting_of_the_file_arrives() {
    let (config, unknown) = config::parse(FULL).unwrap();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(config.identity.namespace, "shops");
    assert_eq!(config.identity.webhook, "123");
    assert_eq!(config.identity.subject_prefix, "wa");
    assert_eq!(config.http.listen.to_string(), "[::]:8080");
    assert_eq!(config.http.admin_listen.to_string(), "127.0.0.1:8081");
    assert_eq!(config.http.path, "/hooks/wa");
    let proxies: Vec<String> = config
        .http
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "2001:db8::1/128"]);
    assert_eq!(
        config.secrets_dir.as_deref(),
        Some(Path::new("/etc/wahook/secrets"))
    );
    assert_eq!(config.nats.servers[1].to_string(), "nats://two.example.com:4333");
    let files = ("/nats/user".into(), "/nats/password".into());
    assert_eq!(
        config.nats.auth,
        NatsAuth::UserPassword {
            user: files.0,
            password: files.1
        }
    );
    assert!(
        config.nats.tls.first && config.nats.tls.required,
        "first includes required"
    );
    assert_eq!(config.nats.tls.ca_file.as_deref(), Some(Path::new("/tls/ca.crt")));
    assert_eq!(
        config.nats.tls.cert_file.as_deref(),
        Some(Path::new("/tls/tls.crt"))
    );
    assert_eq!(
        config.nats.tls.key_file.as_deref(),
        Some(Path::new("/tls/tls.key"))
    );
    assert_eq!(config.nats.inbox_prefix, "_INBOX_shops");
    assert_eq!(config.nats.domain.as_deref(), Some("hub"));
    assert_eq!(config.nats.connect_timeout, Duration::from_secs(2));
    assert_eq!(config.nats.ping_interval, Duration::from_millis(500));
    assert_eq!(config.stream.name, "shops");
    assert!(config.stream.ensure);
    assert_eq!(config.stream.window, Duration::from_secs(168 * 3600));
    assert_eq!(config.stream.max_age, Duration::from_secs(169 * 3600));
    assert_eq!(config.stream.max_bytes, 512 << 20);
    assert_eq!(config.stream.replicas, Some(3));
    assert_eq!(config.stream.storage, Storage::Memory);
    assert_eq!(config.stream.object_bucket, "shops_large");
    assert_eq!(config.deduplication.memory_entries, 5000);
    let limits = config::Limits {
        body_bytes: 1 << 20,
        body_memory_bytes: 32 << 20,
        header_bytes: 16 << 10,
        header_timeout: Duration::from_secs(5),
        body_timeout: Duration::from_secs(6),
        idle_timeout: Duration::from_secs(120),
        write_timeout: Duration::from_secs(7),
        publish_deadline: Duration::from_secs(15),
        connections: 10,
        in_flight_requests: 11,
        in_flight_events: 12,
        bad_signatures_per_minute: 13,
    };
    assert_eq!(config.limits, limits);
    let ids: Vec<String> = config.phone_number_ids.unwrap().into_iter().collect();
    assert_eq!(ids, ["100000000000001", "100000000000002"]);
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.log.level, LogLevel::Debug);
    assert_eq!(config.shutdown.endpoint_lag, Duration::ZERO);
    assert_eq!(config.shutdown.grace, Duration::from_secs(60));
    let tracing = config.tracing.unwrap();
    assert_eq!(tracing.endpoint.as_str(), "http://collector:4318");
    assert_eq!(tracing.sample_ratio.to_string(), "0.25");
}

#[test]
fn keys_of_another_version_are_reported_and_harm_nothing() {
    let (config, unknown) = config::parse(
        "profiling: {endpoint: x}\nlimits: {bodyBytes: 2Mi, warpFactor: 9}\nnats: {tls: {pins: [a]}}",
    )
    .unwrap();
    assert_eq!(unknown, ["profiling", "limits.warpFactor", "nats.tls.pins"]);
    assert_eq!(config.limits.body_bytes, 2 << 20);
}

/// A receiver may be one version older or newer than the operator that writes its file.
#[test]
fn what_every_version_of_the_operator_wrote_is_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config_versions");
    let mut versions = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let written = std::fs::read_to_string(&path).unwrap();
        let (config, unknown) = config::parse(&written).unwrap();
        assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
        assert_eq!(
            (config.identity.namespace.as_str(), config.stream.replicas),
            ("shop", Some(3))
        );

        let tree: serde_json::Value = serde_saphyr::from_str(&written).unwrap();
        for section in tree.as_object().unwrap().keys() {
            // A newer operator writes what this receiver does not know.
            let mut newer = tree.clone();
            newer["section-of-tomorrow"] = serde_json::json!({ "key": [1] });
            let mut expected = vec!["section-of-tomorrow".to_owned()];
            if let Some(keys) = newer[section].as_object_mut() {
                keys.insert("key-of-tomorrow".to_owned(), serde_json::json!({ "deep": true }));
                expected.push(format!("{section}.key-of-tomorrow"));
            }
            let (_, mut unknown) = config::parse(&newer.to_string()).unwrap();
            unknown.sort();
            expected.sort();
            assert_eq!(unknown, expected, "{}: {section}", path.display());
            // An older one does not write what this receiver knows.
            let keys: Vec<String> = tree[section]
                .as_object()
                .map(|keys| keys.keys().cloned().collect())
                .unwrap_or_default();
            // Its default would be shorter than this file's window.
            for key in keys.into_iter().filter(|key| key != "maxAge") {
                let mut older = tree.clone();
                older[section].as_object_mut().unwrap().remove(&key);
                let read = config::parse(&older.to_string());
                assert!(
                    read.is_ok(),
                    "{}: without {section}.{key}: {:?}",
                    path.display(),
                    read.err()
                );
            }
            // Files are named by it.
            if section == "secretsDir" {
                continue;
            }
            let mut older = tree.clone();
            older.as_object_mut().unwrap().remove(section);
            assert!(
                config::parse(&older.to_string()).is_ok(),
                "{}: without {section}",
                path.display()
            );
        }
        versions += 1;
    }
    assert!(versions > 0);
}

#[test]
fn words_that_yaml_once_took_for_booleans_are_names() {
    let config = file("identity: {namespace: no, webhook: on}\nphoneNumberIds: [0123]");
    assert_eq!(config.identity.namespace, "no");
    assert_eq!(config.identity.webhook, "on");
    assert!(config.phone_number_ids.unwrap().contains("0123"));
}

#[test]
fn an_empty_list_of_numbers_means_all() {
    assert_eq!(file("phoneNumberIds: []").phone_number_ids, None);
}

/// One bad setting each: the file, the setting that must be named, the problem and the fix.
#[rustfmt::skip]
const BAD_FILES: &[(&str, &str, &str, &str)] = &[
    ("identity: {namespace: a.b}", "identity.namespace", "\"a.b\" is not a valid name", "Use 1 to 40 of"),
    ("identity: {namespace: ''}", "identity.namespace", "an empty value is not a valid name", "Use 1 to 40 of"),
    ("identity: {webhook: 'a b'}", "identity.webhook", "\"a b\" is not a valid name", "Use 1 to 40 of"),
    ("identity: {webhook: aaaaaaaaaabbbbbbbbbbccccccccccddddddddddX}", "identity.webhook", "a value of 41 characters", "1 to 40"),
    ("identity: {subjectPrefix: '>'}", "identity.subjectPrefix", "\">\" is not a valid name", "Use 1 to 40 of"),
    ("identity: {webhook: [a]}", "identity.webhook", "is a list", "Write a single value"),
    ("identity: {webhook: {a: b}}", "identity.webhook", "is a mapping", "Write a single value"),
    ("http: {listen: localhost:3000}", "http.listen", "\"localhost:3000\" is not an IP address and port", "0.0.0.0:3000"),
    ("http: {listen: 3000}", "http.listen", "\"3000\" is not an IP address and port", "0.0.0.0:3000"),
    ("http: {adminListen: 0.0.0.0:99999}", "http.adminListen", "\"0.0.0.0:99999\" is not", "[::]:3000"),
    ("http: {adminListen: 127.0.0.1:3000}", "http.adminListen", "has the same port as the webhook", "9090"),
    ("http: {path: webhook}", "http.path", "does not start with a slash", "/webhook"),
    ("http: {path: /health}", "http.path", "answers health checks", "Use another path"),
    ("http: {path: '/a?b'}", "http.path", "is not a plain URL path", "/webhook"),
    ("http: {path: /a/../b}", "http.path", "is not a plain URL path", "single slashes"),
    ("http: {trustedProxies: 10.0.0.0/8}", "http.trustedProxies", "is not a list", "[first, second]"),
    ("http: {trustedProxies: [10.0.0.0/8, bad]}", "http.trustedProxies[1]", "neither a network nor an IP", "10.0.0.0/8"),
    ("http: {trustedProxies: [10.0.0.0/33]}", "http.trustedProxies[0]", "neither a network nor an IP", "10.0.0.0/8"),
    ("http: {trustedProxies: [null]}", "http.trustedProxies[0]", "an empty value is neither", "10.0.0.0/8"),
    ("secretsDir: ''", "secretsDir", "is not a path", "Write an absolute path"),
    ("nats: {servers: []}", "nats.servers", "is empty", "at least one server"),
    ("nats: {servers: nats://a}", "nats.servers", "is not a list", "Write a list"),
    ("nats: {servers: ['http://a']}", "nats.servers[0]", "is not the URL of a NATS server", "nats://host:4222"),
    ("nats: {servers: ['ws://a']}", "nats.servers[0]", "has a scheme other than nats and tls", "nats://host:4222"),
    ("nats: {servers: ['nats://a/b']}", "nats.servers[0]", "has something after the host", "nats://host:4222"),
    ("nats: {servers: ['nats://u:p@a:port']}", "nats.servers[0]", "is not the URL of a NATS server", "nats://host:4222"),
    ("nats: {auth: {userFile: /u}}", "nats.auth.passwordFile", "is missing while userFile is set", "both or neither"),
    ("nats: {auth: {passwordFile: /p}}", "nats.auth.userFile", "is missing while passwordFile", "both or neither"),
    ("nats: {auth: {tokenFile: /t, nkeyFile: /n}}", "nats.auth", "more than one method: nkeyFile, tokenFile", "Keep one"),
    ("nats: {servers: ['nats://u:p@a'], auth: {tokenFile: /t}}", "nats.auth", "a URL in nats.servers has a user", "Keep one"),
    ("nats: {auth: {tokenFile: /t}}", "nats.auth", "names files while secretsDir is not set", "Set secretsDir"),
    ("nats: {tls: {required: yes}}", "nats.tls.required", "\"yes\" is neither true nor false", "Write true or false"),
    ("nats: {tls: {certFile: /c}}", "nats.tls.keyFile", "is missing while certFile is set", "both or neither"),
    ("nats: {tls: {keyFile: /k}}", "nats.tls.certFile", "is missing while keyFile is set", "both or neither"),
    ("nats: {inboxPrefix: '_INBOX.*'}", "nats.inboxPrefix", "is not a valid subject prefix", "_INBOX"),
    ("nats: {inboxPrefix: 'a..b'}", "nats.inboxPrefix", "is not a valid subject prefix", "_INBOX"),
    ("nats: {domain: a.b}", "nats.domain", "\"a.b\" is not a valid name", "1 to 64"),
    ("nats: {connectTimeout: 5}", "nats.connectTimeout", "\"5\" is not a length of time with a unit", "for example 10s"),
    ("nats: {pingInterval: 2m}", "nats.pingInterval", "\"2m\" is out of range", "10ms to 1m"),
    ("stream: {name: a.b}", "stream.name", "\"a.b\" is not a valid name", "1 to 200"),
    ("stream: {ensure: 1}", "stream.ensure", "\"1\" is neither true nor false", "Write true or false"),
    ("stream: {window: 170h, maxAge: 30d}", "stream.window", "\"170h\" is out of range", "100ms to 169h"),
    ("stream: {window: 99ms}", "stream.window", "\"99ms\" is out of range", "100ms to 169h"),
    ("stream: {window: -1h}", "stream.window", "\"-1h\" is out of range", "100ms to 169h"),
    ("stream: {window: 1mo}", "stream.window", "\"1mo\" is not made of days and smaller units", "100ms to 169h"),
    ("stream: {maxAge: 23h}", "stream.maxAge", "is shorter than stream.window, 24h", "Use 24h or more"),
    ("stream: {maxBytes: 2G}", "stream.maxBytes", "\"2G\" is not a number of bytes", "1Mi to"),
    ("stream: {maxBytes: -1}", "stream.maxBytes", "\"-1\" is not a number of bytes", "1Mi to"),
    ("stream: {maxBytes: 1Ki}", "stream.maxBytes", "\"1Ki\" is out of range", "1Mi to"),
    ("stream: {replicas: 0}", "stream.replicas", "\"0\" is out of range", "Use 1 to 5"),
    ("stream: {replicas: six}", "stream.replicas", "\"six\" is not a whole number", "Use 1 to 5"),
    ("stream: {storage: disk}", "stream.storage", "\"disk\" is not one of the choices", "file, memory"),
    ("stream: {objectBucket: a/b}", "stream.objectBucket", "\"a/b\" is not a valid name", "A-Z a-z 0-9"),
    ("deduplication: {memoryEntries: 0}", "deduplication.memoryEntries", "\"0\" is out of range", "Use 1 to 10000000"),
    ("limits: {bodyBytes: 1023}", "limits.bodyBytes", "\"1023\" is out of range", "1Ki to 64Mi"),
    ("limits: {bodyBytes: 65Mi}", "limits.bodyBytes", "\"65Mi\" is out of range", "1Ki to 64Mi"),
    ("limits: {bodyBytes: 1.5}", "limits.bodyBytes", "\"1.5\" is not a number of bytes", "for example 3Mi"),
    ("limits: {bodyMemoryBytes: 2Mi}", "limits.bodyMemoryBytes", "is smaller than limits.bodyBytes", "for example 64Mi"),
    ("limits: {headerBytes: 4Ki}", "limits.headerBytes", "\"4Ki\" is out of range", "8Ki to 1Mi"),
    ("limits: {headerTimeout: 0s}", "limits.headerTimeout", "\"0s\" is out of range", "10ms to 1m"),
    ("limits: {bodyTimeout: 2m}", "limits.bodyTimeout", "\"2m\" is out of range", "10ms to 1m"),
    ("limits: {idleTimeout: 2h}", "limits.idleTimeout", "\"2h\" is out of range", "10ms to 1h"),
    ("limits: {writeTimeout: ten}", "limits.writeTimeout", "\"ten\" is not a length of time", "for example 10s"),
    ("limits: {publishDeadline: 16s}", "limits.publishDeadline", "\"16s\" is out of range", "10ms to 15s"),
    ("limits: {connections: 0}", "limits.connections", "\"0\" is out of range", "Use 1 to 1000000"),
    ("limits: {inFlightRequests: many}", "limits.inFlightRequests", "\"many\" is not a whole number", "Use 1 to"),
    ("limits: {inFlightEvents: 1e9}", "limits.inFlightEvents", "\"1000000000\" is out of range", "Use 1 to"),
    ("limits: {badSignaturesPerMinute: 0}", "limits.badSignaturesPerMinute", "\"0\" is out of range", "Use 1 to"),
    ("phoneNumberIds: 100000000000001", "phoneNumberIds", "is not a list", "[first, second]"),
    ("phoneNumberIds: ['+15550100001']", "phoneNumberIds[0]", "is not a phone number id", "WhatsApp Manager"),
    ("log: {format: xml}", "log.format", "\"xml\" is not one of the choices", "json, text"),
    ("log: {level: loud}", "log.level", "\"loud\" is not one of the choices", "error, warn, info"),
    ("shutdown: {endpointLag: 6m}", "shutdown.endpointLag", "\"6m\" is out of range", "0s to 5m"),
    ("shutdown: {grace: '10'}", "shutdown.grace", "\"10\" is not a length of time with a unit", "0s to 1h"),
    ("tracing: {endpoint: 'collector:4318'}", "tracing.endpoint", "is not the address of a collector", "http://collector.observability:4318"),
    ("tracing: {endpoint: 'http://u:p@collector:4318'}", "tracing.endpoint", "is not the address of a collector", "without user"),
    ("tracing: {sampleRatio: 1.5}", "tracing.sampleRatio", "\"1.5\" is not a share", "0 to 1"),
    ("tracing: {endpoint: 'http://collector:4318', sampleRatio: 10%}", "tracing.sampleRatio", "\"10%\" is not a share", "0 to 1"),
    ("limits: 5", "configuration file", "a section belongs (line 1, column", "Indent the section"),
    ("limits: [a]", "configuration file", "a section belongs (line 1, column", "Indent the section"),
    ("just text", "configuration file", "a section belongs (line 1, column", "Indent the section"),
    ("log: {level: info}\nlog: {level: warn}", "configuration file", "the same key twice (line 2", "Remove one"),
    ("log: {level: info", "configuration file", "is not valid YAML", "Check indentation"),
    ("log: {}\n---\nlog: {}", "configuration file", "more than one YAML document", "Keep one"),
    ("log: *missing", "configuration file", "an anchor it does not define", "Define the anchor"),
];

/// One bad variable each.
#[rustfmt::skip]
const BAD_ENVIRONMENTS: &[(&str, &str, &str, &str)] = &[
    ("WEBHOOK_VERIFY_TOKEN", "too-short", "has 9 characters, at least 16 are needed", "openssl rand -hex 16"),
    ("WEBHOOK_VERIFY_TOKEN", "", "is blank", "openssl rand -hex 16"),
    ("WEBHOOK_VERIFY_TOKEN", "your-verify-token", "is the placeholder \"your-verify-token\"", "openssl rand -hex 16"),
    ("WEBHOOK_VERIFY_TOKEN", "first line of two\nsecond line", "has more than one line", "on one line"),
    ("WHATSAPP_APP_SECRET", "too-short", "has 9 characters, at least 16 are needed", "App settings, Basic, App secret"),
    ("WHATSAPP_APP_SECRET", "   ", "is blank", "App settings, Basic, App secret"),
    ("WHATSAPP_APP_SECRET", "your-app-secret-from-meta-dashboard", "is the placeholder", "App settings, Basic"),
    ("PORT", "http", "\"http\" is not a whole number", "Use 0 to 65535"),
    ("PORT", "65536", "\"65536\" is out of range", "Use 0 to 65535"),
    ("ADMIN_PORT", "-1", "\"-1\" is not a whole number", "Use 0 to 65535"),
    ("ADMIN_PORT", "3000", "has the same port as the webhook", "Use another port"),
    ("NATS_URL", "http://127.0.0.1:4222", "is not the URL of a NATS server", "nats://host:4222"),
    ("NATS_URL", "nats://a,,nats://b", "names no host", "nats://host:4222"),
];

fn assert_only(problems: &[config::Problem], setting: &str, problem: &str, fix: &str, input: &str) {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 1, "{input}: {lines:?}");
    assert_eq!(problems[0].setting, setting, "{input}: {lines:?}");
    assert!(problems[0].problem.contains(problem), "{input}: {lines:?}");
    assert!(problems[0].fix.contains(fix), "{input}: {lines:?}");
    assert!(lines[0].starts_with(&format!("{setting}: ")), "{lines:?}");
}

#[test]
fn bad_files_are_refused_with_the_setting_the_problem_and_the_fix() {
    assert!(BAD_FILES.len() >= 40);
    for (yaml, setting, problem, fix) in BAD_FILES {
        let error = config::parse(yaml).expect_err(yaml);
        assert_only(error.problems(), setting, problem, fix, yaml);
    }
}

#[test]
fn bad_environments_are_refused_with_the_variable_the_problem_and_the_fix() {
    for (name, value, problem, fix) in BAD_ENVIRONMENTS {
        let error = config::load(None, &env(&[(name, value)])).expect_err(name);
        assert_only(error.problems(), name, problem, fix, name);
    }
}

#[test]
fn all_problems_are_reported_at_once_and_in_order() {
    let error = config::load(None, &Env::from([("PORT".to_owned(), "x".to_owned())])).unwrap_err();
    let settings: Vec<&str> = error
        .problems()
        .iter()
        .map(|problem| problem.setting.as_str())
        .collect();
    assert_eq!(settings, ["PORT", "WEBHOOK_VERIFY_TOKEN", "WHATSAPP_APP_SECRET"]);
    let text = error.to_string();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        text.starts_with("the configuration cannot be used, 3 problems:\n  PORT: "),
        "{text}"
    );

    let error = config::parse("limits: {connections: 0, bodyBytes: x}\nlog: {level: x}").unwrap_err();
    assert_eq!(error.problems().len(), 3);
}

#[test]
fn a_bad_value_does_not_drag_a_rule_between_settings_along() {
    let error = config::parse("stream: {window: 999h, maxAge: 1h}").unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
}

#[test]
fn with_a_file_the_environment_gives_only_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("receiver.yaml");

    std::fs::write(&path, "log: {level: warn}\nnats: {tls: {caFile: /tls/ca.crt}}").unwrap();
    let loaded = config::load(Some(&path), &env(&[("PORT", "not read")])).unwrap();
    assert_eq!(loaded.config.http.listen.port(), 3000);
    let secrets = loaded.env_secrets.unwrap();
    assert!(secrets.is_complete());
    assert_eq!(secrets.nats.ca_file.as_deref(), Some(Path::new("/tls/ca.crt")));

    std::fs::write(&path, "secretsDir: /somewhere\nfuture: 1").unwrap();
    let loaded = config::load(Some(&path), &Env::new()).unwrap();
    assert!(loaded.env_secrets.is_none());
    assert_eq!(loaded.unknown_keys, ["future"]);

    let error = config::load(Some(&dir.path().join("absent.yaml")), &Env::new())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("absent.yaml: cannot be read: entity not found. Check the path given to --config"),
        "{error}"
    );
}

#[test]
fn an_environment_file_fills_in_what_the_process_does_not_set() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("env");
    std::fs::write(
        &path,
        format!("PORT=4000\nADMIN_PORT=4001\nexport WHATSAPP_APP_SECRET='{SECRET}'\n# x\n"),
    )
    .unwrap();
    let process = Env::from([
        ("PORT".into(), "5000".into()),
        ("WEBHOOK_VERIFY_TOKEN".into(), TOKEN.into()),
    ]);
    let env = config::with_env_file(process, &path).unwrap();
    let config = config::load(None, &env).unwrap().config;
    assert_eq!(config.http.listen.port(), 5000);
    assert_eq!(config.http.admin_listen.port(), 4001);
}

#[test]
fn a_bad_environment_file_is_refused_without_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("env");
    std::fs::write(&path, "PORT=4000\nWHATSAPP_APP_SECRET=sesame open sesame\n").unwrap();
    let error = config::with_env_file(Env::new(), &path).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the entry after PORT is not NAME=value"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("sesame"));

    let error = config::with_env_file(Env::new(), &dir.path().join("absent")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("absent: cannot be read: entity not found"),
        "{error}"
    );
}

#[test]
fn the_example_is_read_and_its_placeholders_are_refused_by_name() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.example");
    let env = config::with_env_file(Env::new(), &example).unwrap();
    let error = config::load(None, &env).unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    for (problem, name) in error
        .problems()
        .iter()
        .zip(["WEBHOOK_VERIFY_TOKEN", "WHATSAPP_APP_SECRET"])
    {
        assert_eq!(problem.setting, name);
        assert!(problem.problem.contains(&env[name]), "{problem}");
    }
}

#[test]
fn changes_that_need_a_restart_are_named() {
    let config = file(FULL);
    assert!(config.restart_needed(&file(FULL)).is_empty());

    let reloadable = [
        ("bodyBytes: 1Mi", "bodyBytes: 2Mi"),
        ("badSignaturesPerMinute: 13", "badSignaturesPerMinute: 14"),
        ("10.0.0.0/8", "10.0.0.0/9"),
        ("100000000000001", "100000000000003"),
        ("level: debug", "level: info"),
    ];
    let changed = reloadable
        .iter()
        .fold(FULL.to_owned(), |text, (old, new)| text.replacen(old, new, 1));
    let new = file(&changed);
    assert_ne!(new, config);
    assert_eq!(config.restart_needed(&new), Vec::<&str>::new());

    let others = [
        ("namespace: shops", "namespace: shop", "identity.namespace"),
        ("webhook: \"123\"", "webhook: \"124\"", "identity.webhook"),
        ("subjectPrefix: wa", "subjectPrefix: wb", "identity.subjectPrefix"),
        ("[::]:8080", "[::]:8082", "http.listen"),
        ("127.0.0.1:8081", "127.0.0.1:8083", "http.adminListen"),
        ("/hooks/wa", "/hooks/wb", "http.path"),
        ("/etc/wahook/secrets", "/etc/wahook/other", "secretsDir"),
        ("one.example.com", "three.example.com", "nats.servers"),
        ("/nats/user", "/nats/name", "nats.auth"),
        ("{first: true,", "{required: true,", "nats.tls.first"),
        ("/tls/ca.crt", "/tls/cb.crt", "nats.tls.caFile"),
        ("/tls/tls.crt", "/tls/tls2.crt", "nats.tls.certFile"),
        ("/tls/tls.key", "/tls/tls2.key", "nats.tls.keyFile"),
        ("_INBOX_shops", "_INBOX_shop", "nats.inboxPrefix"),
        ("domain: hub", "domain: leaf", "nats.domain"),
        ("connectTimeout: 2s", "connectTimeout: 3s", "nats.connectTimeout"),
        ("pingInterval: 500ms", "pingInterval: 501ms", "nats.pingInterval"),
        ("name: shops", "name: shop", "stream.name"),
        ("ensure: true", "ensure: false", "stream.ensure"),
        ("window: 7d", "window: 6d", "stream.window"),
        ("maxAge: 169h", "maxAge: 170h", "stream.maxAge"),
        ("maxBytes: 512Mi", "maxBytes: 513Mi", "stream.maxBytes"),
        ("replicas: 3", "replicas: 5", "stream.replicas"),
        ("storage: memory", "storage: file", "stream.storage"),
        ("shops_large", "shops_larger", "stream.objectBucket"),
        (
            "memoryEntries: 5000",
            "memoryEntries: 5001",
            "deduplication.memoryEntries",
        ),
        ("format: text", "format: json", "log.format"),
        ("endpointLag: 0s", "endpointLag: 1s", "shutdown.endpointLag"),
        ("grace: 1m", "grace: 2m", "shutdown.grace"),
        ("collector:4318", "collector:4319", "tracing.endpoint"),
        ("sampleRatio: 0.25", "sampleRatio: 0.5", "tracing.sampleRatio"),
    ];
    for (old, new, setting) in others {
        // `name: shops` of the stream, not of the identity.
        let (head, tail) = if setting == "stream.name" {
            FULL.split_once("stream:").unwrap()
        } else {
            ("", FULL)
        };
        let changed = [
            head,
            if head.is_empty() { "" } else { "stream:" },
            &tail.replacen(old, new, 1),
        ]
        .concat();
        assert_eq!(config.restart_needed(&file(&changed)), [setting]);
    }
}

proptest! {
    /// Whatever is wrong, no message and no `Debug` repeats a secret.
    #[test]
    fn no_secret_appears_anywhere(
        token in "[A-Za-z0-9]{8,40}",
        secret in "[A-Za-z0-9]{8,40}",
        password in "[A-Za-z0-9]{8,40}",
        break_url in prop::sample::select(&["nats", "http", "ws", ""][..]),
        end in prop::sample::select(&["", "\n", "\n\n", " ", "\0", "\r"][..]),
    ) {
        let (token, secret) = (format!("T{token}"), format!("S{secret}"));
        let env = Env::from([
            ("WEBHOOK_VERIFY_TOKEN".to_owned(), format!("{token}{end}")),
            ("WHATSAPP_APP_SECRET".to_owned(), format!("{secret}{end}")),
            ("NATS_URL".to_owned(), format!("{break_url}://ann:{password}@127.0.0.1:4222")),
        ]);
        let said = match config::load(None, &env) {
            Ok(loaded) => {
                let warnings = loaded.env_secrets.as_ref().unwrap().warnings.clone();
                format!("{loaded:?} {:?} {warnings:?}", loaded.config.nats.servers[0].to_string())
            }
            Err(error) => format!("{error} {error:?}"),
        };
        for hidden in [&token, &secret, &password] {
            prop_assert!(!said.contains(hidden.as_str()), "{}", said);
        }

        let yaml = format!("nats: {{servers: [\"{break_url}://ann:{password}@h\", \"{password}\": 1]\n  tls: 5");
        let said = config::parse(&yaml).map_err(|error| format!("{error} {error:?}")).unwrap_err();
        prop_assert!(!said.contains(password.as_str()), "{}", said);
        let yaml = format!("nats: {{servers: {{a: \"{break_url}://ann:{password}@h\"}}, auth: \"{password}\"}}");
        let said = config::parse(&yaml).map_err(|error| format!("{error} {error:?}")).unwrap_err();
        prop_assert!(!said.contains(password.as_str()), "{}", said);
    }
}
