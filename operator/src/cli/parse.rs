//! From the text of a flag to what it means, or to what to write instead.

use std::fmt;
use std::time::Duration;

use ipnet::IpNet;
use wahook_crds::{IssuerRef, ParentKind, ParentRef};
use wahook_telemetry::trace::{Endpoint, EndpointError, RatioError, SampleRatio};

use crate::server;
use crate::settings::{CERT_MANAGER, HostGrant, Pattern};

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

/// Reads flags one by one and notes those that cannot be used.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<FlagProblem>,
}

impl Reader {
    pub(super) fn note<T>(&mut self, flag: &'static str, read: Result<T, String>) -> Option<T> {
        read.map_err(|fix| self.problems.push(FlagProblem { flag, fix }))
            .ok()
    }

    pub(super) fn one<T>(
        &mut self,
        flag: &'static str,
        text: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.note(flag, parse(text.trim()))
    }

    /// A variable that is set to nothing is not set.
    pub(super) fn optional<T>(
        &mut self,
        flag: &'static str,
        text: Option<&String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = text.map(|text| text.trim()).filter(|text| !text.is_empty())?;
        self.note(flag, parse(text))
    }

    pub(super) fn list<T>(
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

    pub(super) fn finish<T>(self, value: T) -> Result<T, FlagProblems> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(FlagProblems(self.problems))
        }
    }
}

fn expect<T>(value: Option<T>, fix: &str) -> Result<T, String> {
    value.ok_or_else(|| fix.to_owned())
}

pub(super) fn prefix(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let fits = (1..=40).contains(&text.len()) && text.bytes().all(legal);
    expect(
        fits.then(|| text.to_owned()),
        "write 1 to 40 letters, digits, '_' and '-'",
    )
}

pub(super) fn nats_server(url: &str) -> Result<String, String> {
    server::port(url)
        .map(|_| url.to_owned())
        .map_err(|error| format!("{error}; a login belongs into --nats-credentials-dir"))
}

/// The text itself is not repeated: it may hold a password.
pub(super) fn collector(url: &str) -> Result<Endpoint, String> {
    url.parse().map_err(|error: EndpointError| error.to_string())
}

pub(super) fn sample_ratio(text: &str) -> Result<SampleRatio, String> {
    text.parse().map_err(|error: RatioError| error.to_string())
}

pub(super) fn bytes(text: &str) -> Result<i64, String> {
    let bytes = wahook_crds::Size::from(text).to_bytes().ok();
    expect(
        bytes.filter(|bytes| *bytes >= 1 << 20),
        "write a size from 1Mi on, such as 512Mi or 10Gi",
    )
}

pub(super) fn image(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && !text.contains(char::is_whitespace);
    expect(
        fits.then(|| text.to_owned()),
        "write an image such as registry.example.com/wahook-receiver:1.0.0",
    )
}

pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    let fits = !text.contains(char::is_whitespace);
    expect(
        fits.then(|| Pattern::new(text)),
        "write texts without spaces, separated by commas; `*` stands for any text",
    )
}

pub(super) fn host_grant(text: &str) -> Result<HostGrant, String> {
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
pub(super) fn issuer_pattern(text: &str) -> Result<Pattern, String> {
    let named = text.contains('/') || text.starts_with('*');
    let named = expect(
        named.then_some(text),
        "write KIND/NAME, such as ClusterIssuer/letsencrypt, or * for any issuer",
    )?;
    pattern(named)
}

pub(super) fn network(text: &str) -> Result<String, String> {
    let known = text.parse::<IpNet>().is_ok() || text.parse::<std::net::IpAddr>().is_ok();
    expect(
        known.then(|| text.to_owned()),
        "write a network such as 10.0.0.0/8, or an IP address",
    )
}

pub(super) fn resync(text: &str) -> Result<Duration, String> {
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

pub(super) fn namespace(text: &str) -> Result<String, String> {
    let fits = is_name(text, 63, false);
    expect(
        fits.then(|| text.to_owned()),
        "write the name of a namespace: lower-case letters, digits and '-'",
    )
}

pub(super) fn object_name(text: &str) -> Result<String, String> {
    let fits = is_name(text, 253, true);
    expect(
        fits.then(|| text.to_owned()),
        "write the name of an object: lower-case letters, digits, '-' and '.'",
    )
}

pub(super) fn gateway(text: &str) -> Result<ParentRef, String> {
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

pub(super) fn issuer(text: &str) -> Result<IssuerRef, String> {
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
