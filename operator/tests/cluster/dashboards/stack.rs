//! What is watched: the operator and a receiver as processes, NATS, a control plane, and a way in with TLS as from the Internet.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::api::Api;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use wahook_operator::child::ChildKind;
use wahook_operator::names;
use wahook_testbed::child::OwnedChild;
use wahook_testbed::log::Log;
use wahook_testbed::meta::MetaClient;
use wahook_testbed::monitoring::{Prometheus, PrometheusOptions};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::port::ReservedPort;
use wahook_testbed::process::{ReceiverOptions, ReceiverProcess};

use crate::support::{Kubelet, Lab, eventually, spec};

const SECRET: &str = "very-private-app-secret";
/// The number that every message of the samples came to; any other is quarantined.
const NUMBER: &str = "315005501000001";

pub struct Stack {
    pub prometheus: Prometheus,
    lab: Lab,
    _kubelet: Kubelet,
    _operator: OwnedChild,
    operator_log: Log,
    _directory: TempDir,
    receiver: ReceiverProcess,
    token: String,
    nats: NatsServer,
}

impl Stack {
    pub async fn start(namespace: &str) -> Self {
        let nats = NatsServer::start().await.unwrap();
        let lab = Lab::new(namespace).await;
        let kubelet = lab.kubelet();
        lab.app_secret().await;
        let mut wanted = spec("main");
        wanted["meta"]["phoneNumberIds"] = json!([NUMBER]);
        wanted["nats"]["stream"]["maxBytes"] = json!("64Mi");
        let wanted: wahook_crds::WhatsAppWebhookSpec = serde_json::from_value(wanted).unwrap();
        lab.create(&wahook_crds::WhatsAppWebhook::new("main", wanted))
            .await;

        let directory = TempDir::new().unwrap();
        let (listener, admin) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            ReservedPort::new().unwrap(),
        );
        let kubeconfig = lab
            .plane
            .user_kubeconfig("dashboards", &["system:masters"])
            .unwrap();
        let way = Way::new("main.example.com");
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_wahook-operator"));
        for (name, _) in env::vars_os() {
            command.env_remove(name);
        }
        command
            .args(["run", "--namespace", namespace, "--watch-namespaces", namespace])
            .args(["--nats-servers", &nats.url()])
            .args(["--receiver-image", "registry.example.com/wahook-receiver:1"])
            .args(["--admin-listen", &admin.address().to_string()])
            .arg("--probe-ca-file")
            .arg(file("ca.pem", &way.authority))
            .env("KUBECONFIG", file("kubeconfig", &kubeconfig))
            // Not HTTPS_PROXY, which the Kubernetes client would take as well.
            .env("ALL_PROXY", format!("http://{}", listener.local_addr().unwrap()));
        let operator_log = Log::default();
        let operator = OwnedChild::spawn(command, &operator_log).unwrap();
        lab.accept("main").await;

        let (receiver, token) = receiver(&lab, &nats).await;
        tokio::spawn(way.open(listener, receiver.address()));
        let options = PrometheusOptions::default()
            .target("wahook-receiver", &[receiver.admin_address().to_string()])
            .target("wahook-operator", &[admin.address().to_string()]);
        let prometheus = Prometheus::start(&options).await.unwrap();
        Self {
            prometheus,
            lab,
            _kubelet: kubelet,
            _operator: operator,
            operator_log,
            _directory: directory,
            receiver,
            token,
            nats,
        }
    }

    pub fn namespace(&self) -> &str {
        &self.lab.namespace
    }

    /// The last words of everybody.
    pub fn said(&self) -> String {
        format!(
            "operator: {}\nPrometheus: {}",
            self.operator_log.tail(20),
            self.prometheus.log().tail(10)
        )
    }

    /// All that may come to a receiver, more or less as often as it does, once the operator has seen the public URL.
    pub async fn traffic(&self, lasting: Duration) {
        let probed = "whatsapp_webhook_endpoint_probe_success == 1";
        let meta = self.receiver.meta(SECRET).unwrap();
        let stranger = self.receiver.meta("0123456789abcdef0123456789abcdef").unwrap();
        let samples = samples();
        let began = Instant::now();
        let (mut number, mut round, mut silences, mut replicas) = (0_usize, 0_usize, 0, 2);
        while began.elapsed() < lasting {
            // In waves, so that a picture of it shows something.
            let wave = (began.elapsed().as_secs_f64() / 9.0).sin().mul_add(20.0, 30.0);
            for sample in samples.iter().cycle().skip(number).take(4) {
                meta.post(sample.clone()).await.unwrap();
            }
            for _ in 0..number % 12 + 3 {
                number += 1;
                meta.post(message(number)).await.unwrap();
            }
            round += 1;
            self.rare(round, number, &meta, &stranger).await;
            let passed = began.elapsed().as_secs_f64() / lasting.as_secs_f64();
            if passed > 0.3 * f64::from(silences + 1) && silences < 2 {
                silences += 1;
                number = self.silence(number, &meta).await;
            }
            if passed > 0.2 * f64::from(replicas - 1) {
                replicas += 1;
                let change = json!({ "spec": { "receiver": { "replicas": replicas } } });
                self.lab.patch("main", &change).await;
            }
            tokio::time::sleep(Duration::from_secs_f64(wave * 0.005)).await;
        }
        eventually("the public URL was looked at", async || {
            let answer = self.prometheus.query(probed).await.unwrap();
            (!answer.as_array().unwrap().is_empty()).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_secs(3)).await;
    }

    /// The broker is silent for a moment: what comes meanwhile fails, and is taken when it is sent again. The number of the
    /// last message.
    async fn silence(&self, number: usize, meta: &MetaClient) -> usize {
        let numbers = number + 1..number + 13;
        self.nats.pause().unwrap();
        let sent: Vec<_> = numbers
            .clone()
            .map(|number| {
                let (meta, message) = (meta.clone(), message(number));
                tokio::spawn(async move { meta.post(message).await.unwrap().status })
            })
            .collect();
        for answer in sent {
            assert_eq!(answer.await.unwrap(), 503);
        }
        self.nats.resume().unwrap();
        for number in numbers.clone() {
            eventually("the broker is back", async || {
                let answer = meta.post(message(number)).await.unwrap();
                (answer.status == 200).then_some(())
            })
            .await;
        }
        numbers.end
    }

    /// What comes only now and then.
    async fn rare(&self, round: usize, number: usize, meta: &MetaClient, stranger: &MetaClient) {
        if round.is_multiple_of(3) {
            stranger.post(message(number)).await.unwrap();
        }
        if round.is_multiple_of(5) {
            meta.post(format!("{{ cut off, {number}")).await.unwrap();
            meta.post(message(number).replace(NUMBER, "315005501999999"))
                .await
                .unwrap();
        }
        if round.is_multiple_of(7) {
            let error = samples()
                .into_iter()
                .find(|sample| sample.contains("131035"))
                .unwrap();
            let id = format!("wamid.{number}");
            meta.post(error.replace("wamid.", &id)).await.unwrap();
            meta.handshake(&self.token, "1158201444").await.unwrap();
            meta.handshake("wrong-token", "1158201444").await.unwrap();
        }
    }
}

/// Every sample that the project has.
fn samples() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/samples");
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// A message that has not come yet.
fn message(number: usize) -> String {
    let value: Value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550100000", "phone_number_id": NUMBER },
        "messages": [{
            "from": "15550100001", "id": format!("wamid.message-{number}"), "timestamp": "1750091007",
            "type": "text", "text": { "body": "x".repeat(400) },
        }],
    });
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "215005501000001", "changes": [{ "field": "messages", "value": value }] }],
    })
    .to_string()
}

/// A receiver with the configuration and the generated secrets that the operator wrote for it, and its verify token.
async fn receiver(lab: &Lab, nats: &NatsServer) -> (ReceiverProcess, String) {
    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> =
        Api::namespaced(lab.client.clone(), &lab.namespace);
    let name = ChildKind::Configuration.name("main");
    let configuration = eventually("the configuration", async || {
        maps.get_opt(&name).await.unwrap()?.data?.remove("config.yaml")
    })
    .await;
    let name = names::child("main");
    let own = eventually("the generated secrets", async || {
        lab.secrets().get_opt(&name).await.unwrap()?.data
    })
    .await;
    let value = |key: &str| String::from_utf8(own[key].0.clone()).unwrap();
    let token = value(names::VERIFY_TOKEN_KEY);
    let configuration = configuration
        .replace("0.0.0.0:3000", "127.0.0.1:{port}")
        .replace("0.0.0.0:9090", "127.0.0.1:{admin_port}")
        .replace("/etc/wahook/secrets", "{dir}/secrets");
    assert!(configuration.contains(&nats.url()), "{configuration}");
    let options = ReceiverOptions::from_yaml(&configuration)
        .file("secrets/app-secret-1", SECRET)
        .file("secrets/verify-token", token.as_str())
        .file("secrets/probe-key", value(names::PROBE_KEY));
    // It is ready as soon as the operator has made the stream.
    (ReceiverProcess::start(options).await.unwrap(), token)
}

/// A proxy as private clusters have it, behind which the host has a certificate of an authority of their own.
struct Way {
    authority: String,
    acceptor: TlsAcceptor,
}

impl Way {
    fn new(host: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        params.not_after =
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now.as_secs() + 60 * 86_400);
        let leaf = params.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        Self {
            authority: authority.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// Leads every connection to the receiver.
    async fn open(self, listener: TcpListener, receiver: SocketAddr) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(lead(stream, self.acceptor.clone(), receiver));
        }
    }
}

async fn lead(mut stream: TcpStream, acceptor: TlsAcceptor, receiver: SocketAddr) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    let mut stream = acceptor.accept(stream).await?;
    let mut onward = TcpStream::connect(receiver).await?;
    copy_bidirectional(&mut stream, &mut onward).await.map(drop)
}
