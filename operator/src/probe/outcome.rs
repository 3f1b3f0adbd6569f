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
    /// A body of this many bytes did not get through: the answer's status, if there was one.
    Body {
        /// In bytes.
        size: usize,
        /// The answer's status.
        status: Option<u16>,
    },
    /// The way out does not lead there.
    Proxy {
        /// The proxy's host and port.
        proxy: String,
        /// What it said.
        reason: String,
    },
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
    /// Whether a body as large as Meta's may be got through; unknown when none was sent.
    pub carried: Option<bool>,
    /// How long it took, without such a body.
    pub took: Duration,
}

impl Outcome {
    pub(super) fn new(
        result: Result<i64, Trouble>,
        carried: Result<Option<()>, Trouble>,
        took: Duration,
    ) -> Self {
        let not_after = result.as_ref().ok().copied();
        let (result, carried) = match carried {
            Ok(carried) => (result, carried.map(|()| true)),
            Err(trouble) => (Err(trouble), Some(false)),
        };
        let (truth, reason, message) = match result {
            Ok(not_after) if not_after - now() < SOON => (
                Truth::True,
                Reason::CertificateExpiring,
                "The URL answers as Meta needs it, but its certificate expires within 14 days: see that it is renewed."
                    .to_owned(),
            ),
            Ok(_) => (
                Truth::True,
                Reason::Reachable,
                "The URL answers as Meta needs it.".to_owned(),
            ),
            Err(trouble) => explain(trouble),
        };
        Self {
            truth,
            reason,
            message,
            not_after,
            carried,
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
        Trouble::Proxy { proxy, reason } => {
            let message = format!(
                "The operator's proxy {proxy} (HTTPS_PROXY) does not lead to the host: {reason}. Let it through, name the \
                 host in NO_PROXY, or look from outside with curl."
            );
            return (Truth::Unknown, Reason::NotVisible, message);
        }
        Trouble::Body { size, status } => {
            let status = status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
            (
                Reason::BodyTooLarge,
                format!(
                    "A body of {size} bytes does not get through to the receivers ({status}), and Meta sends such: a proxy \
                     or a firewall in front of them has a lower limit."
                ),
            )
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
