//! A resource as the rest of the operator knows it: everything parsed, defaulted and allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_crds::{IssuerRef, ParentRef, SecretKeyRef, WhatsAppWebhookSpec};
use wahook_stream::StreamSpec;
use wahook_telemetry::trace::TraceSettings;

/// A webhook that can be built without asking anyone.
#[derive(Clone, Debug)]
pub struct Validated {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The generation this was made from.
    pub generation: i64,
    /// What its children name as their owner.
    pub owner: OwnerReference,
    /// Where Meta reaches it.
    pub route: Route,
    /// The values it needs from Secrets, by the names of their files in the receiver's secrets directory.
    pub secrets: Vec<SecretFile>,
    /// Whether the Secret with the verify token and the probe key is generated.
    pub generates_secret: bool,
    /// Where the verify token is.
    pub verify_token: SecretKeyRef,
    /// The broker.
    pub nats: NatsTarget,
    /// The stream.
    pub stream: StreamPlan,
    /// What one receiver accepts at most.
    pub limits: Limits,
    /// How often metrics are read.
    pub scrape_interval: Duration,
    /// Where receivers send spans; nowhere when absent.
    pub tracing: Option<TraceSettings>,
    /// How many receivers run.
    pub scale: Scale,
    /// The receivers' image, allowed.
    pub image: String,
    /// Secrets with the registry's credentials.
    pub pull_secrets: Vec<String>,
    /// What needs no interpretation. Only what the fields above do not say is read from here.
    pub spec: WhatsAppWebhookSpec,
}

/// Where Meta reaches a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The host.
    pub host: String,
    /// The path.
    pub path: String,
    /// What leads there.
    pub via: Via,
    /// Where the certificate comes from.
    pub tls: TlsSource,
}

impl Route {
    /// The URL to register with Meta.
    pub fn url(&self) -> String {
        format!("https://{}{}", self.host, self.path)
    }
}

/// What leads to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// An Ingress.
    Ingress {
        /// The class; the cluster's default when absent.
        class: Option<String>,
        /// The allowed annotations of the resource.
        annotations: BTreeMap<String, String>,
    },
    /// An HTTPRoute of these Gateways.
    Gateway(Vec<ParentRef>),
}

/// Where the certificate of the host comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsSource {
    /// A Secret that someone else looks after.
    Secret(String),
    /// cert-manager, stored in the Secret `secret`.
    Issuer {
        /// The issuer.
        issuer: IssuerRef,
        /// Where the certificate is stored.
        secret: String,
    },
    /// The Gateway's listener.
    Listener,
    /// The ingress controller's own, which the operator's flags vouch for.
    ControllerDefault,
    /// Nothing is configured: `RouteReady` is False with `TLSNotConfigured`.
    Missing,
}

/// A value of a Secret that becomes a file in the receiver's secrets directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    /// Where the value is.
    pub from: SecretKeyRef,
    /// The name of the file, as the receiver expects it.
    pub file: String,
    /// The field of the resource that names it, for messages: `meta.appSecrets[0]`.
    pub field: String,
    /// Whether the webhook cannot work without it.
    pub needed: bool,
}

/// The broker of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsTarget {
    /// Its servers.
    pub servers: Vec<String>,
    /// Their ports.
    pub ports: BTreeSet<u16>,
    /// Whether the resource names none, so that they and the account are the operator's. It connects to no others.
    pub is_default: bool,
    /// The prefix of the receiver's inbox.
    pub inbox_prefix: String,
    /// The authorities of the operator's flags, PEM, when the resource names none of its own.
    pub ca: Option<String>,
    /// A `ConfigMap` of the resource's namespace with the authorities: its name and key.
    pub ca_config_map: Option<(String, String)>,
}

/// Who looks after the stream.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    /// What the stream must be like.
    pub spec: StreamSpec,
    /// Who makes and checks it.
    pub keeper: StreamKeeper,
    /// Whether single events can never be deleted.
    pub deny_delete: bool,
}

impl StreamPlan {
    /// What every subject begins with, such as `whatsapp.shop.main`.
    pub fn subject_prefix(&self) -> &str {
        self.spec.subjects.trim_end_matches(".>")
    }
}

/// Who makes and checks a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKeeper {
    /// The operator, with its own login: it creates and grows the stream.
    Operator,
    /// Someone else; the operator only checks, with its own login.
    Checked,
    /// Someone else, or the receivers, on a broker the operator does not connect to: the receivers check.
    Receivers,
}

/// How many receivers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As many as the resource says; none when it is suspended.
    Fixed(i32),
    /// As many as the autoscaler says.
    Auto {
        /// The fewest.
        min: i32,
        /// The most.
        max: i32,
        /// The share of the requested CPU aimed at, in percent.
        target_cpu_percent: i32,
    },
}

/// `spec.limits`, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: i64,
    /// All bodies held at one time, in bytes.
    pub body_memory_bytes: i64,
    /// All headers of a request, in bytes.
    pub header_bytes: i64,
    /// From the first byte of a request to the end of its headers.
    pub header_timeout: Duration,
    /// From the end of the headers to the end of the body.
    pub body_timeout: Duration,
    /// A connection without a request.
    pub idle_timeout: Duration,
    /// A client that does not read its answer.
    pub write_timeout: Duration,
    /// From a verified body to the acknowledgement of all its events.
    pub publish_deadline: Duration,
    /// Open connections.
    pub connections: i32,
    /// Requests in progress.
    pub in_flight_requests: i32,
    /// Events published and not yet acknowledged.
    pub in_flight_events: i32,
    /// Wrong signatures of one client in a minute.
    pub bad_signatures_per_minute: i32,
}

/// Why a resource cannot be followed as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The condition that says so, beside `Stalled`.
    pub condition: ConditionType,
    /// The reason.
    pub reason: Reason,
    /// Which field is wrong and how to put it right. Nothing secret.
    pub message: String,
}
