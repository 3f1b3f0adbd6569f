//! The configuration that is written is the one the receiver reads, and pods are replaced exactly when it has
//! to be read again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wahook_crds::{StreamManagement, WhatsAppWebhook};
use wahook_operator::build::configuration::{CONFIG_DIR, Configuration, SECRETS_DIR, configuration};
use wahook_operator::child::ChildKind;
use wahook_operator::names;
use wahook_operator::settings::Settings;
use wahook_receiver::config::{Config, LogFormat, NatsAuth, Storage};

use super::support::{FULL, children, content, generous, parsed, settings, smallest, valid, yaml};

/// Patches of the smallest resource: every field of the receiver's configuration, and every bound.
const SPECS: &[&str] = &[
    "{}",
    "metadata: {name: a-2}",
    "metadata: {name: a234567890123456789012345678901234567890, namespace: b234567890123456789012345678901234567890}",
    "metadata: {namespace: 'no'}",
    "metadata: {name: 'null', namespace: '1e3'}",
    "spec: {endpoint: {path: /}}",
    "spec: {endpoint: {path: /a/b-c_d.e~f}}",
    "spec: {endpoint: {path: /~}}",
    "spec: {meta: {phoneNumberIds: ['0315005501000001', '7']}}",
    "spec: {meta: {phoneNumberIds: ['99999999999999999999999999999999']}}",
    "spec: {nats: {servers: ['nats://nats', 'tls://192.0.2.7:443', 'nats://[2001:db8::1]:4222']}}",
    "spec: {nats: {servers: ['tls://nats.example.com'], stream: {replicas: 3}}}",
    "spec: {nats: {servers: ['nats://nats.nats:4222']}}",
    "spec: {nats: {credentialsSecretRef: {name: broker}}}",
    "spec: {nats: {credentialsSecretRef: {name: broker, key: user.creds}}}",
    "spec: {nats: {tls: {required: true}}}",
    "spec: {nats: {tls: {first: true, caSecretRef: {name: ca}}}}",
    "spec: {nats: {tls: {caConfigMapRef: {name: ca, key: bundle}, clientCertificateSecretRef: {name: me}}}}",
    "spec: {nats: {domain: hub}}",
    "spec: {nats: {domain: '007'}}",
    "spec: {nats: {stream: {management: External, name: '0'}}}",
    "spec: {nats: {stream: {management: External, name: EVENTS-1_a}, credentialsSecretRef: {name: broker}}}",
    "spec: {nats: {stream: {replicas: 5, maxAge: 87600h, maxBytes: 1024Ti, storage: Memory}}}",
    "spec: {nats: {stream: {replicas: 1, maxAge: 100ms, maxBytes: 1Mi}}, deduplication: {window: 100ms}}",
    "spec: {nats: {stream: {denyDelete: true, maxAge: 169h}}, deduplication: {window: 169h}}",
    "spec: {nats: {stream: {maxBytes: '1048577'}}}",
    "spec: {deduplication: {window: 1h30m500ms}}",
    "spec: {deduplication: {memoryEntries: 1}}",
    "spec: {deduplication: {memoryEntries: 10000000}}",
    "spec: {limits: {bodyBytes: 1Ki, bodyMemoryBytes: 1Ki, headerBytes: 8Ki}}",
    "spec: {limits: {bodyBytes: 64Mi, bodyMemoryBytes: 64Gi, headerBytes: 1Mi}}",
    "spec: {limits: {bodyBytes: '3000000'}}",
    "spec: {limits: {headerTimeout: 10ms, bodyTimeout: 10ms, idleTimeout: 10ms, writeTimeout: 10ms, publishDeadline: 10ms}}",
    "spec: {limits: {headerTimeout: 60s, bodyTimeout: 1m, idleTimeout: 1h, writeTimeout: 60000ms, publishDeadline: 15s}}",
    "spec: {limits: {connections: 1, inFlightRequests: 1, inFlightEvents: 1, badSignaturesPerMinute: 1}}",
    "spec: {limits: {connections: 1000000, inFlightRequests: 1000000, inFlightEvents: 1000000, badSignaturesPerMinute: 1000000}}",
    "spec: {receiver: {logLevel: Trace}}",
    "spec: {receiver: {logLevel: Error, replicas: 7}}",
    "spec: {monitoring: {tracing: {endpoint: 'http://collector.observability:4318'}}}",
    "spec: {monitoring: {tracing: {endpoint: 'http://collector.observability:4318', sampleRatio: '0.1'}}}",
    "spec: {monitoring: {tracing: {endpoint: 'https://[2001:db8::1]/otlp/', sampleRatio: '0'}}}",
    "spec: {suspend: true}",
];

/// The same as the smallest resource, spelled differently.
const SAME: &[&str] = &[
    "spec: {deduplication: {window: 1440m}}",
    "spec: {deduplication: {window: 23h59m59s1000ms}}",
    "spec: {nats: {stream: {maxAge: 10080m, maxBytes: 2048Mi}}}",
    "spec: {limits: {bodyBytes: 3072Ki, idleTimeout: 1m15s, publishDeadline: 4000ms}}",
];

fn written(resource: &WhatsAppWebhook, settings: &Settings) -> Configuration {
    configuration(&valid(resource, settings), settings)
}

/// What the receiver makes of a configuration, which it must know whole.
fn read(configuration: &Configuration) -> Config {
    let text = configuration.yaml();
    let (config, unknown) =
        wahook_receiver::config::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    assert_eq!(unknown, Vec::<String>::new(), "{text}");
    config
}

/// What a resource asks of the receiver, straight from its fields.
#[allow(clippy::too_many_lines, reason = "one line a field")]
fn check(resource: &WhatsAppWebhook, settings: &Settings) {
    let spec = &resource.spec;
    let name = resource.metadata.name.as_deref().unwrap();
    let namespace = resource.metadata.namespace.as_deref().unwrap();
    let Config {
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
    } = read(&written(resource, settings));
    let std = |value: &wahook_crds::Duration| value.to_std().unwrap();
    let bytes = |value: &wahook_crds::Size| usize::try_from(value.to_bytes().unwrap()).unwrap();
    let count = |value: i32| usize::try_from(value).unwrap();

    assert_eq!(
        (identity.namespace.as_str(), identity.webhook.as_str()),
        (namespace, name)
    );
    assert_eq!(identity.subject_prefix, settings.subject_prefix);
    assert_eq!(http.listen.to_string(), "0.0.0.0:3000");
    assert_eq!(http.admin_listen.to_string(), "0.0.0.0:9090");
    assert_eq!(http.path, spec.endpoint.path);
    let proxies: Vec<_> = http.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, settings.receiver.trusted_proxies);
    assert_eq!(secrets_dir, Some(PathBuf::from(SECRETS_DIR)));

    let servers = if spec.nats.servers.is_empty() {
        &settings.nats.servers
    } else {
        &spec.nats.servers
    };
    let exposed: Vec<_> = nats.servers.iter().map(|url| url.expose().to_owned()).collect();
    assert_eq!(&exposed, servers);
    assert!(nats.servers.iter().all(|url| !url.has_credentials()));
    let secret = |file: &str| PathBuf::from(SECRETS_DIR).join(file);
    let credentials = spec.nats.credentials_secret_ref.as_ref();
    match credentials.and_then(|credentials| credentials.key.as_ref()) {
        Some(_) => assert_eq!(nats.auth, NatsAuth::Credentials(secret("nats.creds"))),
        None => assert_eq!(nats.auth, NatsAuth::Found),
    }
    let tls = spec.nats.tls.clone().unwrap_or_default();
    let named = nats.tls.ca_file.is_some() || tls.client_certificate_secret_ref.is_some();
    assert_eq!(
        (nats.tls.required, nats.tls.first),
        (tls.required || tls.first || named, tls.first)
    );
    let own_ca = tls.ca_secret_ref.is_some() || tls.ca_config_map_ref.is_some();
    let ca_file = match &settings.nats.ca.current() {
        _ if own_ca => Some(secret("nats-ca.crt")),
        Some(_) if servers.iter().all(|url| settings.nats.servers.contains(url)) => {
            Some(PathBuf::from(CONFIG_DIR).join(names::CA_KEY))
        }
        _ => None,
    };
    assert_eq!(nats.tls.ca_file, ca_file);
    let certificate = tls.client_certificate_secret_ref.as_ref();
    assert_eq!(nats.tls.cert_file, certificate.map(|_| secret("nats-tls.crt")));
    assert_eq!(nats.tls.key_file, certificate.map(|_| secret("nats-tls.key")));
    assert_eq!(nats.inbox_prefix, format!("_INBOX_{namespace}_{name}"));
    assert_eq!(nats.domain, spec.nats.domain);

    let managed = spec.nats.stream.management == StreamManagement::Managed;
    let own = format!("{}_{namespace}_{name}", settings.subject_prefix);
    let expected = spec.nats.stream.name.clone().unwrap_or(own);
    assert_eq!(stream.object_bucket, format!("{expected}_objects"));
    assert_eq!(stream.name, expected);
    let elsewhere = !spec.nats.servers.is_empty();
    assert_eq!(stream.ensure, managed && elsewhere);
    assert_eq!(stream.window, std(&spec.deduplication.window));
    assert_eq!(stream.max_age, std(&spec.nats.stream.max_age));
    assert_eq!(stream.max_bytes, spec.nats.stream.max_bytes.to_bytes().unwrap());
    assert_eq!(stream.replicas.map(i32::from), spec.nats.stream.replicas);
    assert_eq!(
        stream.storage == Storage::Memory,
        spec.nats.stream.storage.as_str() == "memory"
    );
    assert_eq!(
        deduplication.memory_entries,
        count(spec.deduplication.memory_entries)
    );

    let collector = spec.monitoring.tracing.as_ref();
    assert_eq!(
        tracing
            .as_ref()
            .map(|tracing| tracing.endpoint.as_str().to_owned()),
        collector.map(|wanted| wanted.endpoint.trim_end_matches('/').to_owned())
    );
    assert_eq!(
        tracing.map(|tracing| tracing.sample_ratio),
        collector.map(|wanted| wanted.sample_ratio.parse().unwrap())
    );

    let wanted = &spec.limits;
    assert_eq!(limits.body_bytes, bytes(&wanted.body_bytes));
    assert_eq!(limits.body_memory_bytes, bytes(&wanted.body_memory_bytes));
    assert_eq!(limits.header_bytes, bytes(&wanted.header_bytes));
    assert_eq!(limits.header_timeout, std(&wanted.header_timeout));
    assert_eq!(limits.body_timeout, std(&wanted.body_timeout));
    assert_eq!(limits.idle_timeout, std(&wanted.idle_timeout));
    assert_eq!(limits.write_timeout, std(&wanted.write_timeout));
    assert_eq!(limits.publish_deadline, std(&wanted.publish_deadline));
    assert_eq!(limits.connections, count(wanted.connections));
    assert_eq!(limits.in_flight_requests, count(wanted.in_flight_requests));
    assert_eq!(limits.in_flight_events, count(wanted.in_flight_events));
    assert_eq!(
        i64::from(limits.bad_signatures_per_minute),
        i64::from(wanted.bad_signatures_per_minute)
    );

    let ids: BTreeSet<_> = spec.meta.phone_number_ids.iter().cloned().collect();
    assert_eq!(phone_number_ids.unwrap_or_default(), ids);
    assert_eq!(
        (log.format, log.level.as_str()),
        (LogFormat::Json, spec.receiver.log_level.as_str())
    );
    assert_eq!(
        (shutdown.endpoint_lag, shutdown.grace),
        (Duration::from_secs(5), Duration::from_secs(20))
    );
}

fn proxied() -> Settings {
    let mut settings = settings();
    settings.subject_prefix = "wa-2_b".into();
    settings.receiver.trusted_proxies = vec!["10.0.0.0/8".into(), "2001:db8::/32".into()];
    settings.nats.ca = "-----BEGIN CERTIFICATE-----\n".into();
    settings
}

#[test]
fn the_receiver_reads_what_the_resource_says() {
    assert!(SPECS.len() >= 30);
    for settings in [settings(), proxied()] {
        for patch in SPECS.iter().chain(SAME) {
            check(&smallest(patch), &settings);
        }
        let mut full = generous();
        full.subject_prefix.clone_from(&settings.subject_prefix);
        check(&parsed(&yaml(FULL)), &full);
    }
}

/// The digest changes exactly when the receiver says of itself that it must be started again.
#[test]
fn pods_are_replaced_for_nothing_else() {
    let settings = settings();
    let all: Vec<_> = SPECS
        .iter()
        .map(|patch| (patch, written(&smallest(patch), &settings)))
        .collect();
    let (mut replaced, mut reloaded) = (0, 0);
    for (before_patch, before) in &all {
        for (after_patch, after) in &all {
            let reasons = read(before).restart_needed(&read(after));
            assert_eq!(
                before.digest() != after.digest(),
                !reasons.is_empty(),
                "{before_patch} -> {after_patch}: {reasons:?}"
            );
            replaced += usize::from(!reasons.is_empty());
            reloaded += usize::from(reasons.is_empty() && before != after);
        }
    }
    assert!(replaced > 100 && reloaded > 50, "{replaced} {reloaded}");
}

#[test]
fn another_spelling_changes_nothing() {
    let usual = written(&smallest("{}"), &settings());
    for patch in SAME {
        assert_eq!(
            written(&smallest(patch), &settings()).yaml(),
            usual.yaml(),
            "{patch}"
        );
    }
}

/// The operator's own settings: what is reloaded and what is not.
#[test]
fn flags_replace_pods_only_when_they_must() {
    let resource = smallest("{}");
    let usual = written(&resource, &settings()).digest();
    let with = |change: fn(&mut Settings)| {
        let mut settings = settings();
        change(&mut settings);
        written(&resource, &settings)
    };
    let proxies = with(|settings| settings.receiver.trusted_proxies = vec!["10.0.0.0/8".into()]);
    assert_eq!(proxies.digest(), usual);
    assert_ne!(
        with(|settings| settings.subject_prefix = "other".into()).digest(),
        usual
    );
    assert_ne!(
        with(|settings| settings.nats.servers = vec!["nats://b".into()]).digest(),
        usual
    );
    // Which file holds the authorities is read at the start, what it holds is not.
    let ca = with(|settings| settings.nats.ca = "one".into());
    assert_ne!(ca.digest(), usual);
    assert_eq!(
        with(|settings| settings.nats.ca = "two".into()).digest(),
        ca.digest()
    );
}

/// The pod template stays byte for byte the same where only the configuration's reloaded part changes.
#[test]
fn the_pod_template_follows_the_digest() {
    let template = |patch: &str| {
        let children = children(&smallest(patch), &settings());
        content(&children, ChildKind::Deployment).unwrap()["spec"]["template"].clone()
    };
    let usual = template("{}");
    for patch in [
        "spec: {limits: {connections: 7, publishDeadline: 15s, bodyBytes: 64Mi}}",
        "spec: {meta: {phoneNumberIds: ['7']}}",
        "spec: {receiver: {logLevel: Debug, replicas: 5}}",
        "spec: {monitoring: {serviceMonitor: {enabled: false}}, networkPolicy: {enabled: false}}",
        "spec: {endpoint: {host: other.example.com}}",
        "spec: {suspend: true}",
        "metadata: {generation: 99, labels: {a: b}}",
    ] {
        assert_eq!(template(patch), usual, "{patch}");
    }
    for patch in [
        "spec: {endpoint: {path: /other}}",
        "spec: {deduplication: {window: 25h}}",
    ] {
        assert_ne!(template(patch), usual, "{patch}");
    }
}

/// A receiver of the release before or after reads the file too: keys it does not know are reported only.
#[test]
fn the_file_is_one_document_with_the_sections_of_the_example() {
    let example = yaml(include_str!("../../../docs/config.example.yaml"));
    let written = yaml(&written(&parsed(&yaml(FULL)), &generous()).yaml());
    for (section, value) in written.as_object().unwrap() {
        // Those that have no default stand behind a `#` in the example.
        if ["secretsDir", "phoneNumberIds"].contains(&section.as_str()) {
            continue;
        }
        assert_eq!(example[section].is_object(), value.is_object(), "{section}");
    }
}

/// What receivers of other versions have to read is kept, and is what this version really writes.
#[test]
fn the_file_of_this_version_is_kept_for_the_receivers_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut resource = yaml(&std::fs::read_to_string(root.join("examples/full.yaml")).unwrap());
    resource["metadata"]["namespace"] = "shop".into();
    let settings = generous();
    let written = configuration(&valid(&parsed(&resource), &settings), &settings);
    let kept = format!(
        "receiver/tests/config_versions/{}.yaml",
        env!("CARGO_PKG_VERSION")
    );
    let text = std::fs::read_to_string(root.join(&kept)).unwrap();
    let as_tree = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(
        as_tree(&text),
        as_tree(&written.yaml()),
        "{kept} is not what the operator writes: renew it before the release, and never afterwards"
    );
}
