//! What the operator's flags say, parsed. Nothing behind this checks a flag again.

use std::fmt;
use std::time::Duration;

use wahook_crds::{IssuerRef, ParentRef};

use crate::authorities::Authorities;

/// The operator's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The first token of every subject and the beginning of every managed stream's name.
    pub subject_prefix: String,
    /// The broker of webhooks that name none.
    pub nats: NatsDefaults,
    /// What receivers are run with.
    pub receiver: ReceiverDefaults,
    /// How routes are made.
    pub route: RouteDefaults,
    /// What resources may ask for.
    pub allow: Allow,
    /// Whether Secrets are read.
    pub secret_access: SecretAccess,
    /// The namespaces whose resources are looked after; all when empty.
    pub watch_namespaces: Vec<String>,
    /// The namespace the operator runs in, so that network policies let it reach the receivers.
    pub operator_namespace: Option<String>,
    /// How many webhooks may roll at a time because of the operator's own upgrade.
    pub rollout_batch: usize,
    /// How often a resource is looked at when nothing happens.
    pub resync: Duration,
    /// How public URLs are looked at.
    pub probe: ProbeSettings,
}

impl Settings {
    /// The least there is: the receivers' image, no broker, and nothing allowed.
    pub fn of(image: &str) -> Self {
        Self {
            subject_prefix: "whatsapp".to_owned(),
            nats: NatsDefaults::default(),
            receiver: ReceiverDefaults {
                image: image.to_owned(),
                pull_secrets: Vec::new(),
                trusted_proxies: Vec::new(),
            },
            route: RouteDefaults::default(),
            allow: Allow::default(),
            secret_access: SecretAccess::ByName,
            watch_namespaces: Vec::new(),
            operator_namespace: None,
            rollout_batch: 5,
            resync: Duration::from_secs(300),
            probe: ProbeSettings::default(),
        }
    }
}

/// How public URLs are looked at.
#[derive(Clone, Debug, Default)]
pub struct ProbeSettings {
    /// Also where they are at private addresses as seen from here.
    pub private_addresses: bool,
    /// The authorities to trust beside those that browsers trust.
    pub ca: Authorities,
}

/// The broker of webhooks that name none.
#[derive(Clone, Debug, Default)]
pub struct NatsDefaults {
    /// Its servers; without any every resource has to name its own.
    pub servers: Vec<String>,
    /// The authorities to trust; the system's when absent.
    pub ca: Authorities,
    /// The largest stream that a resource may ask for, in bytes; any when absent.
    pub max_stream_bytes: Option<i64>,
}

/// What receivers are run with.
#[derive(Clone, Debug)]
pub struct ReceiverDefaults {
    /// The image of resources that name none.
    pub image: String,
    /// Secrets of the resource's namespace with the registry's credentials.
    pub pull_secrets: Vec<String>,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
}

/// How routes are made.
#[derive(Clone, Debug, Default)]
pub struct RouteDefaults {
    /// The IngressClass of resources that name none.
    pub ingress_class: Option<String>,
    /// The Gateway of resources that ask for neither an Ingress nor a Gateway.
    pub gateway: Option<ParentRef>,
    /// The issuer of resources that say nothing about TLS.
    pub issuer: Option<IssuerRef>,
    /// Whether the ingress controller's default certificate is right for every host.
    pub default_certificate: bool,
    /// Whether an Ingress counts as accepted only once it has an address.
    pub needs_address: bool,
}

/// The API group of cert-manager's own issuers.
pub const CERT_MANAGER: &str = "cert-manager.io";

/// Parts of annotations that put text into a proxy's configuration, take other hosts, name Secrets or send
/// requests elsewhere.
const DANGEROUS: [&str; 8] = [
    "snippet",
    "server-alias",
    "auth-secret",
    "auth-tls-secret",
    "auth-url",
    "mirror-target",
    "default-backend",
    "proxy-ssl-secret",
];

/// What resources may ask for, beyond what is harmless. Each entry may have `*` anywhere.
#[derive(Clone, Debug, Default)]
pub struct Allow {
    /// Images other than the default.
    pub images: Vec<Pattern>,
    /// Annotations of the Ingress and of pods.
    pub annotations: Vec<Pattern>,
    /// Labels of pods. Other objects of the namespace may select pods by any of them.
    pub labels: Vec<Pattern>,
    /// Environment variables of receivers.
    pub env: Vec<Pattern>,
    /// Which namespaces may use which hosts; all may use all when empty.
    pub hosts: Vec<HostGrant>,
    /// NATS servers other than the defaults, to which a resource may send its login.
    pub nats_servers: Vec<Pattern>,
    /// Issuers other than the default one and those of the resource's own namespace, as [`issuer_name`] spells them.
    pub issuers: Vec<Pattern>,
    /// Collectors that resources may let receivers send spans to; any when empty.
    pub tracing_endpoints: Vec<Pattern>,
}

/// An issuer as flags and messages spell it: `ClusterIssuer/letsencrypt`, or `KIND.GROUP/NAME` of one that is not
/// cert-manager's own.
pub fn issuer_name(issuer: &IssuerRef) -> String {
    let IssuerRef { name, kind, group } = issuer;
    if group == CERT_MANAGER {
        format!("{kind}/{name}")
    } else {
        format!("{kind}.{group}/{name}")
    }
}

impl Allow {
    /// Everything that may be allowed without being named in full, to every namespace.
    pub fn everything() -> Self {
        let all = || vec![Pattern::new("*")];
        Self {
            images: all(),
            annotations: all(),
            labels: all(),
            env: all(),
            hosts: Vec::new(),
            nats_servers: all(),
            issuers: all(),
            tracing_endpoints: all(),
        }
    }

    /// Whether the annotation may be set. One that is dangerous has to be named in full: who writes `nginx.ingress.kubernetes.io/*` does not mean it.
    pub fn annotation(&self, key: &str) -> bool {
        let lower = key.to_ascii_lowercase();
        let dangerous = DANGEROUS.iter().any(|part| lower.contains(part));
        allows(&self.annotations, key, dangerous)
    }

    /// Whether the pod label may be set.
    pub fn label(&self, key: &str) -> bool {
        allows(&self.labels, key, false)
    }

    /// Whether the environment variable may be set. One that changes what code is loaded or which certificate
    /// authorities are trusted has to be named in full.
    pub fn env(&self, name: &str) -> bool {
        let upper = name.to_ascii_uppercase();
        allows(
            &self.env,
            name,
            upper.starts_with("LD_") || upper.starts_with("SSL_CERT_"),
        )
    }

    /// Whether the image may be used, beside the default one.
    pub fn image(&self, image: &str) -> bool {
        allows(&self.images, image, false)
    }

    /// Whether a resource may name the server. Without defaults and without a list any server is as good as another.
    pub fn nats_server(&self, url: &str, defaults: &[String]) -> bool {
        let open = defaults.is_empty() && self.nats_servers.is_empty();
        open || defaults.iter().any(|own| own == url) || allows(&self.nats_servers, url, false)
    }

    /// Whether a resource may name the issuer. An `Issuer` lives in the resource's own namespace; any other one may sign
    /// what it is not meant to sign. Without a default and without a list none is better than another.
    pub fn issuer(&self, issuer: &IssuerRef, default: Option<&IssuerRef>) -> bool {
        let open = default.is_none() && self.issuers.is_empty();
        let local = issuer.kind == "Issuer" && issuer.group == CERT_MANAGER;
        open || local || default == Some(issuer) || allows(&self.issuers, &issuer_name(issuer), false)
    }

    /// Whether receivers may send spans to the collector. Without a list any collector is as good as another.
    pub fn tracing_endpoint(&self, url: &str) -> bool {
        self.tracing_endpoints.is_empty() || allows(&self.tracing_endpoints, url, false)
    }

    /// Whether the namespace may use the host.
    pub fn host(&self, namespace: &str, host: &str) -> bool {
        let grants = |grant: &HostGrant| grant.namespace.matches(namespace) && grant.host.matches(host);
        self.hosts.is_empty() || self.hosts.iter().any(grants)
    }
}

fn allows(patterns: &[Pattern], text: &str, in_full: bool) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern.0 == text || !in_full && pattern.matches(text))
}

/// A host that a namespace may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGrant {
    /// The namespaces.
    pub namespace: Pattern,
    /// The hosts.
    pub host: Pattern,
}

/// Whether the operator reads Secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SecretAccess {
    /// Those that a resource names, one by one.
    ByName,
    /// None. Nothing is generated and nothing is checked.
    None,
}

/// A text with `*` for any run of characters, as the flags spell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the whole of `text` fits.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dangerous_has_to_be_named_in_full() {
        let allow = Allow::everything();
        assert!(allow.annotation("nginx.ingress.kubernetes.io/limit-rps") && allow.env("HTTPS_PROXY"));
        for key in [
            "nginx.ingress.kubernetes.io/configuration-snippet",
            "nginx.ingress.kubernetes.io/server-snippet",
            "nginx.org/location-snippets",
            "nginx.ingress.kubernetes.io/Server-Snippet",
            "nginx.ingress.kubernetes.io/server-alias",
            "nginx.ingress.kubernetes.io/auth-secret",
            "nginx.ingress.kubernetes.io/auth-tls-secret",
            "nginx.ingress.kubernetes.io/auth-url",
            "nginx.ingress.kubernetes.io/mirror-target",
            "nginx.ingress.kubernetes.io/default-backend",
            "nginx.ingress.kubernetes.io/proxy-ssl-secret",
        ] {
            assert!(!allow.annotation(key), "{key}");
        }
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "ld_preload",
        ] {
            assert!(!allow.env(name), "{name}");
            let exact = Allow {
                env: vec![Pattern::new(name)],
                ..Allow::default()
            };
            assert!(exact.env(name), "{name}");
        }
    }

    #[test]
    fn hosts_are_granted_to_namespaces() {
        assert!(Allow::default().host("shop", "hooks.example.com"));
        let allow = Allow {
            hosts: vec![HostGrant {
                namespace: Pattern::new("shop"),
                host: Pattern::new("*.shop.example.com"),
            }],
            ..Allow::default()
        };
        assert!(allow.host("shop", "hooks.shop.example.com"));
        for (namespace, host) in [
            ("shop", "hooks.example.com"),
            ("shop", "shop.example.com"),
            ("other", "hooks.shop.example.com"),
            ("shop-2", "hooks.shop.example.com"),
        ] {
            assert!(!allow.host(namespace, host), "{namespace} {host}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*.example.com", "hooks.example.com", true),
            ("*.example.com", "example.com", false),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("registry.example.com/*", "registry.example.com.evil/x", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), fits, "{pattern} {text}");
        }
    }
}
