//! A house for one test: the real receiver, a stream of its own, and a nats-server shared with the tests that run
//! beside it.
#![allow(dead_code, reason = "each test program uses its own share")]

use std::fmt::{Display, Write as _};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_nats::Client;
use tokio::sync::Mutex;
use wahook_testbed::meta::{Answer, MetaClient, RawAnswer, raw_http, sign};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::{ReadyWhen, ReceiverOptions, ReceiverProcess};
use wahook_testbed::stream::{self, Stored};

/// An app secret of the shape of Meta's.
pub(crate) const SECRET: &str = "5f0c6bd0a1e94d7fb2c83e6a9d14c07e";
/// Another one.
pub(crate) const OTHER_SECRET: &str = "c1d2e3f4a5b60718293a4b5c6d7e8f90";
/// What Meta must present in the handshake.
pub(crate) const TOKEN: &str = "verify-token-of-the-tests";
/// The file of the first app secret.
pub(crate) const SECRET_FILE: &str = "secrets/app-secret-1";

/// What is answered when everything is stored.
pub(crate) const RECEIVED: &str = r#"{"status":"received"}"#;
/// What is answered to everything unsigned.
pub(crate) const UNSIGNED: &str = r#"{"error":"Invalid signature"}"#;

/// The bound of what must happen soon; only a failure ever waits that long.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// How a house is to be.
#[derive(Clone)]
pub(crate) struct Plan {
    webhook: String,
    limits: Vec<(String, String)>,
    lines: Vec<String>,
    http: String,
    stream: String,
    shutdown: String,
    log_level: String,
    secrets: Vec<(String, Vec<u8>)>,
    ready_when: ReadyWhen,
    broker: Option<Arc<NatsServer>>,
}

/// A running receiver and what belongs to it.
pub(crate) struct House {
    pub(crate) receiver: ReceiverProcess,
    pub(crate) broker: Arc<NatsServer>,
    pub(crate) nats: Client,
    pub(crate) stream: String,
}

/// The plan of a house whose webhook, and so whose stream, has this name.
pub(crate) fn house(webhook: &str) -> Plan {
    Plan {
        webhook: webhook.to_owned(),
        limits: Vec::new(),
        lines: Vec::new(),
        http: String::new(),
        stream: "ensure: true, storage: memory, maxBytes: 64Mi".to_owned(),
        shutdown: "endpointLag: 0s".to_owned(),
        log_level: "debug".to_owned(),
        secrets: vec![
            ("app-secret-1".to_owned(), SECRET.into()),
            ("verify-token".to_owned(), TOKEN.into()),
        ],
        ready_when: ReadyWhen::Ready,
        broker: None,
    }
}

impl Plan {
    /// Sets one of `limits`.
    pub(crate) fn limit(mut self, name: &str, value: impl Display) -> Self {
        self.limits.retain(|(known, _)| known != name);
        self.limits.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a line of YAML at the top level.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Adds settings of `http`.
    pub(crate) fn http(mut self, settings: &str) -> Self {
        self.http = format!(", {settings}");
        self
    }

    /// Replaces the settings of `stream`.
    pub(crate) fn stream(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.stream);
        self
    }

    /// Replaces the settings of `shutdown`.
    pub(crate) fn shutdown(mut self, settings: &str) -> Self {
        settings.clone_into(&mut self.shutdown);
        self
    }

    /// Sets the log level; `debug` otherwise, so that what must not be logged is looked for where most is.
    pub(crate) fn log_level(mut self, level: &str) -> Self {
        level.clone_into(&mut self.log_level);
        self
    }

    /// Writes a file into the secrets directory, or replaces it.
    pub(crate) fn secret(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self = self.without_secret(name);
        self.secrets.push((name.to_owned(), content.as_ref().to_vec()));
        self
    }

    /// Leaves a file of the secrets directory out.
    pub(crate) fn without_secret(mut self, name: &str) -> Self {
        self.secrets.retain(|(known, _)| known != name);
        self
    }

    /// When the receiver counts as started.
    pub(crate) fn ready_when(mut self, ready_when: ReadyWhen) -> Self {
        self.ready_when = ready_when;
        self
    }

    /// With a broker that other tests must not share.
    pub(crate) fn broker(mut self, broker: &Arc<NatsServer>) -> Self {
        self.broker = Some(Arc::clone(broker));
        self
    }

    fn yaml(&self, broker: &NatsServer) -> String {
        let Self {
            webhook,
            http,
            stream,
            shutdown,
            log_level,
            ..
        } = self;
        let url = broker.url();
        let mut yaml = format!(
            "identity: {{namespace: tests, webhook: {webhook}}}\n\
             http: {{listen: \"127.0.0.1:{{port}}\", adminListen: \"127.0.0.1:{{admin_port}}\"{http}}}\n\
             secretsDir: \"{{dir}}/secrets\"\n\
             nats: {{servers: [\"{url}\"]}}\n\
             stream: {{{stream}}}\n\
             shutdown: {{{shutdown}}}\n\
             log: {{level: {log_level}}}\n"
        );
        if !self.limits.is_empty() {
            yaml.push_str("limits:\n");
        }
        for (name, value) in &self.limits {
            let _ = writeln!(yaml, "  {name}: {value}");
        }
        for line in &self.lines {
            let _ = writeln!(yaml, "{line}");
        }
        yaml
    }

    /// Starts the receiver.
    pub(crate) async fn open(self) -> House {
        let broker = match &self.broker {
            Some(broker) => Arc::clone(broker),
            None => shared_broker().await,
        };
        let mut options = ReceiverOptions::from_yaml(&self.yaml(&broker))
            .binary(env!("CARGO_BIN_EXE_wahook-receiver"))
            .ready_when(self.ready_when);
        for (name, content) in self.secrets {
            options = options.file(&format!("secrets/{name}"), content);
        }
        House {
            receiver: ReceiverProcess::start(options).await.unwrap(),
            nats: broker.client().await.unwrap(),
            broker,
            stream: format!("whatsapp_tests_{}", self.webhook),
        }
    }
}

impl House {
    /// A client that signs with [`SECRET`].
    pub(crate) fn meta(&self) -> MetaClient {
        self.meta_with(SECRET)
    }

    /// A client that signs with `secret`.
    pub(crate) fn meta_with(&self, secret: &str) -> MetaClient {
        self.receiver.meta(secret).unwrap()
    }

    /// Posts a body that must be answered with "received".
    pub(crate) async fn store(&self, body: impl AsRef<[u8]>) -> Answer {
        let answer = self.meta().post(body.as_ref().to_vec()).await.unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, RECEIVED));
        answer
    }

    /// Writes bytes to a new connection and reads the answer.
    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> RawAnswer {
        raw_http(self.receiver.address(), bytes.as_ref(), SOON)
            .await
            .unwrap()
            .expect("an answer")
    }

    /// Everything in the stream.
    pub(crate) async fn stored(&self) -> Vec<Stored> {
        stream::messages(&self.nats, &self.stream).await.unwrap()
    }

    /// Subject tokens four to six, `<account>.<family>.<type>`, of everything in the stream.
    pub(crate) async fn subjects(&self) -> Vec<String> {
        self.stored().await.iter().map(place).collect()
    }

    /// The sum of the series of a metric that carry all of these labels.
    pub(crate) async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> usize {
        let text = self.receiver.admin("/metrics").await.unwrap().1;
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{v}\"")).collect();
        text.lines()
            .filter(|line| line.starts_with(&format!("{name}{{")))
            .filter(|line| labels.iter().all(|label| line.contains(label)))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
            .sum()
    }

    /// Waits until a metric without labels of its own has this value.
    pub(crate) async fn metric_reaches(&self, name: &str, wanted: usize) {
        let started = Instant::now();
        loop {
            let value = self.metric(name, &[]).await;
            if value >= wanted {
                assert_eq!(value, wanted, "{name}");
                return;
            }
            assert!(started.elapsed() < SOON, "{name} stays {value}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Bodies that reached the JSON parser.
    pub(crate) async fn parsed(&self) -> usize {
        self.metric("whatsapp_webhook_bodies_parsed_total", &[]).await
    }

    /// The status page.
    pub(crate) async fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.receiver.admin("/status").await.unwrap().1).unwrap()
    }

    /// Waits until the status page is as `wanted` says; the time it took.
    pub(crate) async fn status_when(&self, wanted: impl Fn(&serde_json::Value) -> bool) -> Duration {
        let started = Instant::now();
        loop {
            let status = self.status().await;
            if wanted(&status) {
                return started.elapsed();
            }
            assert!(started.elapsed() < SOON, "the status stays {status:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Replaces a file of the secrets directory in one step.
    pub(crate) fn replace_secret(&self, name: &str, content: impl AsRef<[u8]>) {
        self.receiver
            .replace_file(&format!("secrets/{name}"), content)
            .unwrap();
    }

    /// Replaces the configuration file by that of another plan.
    pub(crate) fn reconfigure(&self, plan: &Plan) {
        let yaml = plan
            .yaml(&self.broker)
            .replace("{port}", &self.receiver.address().port().to_string())
            .replace("{admin_port}", &self.receiver.admin_address().port().to_string())
            .replace("{dir}", &self.receiver.directory().to_string_lossy());
        self.receiver.replace_file("config.yaml", yaml).unwrap();
    }
}

/// The nats-server of the tests that run now: started by the first, ended with the last.
async fn shared_broker() -> Arc<NatsServer> {
    static SHARED: Mutex<Weak<NatsServer>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let started = Arc::new(NatsServer::start().await.unwrap());
    *shared = Arc::downgrade(&started);
    started
}

/// Subject tokens four to six: `<account>.<family>.<type>`.
pub(crate) fn place(stored: &Stored) -> String {
    let tokens: Vec<&str> = stored.subject.split('.').collect();
    assert_eq!(tokens.len(), 7, "{}", stored.subject);
    tokens[3..6].join(".")
}

/// A POST to `/webhook` with these header lines, each ended by CR LF, beside `Host` and `Content-Length`.
pub(crate) fn post(headers: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut request =
        format!("POST /webhook HTTP/1.1\r\nHost: hooks\r\nContent-Length: {length}\r\n").into_bytes();
    request.extend_from_slice(headers.as_ref());
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}

/// The header line of the right signature.
pub(crate) fn signature(body: impl AsRef<[u8]>) -> String {
    format!("X-Hub-Signature-256: {}\r\n", sign(SECRET, body.as_ref()))
}

/// A text message with this id; the body of the message is `text`, as it stands between the quotes.
pub(crate) fn text_message(id: &str, text: &str) -> String {
    text_message_to("315005501000001", id, text)
}

/// The same for another phone number.
pub(crate) fn text_message_to(phone_number_id: &str, id: &str, text: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"215005501000001","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550100000","phone_number_id":"{phone_number_id}"}},"contacts":[{{"profile":{{"name":"Ana Example"}},"wa_id":"15550100001"}}],"messages":[{{"from":"15550100001","id":"wamid.{id}","timestamp":"1750091007","type":"text","text":{{"body":"{text}"}}}}]}},"field":"messages"}}]}}]}}"#
    )
}
