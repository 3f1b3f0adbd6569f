//! Every way in which a public URL can be wrong, with a server made for it, and what is said about it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "probe/troubleshooting.rs"]
mod troubleshooting;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::probe::{LARGEST, Outcome, Prober, Proxies, Sight, Target};
use wahook_operator::status::Truth;
use wahook_receiver::handshake::{ProbeNonce, probe_answer};

const HOST: &str = "hooks.example.com";
const KEY: &[u8] = b"probe-key-of-the-tests";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An authority, one that it signed, and what they sign.
struct Authority {
    root: Certificate,
    root_issuer: Issuer<'static, KeyPair>,
    between: Certificate,
    between_issuer: Issuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name.to_owned());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    fn new() -> Self {
        let (params, key) = (authority("root"), KeyPair::generate().unwrap());
        let root = params.self_signed(&key).unwrap();
        let root_issuer = Issuer::new(params, key);
        let (params, key) = (authority("between"), KeyPair::generate().unwrap());
        let between = params.signed_by(&key, &root_issuer).unwrap();
        Self {
            root,
            root_issuer,
            between,
            between_issuer: Issuer::new(params, key),
        }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).unwrap();
        roots
    }
}

/// What a server shows.
#[derive(Clone, Copy)]
struct Shown {
    host: &'static str,
    /// Days left; fewer than none when it has expired.
    days: i64,
    by_between: bool,
    with_between: bool,
    self_signed: bool,
}

const GOOD: Shown = Shown {
    host: HOST,
    days: 90,
    by_between: true,
    with_between: true,
    self_signed: false,
};

fn tls(authority: &Authority, shown: Shown) -> TlsAcceptor {
    let mut params = CertificateParams::new(vec![shown.host.to_owned()]).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    let ends = now.as_secs().checked_add_signed(shown.days * 24 * 3600).unwrap();
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(ends);
    let key = KeyPair::generate().unwrap();
    let leaf = if shown.self_signed {
        params.self_signed(&key)
    } else if shown.by_between {
        params.signed_by(&key, &authority.between_issuer)
    } else {
        params.signed_by(&key, &authority.root_issuer)
    };
    let mut chain = vec![leaf.unwrap().der().clone()];
    if shown.with_between {
        chain.push(authority.between.der().clone());
    }
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Reads a request's head.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// Answers as a receiver with this key does.
async fn receiver(mut stream: impl AsyncRead + AsyncWrite + Unpin, key: &[u8]) {
    let head = head(&mut stream).await;
    answer(&head, stream, key).await;
}

/// What proves to the probe who answers.
fn proof(head: &str, key: &[u8]) -> String {
    let query = head.split(' ').nth(1).unwrap().split_once('?').unwrap().1;
    probe_answer(key, &ProbeNonce::from_query(Some(query)).unwrap())
}

async fn answer(head: &str, mut stream: impl AsyncRead + AsyncWrite + Unpin, key: &[u8]) {
    assert!(head.starts_with("GET /webhook?wahook.nonce="), "{head}");
    assert!(
        head.to_lowercase().contains("host: hooks.example.com\r\n"),
        "{head}"
    );
    let proof = proof(head, key);
    let answer = format!("HTTP/1.1 403 Forbidden\r\nx-wahook-probe: {proof}\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// A receiver of this webhook behind a certificate; those who do not trust it get no further.
async fn receiver_behind(acceptor: TlsAcceptor) -> SocketAddr {
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                receiver(stream, KEY).await;
            }
        }
    })
    .await
}

/// Answers the same whatever it is asked.
async fn stranger(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) {
    head(&mut stream).await;
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// Serves every connection, one after the other.
async fn serve<F: Future<Output = ()> + Send + 'static>(
    mut connection: impl FnMut(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connection(stream).await;
        }
    });
    address
}

async fn look(roots: RootCertStore, address: SocketAddr) -> Outcome {
    let prober = Prober::in_a_laboratory(roots, address).unwrap();
    prober.probe(&target(HOST)).await
}

fn target(host: &str) -> Target {
    Target {
        host: host.to_owned(),
        path: "/webhook".to_owned(),
        key: KEY.to_vec().into(),
        body: None,
    }
}

fn assert_says(outcome: &Outcome, truth: Truth, reason: Reason, word: &str) {
    assert_eq!((outcome.truth, outcome.reason), (truth, reason), "{outcome:?}");
    assert!(outcome.message.contains(word), "{outcome:?}");
    assert!(ConditionType::EndpointReady.reasons().contains(&reason));
}

#[tokio::test]
async fn every_certificate_is_judged_as_meta_would() {
    for (name, shown, truth, reason, word) in [
        ("good", GOOD, Truth::True, Reason::Reachable, "as Meta needs it"),
        (
            "by the root itself",
            Shown {
                by_between: false,
                with_between: false,
                ..GOOD
            },
            Truth::True,
            Reason::Reachable,
            "as Meta needs it",
        ),
        (
            "soon over",
            Shown { days: 5, ..GOOD },
            Truth::True,
            Reason::CertificateExpiring,
            "14 days",
        ),
        (
            "over",
            Shown { days: -1, ..GOOD },
            Truth::False,
            Reason::CertificateExpired,
            "Renew it",
        ),
        (
            "of another host",
            Shown {
                host: "other.example.com",
                ..GOOD
            },
            Truth::False,
            Reason::HostnameMismatch,
            "of other hosts",
        ),
        (
            "without the one in between",
            Shown {
                with_between: false,
                ..GOOD
            },
            Truth::False,
            Reason::ChainIncomplete,
            "whole chain",
        ),
        (
            "its own authority",
            Shown {
                self_signed: true,
                with_between: false,
                ..GOOD
            },
            Truth::False,
            Reason::ChainIncomplete,
            "self-signed",
        ),
    ] {
        let authority = Authority::new();
        let acceptor = tls(&authority, shown);
        let address = receiver_behind(acceptor).await;
        let outcome = look(authority.roots(), address).await;
        println!("{name}");
        assert_says(&outcome, truth, reason, word);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let left = outcome
            .not_after
            .map(|ends| ends - i64::try_from(now.as_secs()).unwrap());
        let days = left.map(|left| left / i64::try_from(DAY.as_secs()).unwrap());
        assert_eq!(days.is_some(), truth == Truth::True);
        assert!(days.is_none_or(|days| (days - shown.days).abs() <= 1), "{days:?}");
    }
}

#[tokio::test]
async fn only_a_receiver_of_this_webhook_will_do() {
    let authority = Authority::new();
    for (answer, word) in [
        (
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
            "status 403",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: https://elsewhere.example.com/\r\ncontent-length: 0\r\n\r\n",
            "status 302",
        ),
        (
            "HTTP/1.1 200 OK\r\nx-wahook-probe: sha256=00\r\ncontent-length: 0\r\n\r\n",
            "status 200",
        ),
        ("220 mail.example.com ESMTP\r\n", "no HTTP"),
        ("", "no HTTP"),
    ] {
        let acceptor = tls(&authority, GOOD);
        let address = serve(move |stream| {
            let acceptor = acceptor.clone();
            async move { stranger(acceptor.accept(stream).await.unwrap(), answer).await }
        })
        .await;
        let outcome = look(authority.roots(), address).await;
        assert_says(&outcome, Truth::False, Reason::WrongAnswer, word);
    }
    let acceptor = tls(&authority, GOOD);
    let address = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move { receiver(acceptor.accept(stream).await.unwrap(), b"another key").await }
    })
    .await;
    let outcome = look(authority.roots(), address).await;
    assert_says(&outcome, Truth::False, Reason::WrongAnswer, "status 403");
}

#[tokio::test]
async fn what_is_not_https_is_named() {
    let roots = || Authority::new().roots();
    // A fatal alert of TLS 1.0: the version is not one it speaks.
    let address = serve(async |mut stream: TcpStream| {
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(&[21, 3, 1, 0, 2, 2, 70]).await.unwrap();
    })
    .await;
    let outcome = look(roots(), address).await;
    assert_says(&outcome, Truth::False, Reason::TLSVersionTooOld, "TLS 1.2");

    let address = serve(async |mut stream: TcpStream| {
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    let outcome = look(roots(), address).await;
    assert_says(
        &outcome,
        Truth::False,
        Reason::TlsRefused,
        "something else than HTTPS",
    );

    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let outcome = look(roots(), closed).await;
    assert_says(&outcome, Truth::False, Reason::ConnectFailed, "127.0.0.1");
}

#[tokio::test]
async fn what_cannot_be_seen_from_here_is_not_wrong() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outcome = look(Authority::new().roots(), silent.local_addr().unwrap()).await;
    assert_says(&outcome, Truth::Unknown, Reason::NotVisible, "look from outside");
    assert!(outcome.took < Duration::from_secs(12), "{outcome:?}");
}

fn sighted(private_addresses: bool) -> Prober {
    let sight = Sight {
        private_addresses,
        authorities: Vec::new(),
        proxies: Proxies::none(),
    };
    Prober::new(sight).unwrap()
}

/// Whoever may create a resource must not have the operator look around in the cluster.
#[tokio::test]
async fn private_addresses_are_left_alone() {
    let outcome = sighted(false).probe(&target("localhost")).await;
    assert_says(
        &outcome,
        Truth::Unknown,
        Reason::NotVisible,
        "--probe-private-addresses",
    );
    let outcome = sighted(true).probe(&target("localhost")).await;
    assert_ne!(outcome.reason, Reason::NotVisible, "{outcome:?}");
    let outcome = sighted(false).probe(&target("nobody.invalid")).await;
    assert_says(&outcome, Truth::False, Reason::DnsFailed, "DNS record");
}

/// What is in front of the receivers, with a limit of its own for bodies.
async fn limited(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: String, read: bool) {
    let head = head(&mut stream).await;
    if head.starts_with("GET ") {
        return self::answer(&head, stream, KEY).await;
    }
    assert!(head.contains(&format!("content-length: {LARGEST}\r\n")), "{head}");
    assert!(!head.to_lowercase().contains("x-hub-signature"), "{head}");
    if read {
        let mut body = vec![0; LARGEST];
        stream.read_exact(&mut body).await.unwrap();
    }
    let proof = proof(&head, KEY);
    let answer = answer.replace("PROOF", &proof);
    stream.write_all(answer.as_bytes()).await.unwrap();
    let _ = stream.shutdown().await;
    // Until the client has read the answer, as servers do that want to be understood.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

#[tokio::test]
async fn a_body_as_large_as_metas_has_to_get_through() {
    let unproven = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n";
    let proven = "HTTP/1.1 401 Unauthorized\r\nx-wahook-probe: PROOF\r\ncontent-length: 0\r\n\r\n";
    let own_limit = "HTTP/1.1 413 Too Large\r\nx-wahook-probe: PROOF\r\ncontent-length: 0\r\n\r\n";
    let limit = "HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n";
    let busy = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";
    let firewall = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    let authority = Authority::new();
    for (answer, read, carried, word) in [
        (proven, true, Some(true), "as Meta needs it"),
        (proven, false, Some(true), "as Meta needs it"),
        (unproven, true, Some(true), "as Meta needs it"),
        (own_limit, true, Some(true), "as Meta needs it"),
        (busy, true, None, "as Meta needs it"),
        (limit, false, Some(false), "status 413"),
        (limit, true, Some(false), "status 413"),
        (firewall, true, Some(false), "status 403"),
        ("", true, Some(false), "no answer"),
    ] {
        let acceptor = tls(&authority, GOOD);
        let address = serve(move |stream| {
            let acceptor = acceptor.clone();
            async move { limited(acceptor.accept(stream).await.unwrap(), answer.to_owned(), read).await }
        })
        .await;
        let prober = Prober::in_a_laboratory(authority.roots(), address).unwrap();
        let target = Target {
            body: Some(LARGEST),
            ..target(HOST)
        };
        let outcome = prober.probe(&target).await;
        assert_eq!(outcome.carried, carried, "{answer:?}: {outcome:?}");
        let (truth, reason) = match carried {
            Some(false) => (Truth::False, Reason::BodyTooLarge),
            _ => (Truth::True, Reason::Reachable),
        };
        assert_says(&outcome, truth, reason, word);
        assert!(
            outcome.not_after.is_some(),
            "the certificate was seen all the same"
        );
    }
}

/// A proxy that leads to one place, whatever it is asked for, or nowhere.
async fn proxy(target: Option<SocketAddr>, asked: tokio::sync::mpsc::UnboundedSender<String>) -> SocketAddr {
    serve(move |mut stream: TcpStream| {
        let asked = asked.clone();
        async move {
            asked.send(head(&mut stream).await).unwrap();
            let Some(target) = target else {
                let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
                return stream.write_all(refusal).await.unwrap();
            };
            stream
                .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await
                .unwrap();
            let mut onward = TcpStream::connect(target).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        }
    })
    .await
}

/// As in a private cluster: an authority of its own, and a proxy that is the only way out and knows the names.
#[tokio::test]
async fn a_proxy_and_an_authority_of_ones_own() {
    let authority = Authority::new();
    let acceptor = tls(&authority, GOOD);
    let server = receiver_behind(acceptor).await;
    let (asked, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let open = proxy(Some(server), asked.clone()).await;
    let look = async |authorities: Vec<_>, proxies: Proxies| {
        let sight = Sight {
            private_addresses: false,
            authorities,
            proxies,
        };
        Prober::new(sight).unwrap().probe(&target(HOST)).await
    };
    let own = || vec![authority.root.der().clone()];
    let with_login = Proxies::one(&format!("http://user:very-private@{open}"), "");

    let outcome = look(own(), with_login.clone()).await;
    assert_says(&outcome, Truth::True, Reason::Reachable, "as Meta needs it");
    let request = heard.recv().await.unwrap();
    assert!(
        request.starts_with("CONNECT hooks.example.com:443 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.to_lowercase().contains("proxy-authorization: basic "),
        "{request}"
    );

    let outcome = look(Vec::new(), with_login).await;
    assert_says(
        &outcome,
        Truth::False,
        Reason::ChainIncomplete,
        "unknown authority",
    );
    heard.recv().await.unwrap();

    let closed = proxy(None, asked).await;
    let outcome = look(
        own(),
        Proxies::one(&format!("http://user:very-private@{closed}"), ""),
    )
    .await;
    assert_says(&outcome, Truth::Unknown, Reason::NotVisible, &closed.to_string());
    assert!(!outcome.message.contains("private"), "{outcome:?}");
    heard.recv().await.unwrap();

    // Excepted, so it is looked up here, where nobody knows it.
    let excepted = Proxies::one(&format!("http://{open}"), "example.com");
    let outcome = look(own(), excepted).await;
    assert_ne!(outcome.reason, Reason::Reachable, "{outcome:?}");
    assert!(heard.try_recv().is_err(), "the proxy was asked");
}

/// Nor by way of a proxy.
#[tokio::test]
async fn a_proxy_leads_to_no_private_address() {
    let (asked, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let open = proxy(None, asked).await;
    let sight = Sight {
        private_addresses: false,
        authorities: Vec::new(),
        // Loopback is never sent to a proxy by its name alone; here it is only what the name resolves to.
        proxies: Proxies::one(&format!("http://{open}"), ""),
    };
    let outcome = Prober::new(sight).unwrap().probe(&target("localhost")).await;
    assert_says(
        &outcome,
        Truth::Unknown,
        Reason::NotVisible,
        "--probe-private-addresses",
    );
    assert!(heard.try_recv().is_err(), "the proxy was asked");
}
