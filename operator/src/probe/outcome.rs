//! What a look at a public URL came to, as a reason that a person can act on. Pure.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use wahook_crds::conditions::Reason;

use crate::status::Truth;

/// A certificate that has less than this left should have been renewed by now.
const SOON: i64 = 14 * 24 * 3600;

/// What stood in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The host has no address.
    NoName,
    /// It has one that is not of the public Internet.
    Private(IpAddr),
    /// Nobody takes the connection there.
    Refused(IpAddr, ErrorKind),
    /// No answer in time.
    Silent,
    /// The certificate is of an authority that is not known, or the one in between is not sent along.
    Chain,
    /// The certificate is of other hosts.
    Name,
    /// The certificate has expired, or is not valid yet.
    Expired,
    /// Nothing from TLS 1.2 on is spoken there.
    OldTls,
    /// TLS failed in another way.
    Tls(String),
    /// Somebody else answered, with this status.
    Stranger(Option<u16>),
}

/// What a look came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether Meta would reach the receivers; unknown where it cannot be seen from here.
    pub truth: Truth,
    /// Why.
    pub reason: Reason,
    /// Why, and what to do about it. The same as long as nothing changes.
    pub message: String,
    /// When the certificate expires, in seconds since 1970.
    pub not_after: Option<i64>,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    pub(super) fn new(result: Result<i64, Trouble>, took: Duration) -> Self {
        let (truth, reason, message, not_after) = match result {
            Ok(not_after) if not_after - now() < SOON => (
                Truth::True,
                Reason::CertificateExpiring,
                "The URL answers as Meta needs it, but its certificate expires within 14 days: see that it is renewed."
                    .to_owned(),
                Some(not_after),
            ),
            Ok(not_after) => (
                Truth::True,
                Reason::Reachable,
                "The URL answers as Meta needs it.".to_owned(),
                Some(not_after),
            ),
            Err(trouble) => {
                let (truth, reason, message) = explain(trouble);
                (truth, reason, message, None)
            }
        };
        Self {
            truth,
            reason,
            message,
            not_after,
            took,
        }
    }

    /// Whether both say the same. How long it took does not count.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        (self.truth, self.reason, &self.message, self.not_after)
            == (other.truth, other.reason, &other.message, other.not_after)
    }
}

fn now() -> i64 {
    k8s_openapi::jiff::Timestamp::now().as_second()
}

fn explain(trouble: Trouble) -> (Truth, Reason, String) {
    let (reason, message) = match trouble {
        Trouble::Private(address) => {
            let message = format!(
                "The host is at {address} as seen from here, which is not of the public Internet: whether Meta reaches it \
                 cannot be seen. Where the cluster's own name server answers with private addresses, run the operator \
                 with --probe-private-addresses."
            );
            return (Truth::Unknown, Reason::NotVisible, message);
        }
        Trouble::Silent => {
            let message = "Nobody answered within seconds. Many networks do not lead from inside to their own public \
                           address: look from outside with curl before you worry."
                .to_owned();
            return (Truth::Unknown, Reason::NotVisible, message);
        }
        Trouble::NoName => (
            Reason::DnsFailed,
            "The host has no address. Make a DNS record that leads to the ingress or Gateway.".to_owned(),
        ),
        Trouble::Refused(address, kind) => (
            Reason::ConnectFailed,
            format!("Nobody takes connections at {address}, port 443: {kind}. Does the DNS record lead to the ingress or Gateway?"),
        ),
        Trouble::Chain => (
            Reason::ChainIncomplete,
            "The certificate is not one that Meta trusts: it is of an unknown authority (a default or self-signed one?), \
             or the server does not send the intermediate certificate along. tls.crt has to hold the whole chain."
                .to_owned(),
        ),
        Trouble::Name => (
            Reason::HostnameMismatch,
            "The certificate is of other hosts: the ingress or Gateway serves another one here, often its default."
                .to_owned(),
        ),
        Trouble::Expired => (
            Reason::CertificateExpired,
            "The certificate has expired, or is not valid yet: Meta delivers nothing. Renew it.".to_owned(),
        ),
        Trouble::OldTls => (
            Reason::TLSVersionTooOld,
            "The server speaks no TLS 1.2 or newer, which Meta needs.".to_owned(),
        ),
        Trouble::Tls(error) => (
            Reason::TlsRefused,
            format!("TLS failed: {error}. Does something else than HTTPS listen on port 443?"),
        ),
        Trouble::Stranger(status) => {
            let status = status.map_or_else(|| "no HTTP".to_owned(), |status| format!("status {status}"));
            (
                Reason::WrongAnswer,
                format!(
                    "Something else than a receiver of this webhook answered ({status}): another route, a firewall or a \
                     login page is in the way."
                ),
            )
        }
    };
    (Truth::False, reason, message)
}
