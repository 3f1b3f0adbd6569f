//! The flags that `run` and `render` share, and the step from their texts to [`Settings`].

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args};
use ipnet::IpNet;
use wahook_crds::{IssuerRef, ParentKind, ParentRef};

use crate::server;
use crate::settings::{
    Allow, CERT_MANAGER, HostGrant, NatsDefaults, Pattern, ReceiverDefaults, RouteDefaults, SecretAccess,
    Settings,
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

    /// The certificate authorities of those servers, PEM. The system's when absent
    #[arg(
        long,
        value_name = "FILE",
        env = "WAHOOK_NATS_CA_FILE",
        help_heading = "Broker"
    )]
    pub nats_ca_file: Option<PathBuf>,

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

    /// Annotations that resources may set on their Ingress and pods; `*` stands for any text. One with
    /// `snippet` in its name has to be named in full
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
}

/// A flag whose text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flag}: {fix}")]
pub struct FlagProblem {
    /// The flag.
    pub flag: &'static str,
    /// What to write instead. The text itself is not repeated: it may hold a password.
    pub fix: String,
}

/// Every flag whose text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FlagProblems(pub Vec<FlagProblem>);

impl fmt::Display for FlagProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
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
                    .and_then(|file| read.note("--nats-ca-file", authorities(file))),
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
            },
            secret_access: self.secret_access,
            watch_namespaces: read.list("--watch-namespaces", &self.watch_namespaces, namespace),
            operator_namespace: read.optional("--namespace", self.namespace.as_ref(), namespace),
            rollout_batch: self.rollout_batch.into(),
            resync: read.one("--resync", &self.resync, resync).unwrap_or_default(),
        };
        read.finish(settings)
    }
}

/// Reads flags one by one and notes those that cannot be used.
#[derive(Default)]
struct Reader {
    problems: Vec<FlagProblem>,
}

impl Reader {
    fn note<T>(&mut self, flag: &'static str, read: Result<T, String>) -> Option<T> {
        read.map_err(|fix| self.problems.push(FlagProblem { flag, fix }))
            .ok()
    }

    fn one<T>(
        &mut self,
        flag: &'static str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.note(flag, parse(text.trim()))
    }

    /// A variable that is set to nothing is not set.
    fn optional<T>(
        &mut self,
        flag: &'static str,
        text: Option<&String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = text.map(|text| text.trim()).filter(|text| !text.is_empty())?;
        self.note(flag, parse(text))
    }

    fn list<T>(
        &mut self,
        flag: &'static str,
        items: &[String],
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        items
            .iter()
            .filter_map(|item| self.optional(flag, Some(item), &parse))
            .collect()
    }

    fn finish(self, settings: Settings) -> Result<Settings, FlagProblems> {
        if self.problems.is_empty() {
            Ok(settings)
        } else {
            Err(FlagProblems(self.problems))
        }
    }
}

fn expect<T>(value: Option<T>, fix: &str) -> Result<T, String> {
    value.ok_or_else(|| fix.to_owned())
}

fn prefix(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let fits = (1..=40).contains(&text.len()) && text.bytes().all(legal);
    expect(
        fits.then(|| text.to_owned()),
        "write 1 to 40 letters, digits, '_' and '-'",
    )
}

fn nats_server(url: &str) -> Result<String, String> {
    server::port(url)
        .map(|_| url.to_owned())
        .map_err(|error| format!("{error}; a login belongs into --nats-credentials-dir"))
}

fn authorities(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("{} cannot be read: {}", file.display(), error.kind()))?;
    expect(
        text.contains("-----BEGIN CERTIFICATE-----").then_some(text),
        "name a file with certificates in PEM, which begin with -----BEGIN CERTIFICATE-----",
    )
}

fn image(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && !text.contains(char::is_whitespace);
    expect(
        fits.then(|| text.to_owned()),
        "write an image such as registry.example.com/wahook-receiver:1.0.0",
    )
}

fn pattern(text: &str) -> Result<Pattern, String> {
    let fits = !text.contains(char::is_whitespace);
    expect(
        fits.then(|| Pattern::new(text)),
        "write texts without spaces, separated by commas; `*` stands for any text",
    )
}

fn host_grant(text: &str) -> Result<HostGrant, String> {
    let parts = text
        .split_once('=')
        .filter(|(namespace, host)| !namespace.is_empty() && !host.is_empty());
    let (namespace, host) = expect(parts, "write NAMESPACE=HOST, such as shop=*.shop.example.com")?;
    Ok(HostGrant {
        namespace: Pattern::new(namespace),
        host: Pattern::new(host),
    })
}

/// A name alone would fit nothing: the kind is part of what is compared.
fn issuer_pattern(text: &str) -> Result<Pattern, String> {
    let named = text.contains('/') || text.starts_with('*');
    let named = expect(
        named.then_some(text),
        "write KIND/NAME, such as ClusterIssuer/letsencrypt, or * for any issuer",
    )?;
    pattern(named)
}

fn network(text: &str) -> Result<String, String> {
    let known = text.parse::<IpNet>().is_ok() || text.parse::<std::net::IpAddr>().is_ok();
    expect(
        known.then(|| text.to_owned()),
        "write a network such as 10.0.0.0/8, or an IP address",
    )
}

fn resync(text: &str) -> Result<Duration, String> {
    let bounds = Duration::from_secs(10)..=Duration::from_secs(24 * 3600);
    let value = wahook_crds::Duration::from(text).to_std().ok();
    expect(
        value.filter(|value| bounds.contains(value)),
        "write a length of time from 10s to 24h, such as 5m",
    )
}

fn is_name(text: &str, longest: usize, dots: bool) -> bool {
    let legal =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || dots && byte == b'.';
    (1..=longest).contains(&text.len())
        && text.bytes().all(legal)
        && !text.starts_with(['-', '.'])
        && !text.ends_with(['-', '.'])
}

fn namespace(text: &str) -> Result<String, String> {
    let fits = is_name(text, 63, false);
    expect(
        fits.then(|| text.to_owned()),
        "write the name of a namespace: lower-case letters, digits and '-'",
    )
}

fn object_name(text: &str) -> Result<String, String> {
    let fits = is_name(text, 253, true);
    expect(
        fits.then(|| text.to_owned()),
        "write the name of an object: lower-case letters, digits, '-' and '.'",
    )
}

fn gateway(text: &str) -> Result<ParentRef, String> {
    const FIX: &str = "write [NAMESPACE/]NAME[:SECTION], such as edge/public:https";
    let (namespace, rest) = match text.split_once('/') {
        Some((namespace, rest)) => (Some(namespace), rest),
        None => (None, text),
    };
    let (name, section) = match rest.split_once(':') {
        Some((name, section)) => (name, Some(section)),
        None => (rest, None),
    };
    let fits = is_name(name, 253, true)
        && namespace.is_none_or(|namespace| is_name(namespace, 63, false))
        && section.is_none_or(|section| is_name(section, 253, true));
    expect(
        fits.then(|| ParentRef {
            group: "gateway.networking.k8s.io".to_owned(),
            kind: ParentKind::Gateway,
            namespace: namespace.map(ToOwned::to_owned),
            name: name.to_owned(),
            section_name: section.map(ToOwned::to_owned),
            port: None,
        }),
        FIX,
    )
}

fn issuer(text: &str) -> Result<IssuerRef, String> {
    const FIX: &str = "write [KIND/]NAME, such as letsencrypt or Issuer/internal";
    let (kind, name) = text.split_once('/').unwrap_or(("ClusterIssuer", text));
    let (kind, group) = kind.split_once('.').unwrap_or((kind, CERT_MANAGER));
    let fits = is_name(name, 253, true)
        && is_name(group, 253, true)
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    expect(
        fits.then(|| IssuerRef {
            name: name.to_owned(),
            kind: kind.to_owned(),
            group: group.to_owned(),
        }),
        FIX,
    )
}
