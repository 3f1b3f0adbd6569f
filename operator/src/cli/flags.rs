//! The flags that `run` and `render` share, and the step from their texts to [`Settings`].

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::parse::{
    FlagProblems, Reader, bytes, gateway, host_grant, image, issuer, issuer_pattern, namespace, nats_server,
    network, object_name, pattern, prefix, resync,
};
use crate::authorities::Authorities;
use crate::settings::{
    Allow, NatsDefaults, ProbeSettings, ReceiverDefaults, RouteDefaults, SecretAccess, Settings,
};

/// The image of this version.
const RECEIVER_IMAGE: &str = concat!("ghcr.io/wahook/wahook-receiver:", env!("CARGO_PKG_VERSION"));

/// The settings of the operator.
#[derive(Clone, Debug, Args)]
pub struct SettingsArgs {
    /// The namespaces whose resources are looked after. All when absent
    #[arg(
        long,
        value_name = "NAMESPACE",
        env = "WAHOOK_WATCH_NAMESPACES",
        value_delimiter = ',',
        help_heading = "Process"
    )]
    pub watch_namespaces: Vec<String>,

    /// The namespace the operator runs in
    #[arg(
        long,
        value_name = "NAMESPACE",
        env = "POD_NAMESPACE",
        help_heading = "Process"
    )]
    pub namespace: Option<String>,

    /// Whether Secrets are read. With `none` every resource has to name meta.verifyToken
    #[arg(long, value_enum, value_name = "ACCESS", env = "WAHOOK_SECRET_ACCESS", default_value_t = SecretAccess::ByName, help_heading = "Process")]
    pub secret_access: SecretAccess,

    /// How many webhooks' receivers may be replaced at a time because of the operator's own upgrade
    #[arg(long, value_name = "N", env = "WAHOOK_ROLLOUT_BATCH", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "Process")]
    pub rollout_batch: u16,

    /// How often each resource is looked at when nothing happens, 10s to 24h
    #[arg(
        long,
        value_name = "DURATION",
        env = "WAHOOK_RESYNC",
        default_value = "5m",
        help_heading = "Process"
    )]
    pub resync: String,

    /// The first token of every subject and the beginning of every stream's name: 1 to 40 letters, digits, `_`
    /// and `-`
    #[arg(
        long,
        value_name = "TOKEN",
        env = "WAHOOK_SUBJECT_PREFIX",
        default_value = "whatsapp",
        help_heading = "Broker"
    )]
    pub subject_prefix: String,

    /// The NATS servers of resources that name none, such as `nats://nats.nats:4222`. Without them every
    /// resource has to name its own
    #[arg(
        long,
        value_name = "URL",
        env = "WAHOOK_NATS_SERVERS",
        value_delimiter = ',',
        help_heading = "Broker"
    )]
    pub nats_servers: Vec<String>,

    /// The certificate authorities of those servers, PEM. The system's when absent. Changes are followed
    #[arg(
        long,
        value_name = "FILE",
        env = "WAHOOK_NATS_CA_FILE",
        help_heading = "Broker"
    )]
    pub nats_ca_file: Option<PathBuf>,

    /// The largest stream on those servers that a resource may ask for, such as 10Gi. Any when absent
    #[arg(
        long,
        value_name = "SIZE",
        env = "WAHOOK_MAX_STREAM_BYTES",
        help_heading = "What resources may ask for"
    )]
    pub max_stream_bytes: Option<String>,

    /// The image of receivers
    #[arg(long, value_name = "IMAGE", env = "WAHOOK_RECEIVER_IMAGE", default_value = RECEIVER_IMAGE, help_heading = "Receivers")]
    pub receiver_image: String,

    /// Secrets with the registry's credentials, in the namespaces of the resources
    #[arg(
        long,
        value_name = "NAME",
        env = "WAHOOK_RECEIVER_IMAGE_PULL_SECRETS",
        value_delimiter = ',',
        help_heading = "Receivers"
    )]
    pub receiver_image_pull_secrets: Vec<String>,

    /// Networks of proxies whose X-Forwarded-For and traceparent receivers believe, such as 10.0.0.0/8
    #[arg(
        long,
        value_name = "NETWORK",
        env = "WAHOOK_TRUSTED_PROXIES",
        value_delimiter = ',',
        help_heading = "Receivers"
    )]
    pub trusted_proxies: Vec<String>,

    /// Images that resources may run beside --receiver-image; `*` stands for any text
    #[arg(
        long,
        value_name = "PATTERN",
        env = "WAHOOK_ALLOW_IMAGES",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_images: Vec<String>,

    /// Annotations that resources may set on their Ingress and pods; `*` stands for any text. Those that put
    /// text into a proxy's configuration, take other hosts, name Secrets or send requests elsewhere have to be named in
    /// full: every one with snippet, server-alias, auth-secret, auth-tls-secret, auth-url, mirror-target,
    /// default-backend or proxy-ssl-secret in its name
    #[arg(
        long,
        value_name = "PATTERN",
        env = "WAHOOK_ALLOW_ANNOTATIONS",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_annotations: Vec<String>,

    /// Labels that resources may set on pods; `*` stands for any text. Any Service of the namespace that
    /// selects by such a label may get the pods
    #[arg(
        long,
        value_name = "PATTERN",
        env = "WAHOOK_ALLOW_LABELS",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_labels: Vec<String>,

    /// Environment variables that resources may set in receivers; `*` stands for any text. `LD_*` and
    /// `SSL_CERT_*` have to be named in full
    #[arg(
        long,
        value_name = "PATTERN",
        env = "WAHOOK_ALLOW_ENV",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_env: Vec<String>,

    /// Hosts that a namespace may use, such as shop=*.shop.example.com; `*` stands for any text. Once there is
    /// one, everything else is refused, and namespaces to which it gives the same host share it by path. Without
    /// any, a host is the namespace's that had it first
    #[arg(
        long,
        value_name = "NAMESPACE=HOST",
        env = "WAHOOK_ALLOW_HOSTS",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_hosts: Vec<String>,

    /// NATS servers that resources may name beside --nats-servers, such as `nats://*.nats.svc:4222`; `*` stands
    /// for any text. Receivers log in there with what the resource's credentialsSecretRef names. Any server when
    /// both flags are absent
    #[arg(
        long,
        value_name = "PATTERN",
        env = "WAHOOK_ALLOW_NATS_SERVERS",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_nats_servers: Vec<String>,

    /// cert-manager issuers that resources may name beside --issuer and the Issuers of their own namespace, such
    /// as `ClusterIssuer/letsencrypt-*`; `*` stands for any text. Any issuer when both flags are absent
    #[arg(
        long,
        value_name = "KIND/NAME",
        env = "WAHOOK_ALLOW_ISSUERS",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_issuers: Vec<String>,

    /// Collectors of traces that resources may name, such as `http://*.observability:4318`; `*` stands for any text. Any
    /// collector when absent
    #[arg(
        long,
        value_name = "PATTERN",
        env = "WAHOOK_ALLOW_TRACING_ENDPOINTS",
        value_delimiter = ',',
        help_heading = "What resources may ask for"
    )]
    pub allow_tracing_endpoints: Vec<String>,

    /// The IngressClass of resources that name none. The cluster's default when absent
    #[arg(
        long,
        value_name = "NAME",
        env = "WAHOOK_INGRESS_CLASS",
        help_heading = "Routes"
    )]
    pub ingress_class: Option<String>,

    /// Route resources that name neither an Ingress nor a Gateway through this Gateway, in their own namespace
    /// or in NAMESPACE, and through its listener SECTION
    #[arg(
        long,
        value_name = "[NAMESPACE/]NAME[:SECTION]",
        env = "WAHOOK_GATEWAY",
        help_heading = "Routes"
    )]
    pub gateway: Option<String>,

    /// The cert-manager issuer of resources that say nothing about TLS. KIND is ClusterIssuer, Issuer or
    /// KIND.GROUP of an external issuer; ClusterIssuer when absent
    #[arg(
        long,
        value_name = "[KIND/]NAME",
        env = "WAHOOK_ISSUER",
        help_heading = "Routes"
    )]
    pub issuer: Option<String>,

    /// The ingress controller's default certificate is right for every host: resources need no TLS of their
    /// own
    #[arg(long, env = "WAHOOK_INGRESS_DEFAULT_CERTIFICATE", help_heading = "Routes")]
    pub ingress_default_certificate: bool,

    /// Whether an Ingress counts as accepted only once it has an address. Turn it off where the controller
    /// reports none
    #[arg(long, value_name = "BOOL", env = "WAHOOK_INGRESS_NEEDS_ADDRESS", action = ArgAction::Set, default_value_t = true, help_heading = "Routes")]
    pub ingress_needs_address: bool,

    /// Look at public URLs also where the name server answers with private addresses. Whoever may create a resource
    /// can then learn which of these take connections
    #[arg(long, env = "WAHOOK_PROBE_PRIVATE_ADDRESSES", help_heading = "Routes")]
    pub probe_private_addresses: bool,

    /// Certificate authorities to trust when looking at public URLs, beside those that browsers trust, PEM. Meta
    /// trusts only the latter. Changes are followed
    #[arg(
        long,
        value_name = "FILE",
        env = "WAHOOK_PROBE_CA_FILE",
        help_heading = "Routes"
    )]
    pub probe_ca_file: Option<PathBuf>,
}

impl SettingsArgs {
    /// Reads every flag, and the file that one names.
    ///
    /// # Errors
    /// Names every flag that cannot be used.
    pub fn settings(&self) -> Result<Settings, FlagProblems> {
        let mut read = Reader::default();
        let settings = Settings {
            subject_prefix: read
                .one("--subject-prefix", &self.subject_prefix, prefix)
                .unwrap_or_default(),
            nats: NatsDefaults {
                servers: read.list("--nats-servers", &self.nats_servers, nats_server),
                ca: self
                    .nats_ca_file
                    .as_deref()
                    .and_then(|file| read.note("--nats-ca-file", Authorities::read(file)))
                    .unwrap_or_default(),
                max_stream_bytes: read.optional("--max-stream-bytes", self.max_stream_bytes.as_ref(), bytes),
            },
            receiver: ReceiverDefaults {
                image: read
                    .one("--receiver-image", &self.receiver_image, image)
                    .unwrap_or_default(),
                pull_secrets: read.list(
                    "--receiver-image-pull-secrets",
                    &self.receiver_image_pull_secrets,
                    object_name,
                ),
                trusted_proxies: read.list("--trusted-proxies", &self.trusted_proxies, network),
            },
            route: RouteDefaults {
                ingress_class: read.optional("--ingress-class", self.ingress_class.as_ref(), object_name),
                gateway: read.optional("--gateway", self.gateway.as_ref(), gateway),
                issuer: read.optional("--issuer", self.issuer.as_ref(), issuer),
                default_certificate: self.ingress_default_certificate,
                needs_address: self.ingress_needs_address,
            },
            allow: Allow {
                images: read.list("--allow-images", &self.allow_images, pattern),
                annotations: read.list("--allow-annotations", &self.allow_annotations, pattern),
                labels: read.list("--allow-labels", &self.allow_labels, pattern),
                env: read.list("--allow-env", &self.allow_env, pattern),
                hosts: read.list("--allow-hosts", &self.allow_hosts, host_grant),
                nats_servers: read.list("--allow-nats-servers", &self.allow_nats_servers, pattern),
                issuers: read.list("--allow-issuers", &self.allow_issuers, issuer_pattern),
                tracing_endpoints: read.list(
                    "--allow-tracing-endpoints",
                    &self.allow_tracing_endpoints,
                    pattern,
                ),
            },
            secret_access: self.secret_access,
            watch_namespaces: read.list("--watch-namespaces", &self.watch_namespaces, namespace),
            operator_namespace: read.optional("--namespace", self.namespace.as_ref(), namespace),
            rollout_batch: self.rollout_batch.into(),
            probe: ProbeSettings {
                private_addresses: self.probe_private_addresses,
                ca: self
                    .probe_ca_file
                    .as_deref()
                    .and_then(|file| read.note("--probe-ca-file", Authorities::read(file)))
                    .unwrap_or_default(),
            },
            resync: read.one("--resync", &self.resync, resync).unwrap_or_default(),
        };
        read.finish(settings)
    }
}
