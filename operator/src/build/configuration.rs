//! The receivers' configuration: `config.yaml` with the keys of `docs/config.example.yaml`, and the broker's
//! authorities of the operator's flags.
//!
//! One amount is always written as one text, so that another spelling in the resource changes nothing.

use std::collections::BTreeMap;

use async_nats::jetstream::stream::StorageType;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::child;
use crate::amount::{duration, size};
use crate::child::{Child, ChildKind};
use crate::names::{ADMIN_PORT, CA_KEY, CONFIG_KEY, WEBHOOK_PORT};
use crate::settings::Settings;
use crate::validate::{StreamKeeper, Validated};

/// Where the configuration is mounted.
pub const CONFIG_DIR: &str = "/etc/wahook/config";
/// Where the secrets are mounted.
pub const SECRETS_DIR: &str = "/etc/wahook/secrets";
/// How long a receiver goes on serving after SIGTERM, until every proxy knows, in seconds.
pub(super) const ENDPOINT_LAG: i64 = 5;
/// How long requests in progress may then take, in seconds.
pub(super) const GRACE: i64 = 20;

/// `config.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Configuration {
    identity: Identity,
    http: Http,
    secrets_dir: &'static str,
    nats: Nats,
    stream: Stream,
    deduplication: Deduplication,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phone_number_ids: Vec<String>,
    log: Log,
    shutdown: Shutdown,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracing: Option<Tracing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    namespace: String,
    webhook: String,
    subject_prefix: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    listen: String,
    admin_listen: String,
    path: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted_proxies: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Nats {
    servers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Auth>,
    tls: Tls,
    inbox_prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
}

/// Named when the resource names the key: without its file the receiver waits instead of connecting as
/// nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Auth {
    credentials_file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tls {
    required: bool,
    first: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    name: String,
    ensure: bool,
    window: String,
    max_age: String,
    max_bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<usize>,
    storage: &'static str,
    object_bucket: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Deduplication {
    memory_entries: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Limits {
    body_bytes: String,
    body_memory_bytes: String,
    header_bytes: String,
    header_timeout: String,
    body_timeout: String,
    idle_timeout: String,
    write_timeout: String,
    publish_deadline: String,
    connections: i32,
    in_flight_requests: i32,
    in_flight_events: i32,
    bad_signatures_per_minute: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Log {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shutdown {
    endpoint_lag: String,
    grace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tracing {
    endpoint: String,
    sample_ratio: String,
}

impl Configuration {
    /// The text of the file.
    pub fn yaml(&self) -> String {
        // JSON is YAML too, and what no YAML library can write is still read.
        serde_saphyr::to_string(self).unwrap_or_else(|_| serde_json::json!(self).to_string())
    }

    /// Stands for everything that a receiver reads only at its start.
    pub fn digest(&self) -> String {
        let Self { http, log, .. } = self.clone();
        let fixed = Self {
            http: Http {
                trusted_proxies: Vec::new(),
                ..http
            },
            limits: None,
            phone_number_ids: Vec::new(),
            log: Log { level: None, ..log },
            ..self.clone()
        };
        hex::encode(Sha256::digest(fixed.yaml()))
    }
}

/// What a webhook's receivers are configured with.
pub fn configuration(webhook: &Validated, settings: &Settings) -> Configuration {
    let spec = &webhook.spec;
    Configuration {
        identity: Identity {
            namespace: webhook.namespace.clone(),
            webhook: webhook.name.clone(),
            subject_prefix: settings.subject_prefix.clone(),
        },
        http: Http {
            listen: format!("0.0.0.0:{}", WEBHOOK_PORT.0),
            admin_listen: format!("0.0.0.0:{}", ADMIN_PORT.0),
            path: webhook.route.path.clone(),
            trusted_proxies: settings.receiver.trusted_proxies.clone(),
        },
        secrets_dir: SECRETS_DIR,
        nats: nats(webhook),
        stream: stream(webhook),
        deduplication: Deduplication {
            memory_entries: spec.deduplication.memory_entries,
        },
        limits: Some(limits(webhook)),
        phone_number_ids: spec.meta.phone_number_ids.clone(),
        log: Log {
            format: "json",
            level: Some(spec.receiver.log_level.as_str()),
        },
        shutdown: Shutdown {
            endpoint_lag: format!("{ENDPOINT_LAG}s"),
            grace: format!("{GRACE}s"),
        },
        tracing: webhook.tracing.as_ref().map(|tracing| Tracing {
            endpoint: tracing.endpoint.as_str().to_owned(),
            sample_ratio: tracing.sample_ratio.to_string(),
        }),
    }
}

fn nats(webhook: &Validated) -> Nats {
    let target = &webhook.nats;
    let wanted = &webhook.spec.nats;
    let secret = |file: &str| format!("{SECRETS_DIR}/{file}");
    let tls = wanted.tls.clone().unwrap_or_default();
    let has_ca = tls.ca_secret_ref.is_some() || target.ca_config_map.is_some();
    let ca_file = match &target.ca {
        _ if has_ca => Some(secret(CA_KEY)),
        Some(_) => Some(format!("{CONFIG_DIR}/{CA_KEY}")),
        None => None,
    };
    let has_certificate = tls.client_certificate_secret_ref.is_some();
    let credentials = wanted.credentials_secret_ref.as_ref();
    Nats {
        servers: target.servers.clone(),
        auth: credentials
            .and_then(|credentials| credentials.key.as_ref())
            .map(|_| Auth {
                credentials_file: secret("nats.creds"),
            }),
        tls: Tls {
            // Whoever names authorities or a certificate of its own means TLS: a login never goes out in clear then.
            required: tls.required || tls.first || ca_file.is_some() || has_certificate,
            first: tls.first,
            ca_file,
            cert_file: has_certificate.then(|| secret("nats-tls.crt")),
            key_file: has_certificate.then(|| secret("nats-tls.key")),
        },
        inbox_prefix: target.inbox_prefix.clone(),
        domain: webhook.stream.spec.domain.clone(),
    }
}

fn stream(webhook: &Validated) -> Stream {
    let spec = &webhook.stream.spec;
    Stream {
        name: spec.name.clone(),
        ensure: spec.ensure && webhook.stream.keeper == StreamKeeper::Receivers,
        window: duration(spec.window),
        max_age: duration(spec.max_age),
        max_bytes: size(spec.max_bytes),
        replicas: spec.replicas,
        storage: match spec.storage {
            StorageType::File => "file",
            StorageType::Memory => "memory",
        },
        object_bucket: spec.bucket.clone(),
    }
}

fn limits(webhook: &Validated) -> Limits {
    let limits = &webhook.limits;
    Limits {
        body_bytes: size(limits.body_bytes),
        body_memory_bytes: size(limits.body_memory_bytes),
        header_bytes: size(limits.header_bytes),
        header_timeout: duration(limits.header_timeout),
        body_timeout: duration(limits.body_timeout),
        idle_timeout: duration(limits.idle_timeout),
        write_timeout: duration(limits.write_timeout),
        publish_deadline: duration(limits.publish_deadline),
        connections: limits.connections,
        in_flight_requests: limits.in_flight_requests,
        in_flight_events: limits.in_flight_events,
        bad_signatures_per_minute: limits.bad_signatures_per_minute,
    }
}

/// The `ConfigMap` with the file.
pub(super) fn build(webhook: &Validated, configuration: &Configuration) -> Child {
    let mut data = BTreeMap::from([(CONFIG_KEY.to_owned(), configuration.yaml())]);
    if let Some(ca) = &webhook.nats.ca {
        data.insert(CA_KEY.to_owned(), ca.clone());
    }
    let map = ConfigMap {
        data: Some(data),
        ..ConfigMap::default()
    };
    child(webhook, ChildKind::Configuration, &map)
}
