//! `spec.nats`: the broker, the stream, and who looks after it.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::stream::StorageType;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_crds::{Nats, StreamManagement, StreamStorage, WhatsAppWebhookSpec};
use wahook_events::contract::Publisher;
use wahook_stream::StreamSpec;

use super::check::Check;
use super::model::{NatsTarget, StreamKeeper, StreamPlan};
use super::names::Names;
use crate::amount;
use crate::server;
use crate::settings::Settings;

const HOUR: Duration = Duration::from_secs(3600);
/// The shortest duplicate window JetStream accepts.
const SHORTEST: Duration = Duration::from_millis(100);
/// What JetStream names its own streams, those of buckets, after.
const RESERVED: [&str; 2] = ["OBJ_", "KV_"];

/// Reads broker and stream.
pub(super) fn read(
    resource: &Names,
    spec: &WhatsAppWebhookSpec,
    settings: &Settings,
    check: &mut Check,
) -> (NatsTarget, StreamPlan) {
    let target = target(resource, &spec.nats, settings, check);
    let plan = plan(resource, spec, settings, target.is_default, check);
    (target, plan)
}

fn target(resource: &Names, nats: &Nats, settings: &Settings, check: &mut Check) -> NatsTarget {
    let own = &settings.nats.servers;
    // Who names servers, be it the same ones, may log in to another account of them than the operator does.
    let is_default = nats.servers.is_empty();
    let servers = if nats.servers.is_empty() {
        own
    } else {
        &nats.servers
    };
    if servers.is_empty() {
        check.invalid(
            "nats.servers is needed: the operator runs without --nats-servers. List servers such as \
             nats://nats.example.com:4222",
        );
    }
    let ports: Result<BTreeSet<_>, _> = servers.iter().map(|url| server::port(url)).collect();
    let ports = ports.unwrap_or_else(|error| {
        check.invalid(format!(
            "nats.servers: {error}; a user or password belongs into nats.credentialsSecretRef"
        ));
        BTreeSet::new()
    });
    for url in &nats.servers {
        // One that cannot be read is not repeated: it may hold a password.
        if server::port(url).is_ok() && !settings.allow.nats_server(url, own) {
            check.refuse(
                ConditionType::StreamReady,
                Reason::SettingNotAllowed,
                format!(
                    "nats.servers must not name {url}: leave nats.servers out to use the operator's own, or ask who \
                     runs the operator for --allow-nats-servers"
                ),
            );
        }
    }
    if let Some(domain) = &nats.domain
        && !is_token(domain, 64)
    {
        check.invalid("nats.domain must be made of at most 64 letters, digits, '_' and '-'");
    }
    let tls = nats.tls.as_ref();
    if tls.is_some_and(|tls| tls.ca_secret_ref.is_some() && tls.ca_config_map_ref.is_some()) {
        check.invalid("nats.tls.caSecretRef and nats.tls.caConfigMapRef exclude each other: keep one");
    }
    let names_ca = tls.is_some_and(|tls| tls.ca_secret_ref.is_some() || tls.ca_config_map_ref.is_some());
    NatsTarget {
        servers: servers.clone(),
        ports,
        is_default,
        // One token, and never that of another resource: DNS labels have no `_`.
        inbox_prefix: format!("_INBOX_{}_{}", resource.namespace, resource.name),
        // It replaces the system's, which other servers need.
        ca: settings
            .nats
            .ca
            .current()
            .filter(|_| !names_ca && servers.iter().all(|url| own.contains(url))),
        ca_config_map: tls
            .and_then(|tls| tls.ca_config_map_ref.as_ref())
            .map(|ca| (ca.name.clone(), ca.key.clone())),
    }
}

fn plan(
    resource: &Names,
    spec: &WhatsAppWebhookSpec,
    settings: &Settings,
    is_default: bool,
    check: &mut Check,
) -> StreamPlan {
    let stream = &spec.nats.stream;
    let managed = stream.management == StreamManagement::Managed;
    let own = format!(
        "{}_{}_{}",
        settings.subject_prefix, resource.namespace, resource.name
    );
    let keeper = match (is_default, managed, &spec.nats.credentials_secret_ref) {
        (true, true, _) => StreamKeeper::Operator,
        // With credentials another account may be meant, which the operator's login does not see.
        (true, false, None) => StreamKeeper::Checked,
        _ => StreamKeeper::Receivers,
    };
    let name = match (&stream.name, managed) {
        (None, true) => own,
        (Some(name), false) => external(name, &own, &settings.subject_prefix, check),
        (Some(_), true) => {
            check.invalid(
                "nats.stream.name is only for nats.stream.management: External; a managed stream is named after \
                 the resource",
            );
            own
        }
        (None, false) => {
            check.invalid("nats.stream.name is needed with nats.stream.management: External");
            own
        }
    };
    if managed && stream.deny_delete && keeper == StreamKeeper::Receivers {
        check.invalid(
            "nats.stream.denyDelete works only with the operator's own broker: leave nats.servers out, or make \
             the stream yourself and set nats.stream.management: External",
        );
    }
    let window = check.duration(
        "deduplication.window",
        &spec.deduplication.window,
        SHORTEST..=169 * HOUR,
    );
    let max_age = check.duration("nats.stream.maxAge", &stream.max_age, SHORTEST..=87_600 * HOUR);
    if max_age < window {
        check.invalid("nats.stream.maxAge must not be shorter than deduplication.window");
    }
    let replicas = stream
        .replicas
        .map(|replicas| check.number("nats.stream.replicas", replicas, 1..=5));
    StreamPlan {
        keeper,
        deny_delete: stream.deny_delete,
        spec: StreamSpec {
            bucket: format!("{name}_objects"),
            name,
            subjects: Publisher::new(&settings.subject_prefix, &resource.namespace, &resource.name)
                .all_subjects(),
            ensure: managed,
            window,
            max_age,
            max_bytes: max_bytes(&stream.max_bytes, keeper, settings, check),
            replicas: replicas.and_then(|replicas| usize::try_from(replicas).ok()),
            storage: match stream.storage {
                StreamStorage::File => StorageType::File,
                StreamStorage::Memory => StorageType::Memory,
            },
            domain: spec.nats.domain.clone(),
        },
    }
}

/// A stream on the operator's broker takes room from the others.
fn max_bytes(text: &wahook_crds::Size, keeper: StreamKeeper, settings: &Settings, check: &mut Check) -> i64 {
    let bytes = check.size("nats.stream.maxBytes", text, 1 << 20..=1 << 50);
    if let (StreamKeeper::Operator, Some(most)) = (keeper, settings.nats.max_stream_bytes)
        && bytes > most
    {
        check.refuse(
            ConditionType::StreamReady,
            Reason::SettingNotAllowed,
            format!(
                "nats.stream.maxBytes must be {} at most: ask for less, or ask who runs the operator for a larger \
                 --max-stream-bytes",
                amount::size(most)
            ),
        );
    }
    bytes
}

/// The name of a stream that someone else looks after. It must not be one that the operator made for another
/// resource, nor a bucket's.
fn external(name: &str, own: &str, prefix: &str, check: &mut Check) -> String {
    if !is_token(name, 200) {
        check.invalid("nats.stream.name must be made of at most 200 letters, digits, '_' and '-'");
    } else if name != own && name.starts_with(&format!("{prefix}_")) {
        check.invalid(format!(
            "nats.stream.name must not begin with {prefix}_: such streams are the operator's. Use another name, \
             or {own}, this resource's own"
        ));
    } else if RESERVED.iter().any(|reserved| name.starts_with(reserved)) {
        check.invalid("nats.stream.name must not begin with OBJ_ or KV_: such streams belong to buckets");
    }
    name.to_owned()
}

/// Whether a text is safe as a token of a subject and as the name of a stream.
fn is_token(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}
