//! What all tests share: one nats-server, receivers with identities of their own, bodies with as many ids as wanted.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_nats::Client;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use wahook_testbed::meta::{Answer, MetaClient};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::{ReadyWhen, ReceiverOptions, ReceiverProcess};
use wahook_testbed::stream;

pub(crate) const SECRET: &str = "0f9c1f9c31d84c6fa8b7d1c2e3a4b5c6";
pub(crate) const ACCOUNT: &str = "100000000000001";

/// The server that tests share. It ends with the last test that holds it.
pub(crate) async fn nats() -> Arc<NatsServer> {
    static SHARED: Mutex<Weak<NatsServer>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Arc::new(NatsServer::start().await.unwrap());
    *shared = Arc::downgrade(&server);
    server
}

/// A receiver to be: its settings, section by section.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) name: String,
    namespace: String,
    servers: Vec<String>,
    nats: String,
    stream: String,
    limits: String,
    more: String,
    files: Vec<(String, Vec<u8>)>,
    ready_when: ReadyWhen,
}

impl Setup {
    /// A receiver of the webhook `name`, which makes its stream itself.
    pub(crate) fn new(name: &str, server: &str) -> Self {
        Self {
            name: name.to_owned(),
            namespace: "test".to_owned(),
            servers: vec![server.to_owned()],
            nats: String::new(),
            // What a server reserves for all streams together must fit on the disk.
            stream: "  ensure: true\n  maxBytes: 100000000\n".to_owned(),
            limits: String::new(),
            more: String::new(),
            files: vec![
                ("secrets/app-secret-1".to_owned(), SECRET.into()),
                ("secrets/verify-token".to_owned(), "a-token-to-verify-with".into()),
            ],
            ready_when: ReadyWhen::Ready,
        }
    }

    pub(crate) fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    pub(crate) fn servers(mut self, servers: Vec<String>) -> Self {
        self.servers = servers;
        self
    }

    /// Adds a line to the section `nats`.
    pub(crate) fn nats(mut self, line: &str) -> Self {
        let _ = writeln!(self.nats, "  {line}");
        self
    }

    /// Adds a line to the section `stream`.
    pub(crate) fn stream(mut self, line: &str) -> Self {
        let _ = writeln!(self.stream, "  {line}");
        self
    }

    /// Somebody else makes the stream.
    pub(crate) fn without_ensure(mut self) -> Self {
        self.stream = self.stream.replace("ensure: true", "ensure: false");
        self
    }

    /// The stream holds this much instead of 100 MB.
    pub(crate) fn max_bytes(mut self, bytes: u64) -> Self {
        self.stream = self.stream.replace("100000000", &bytes.to_string());
        self
    }

    /// Adds a line to the section `limits`.
    pub(crate) fn limit(mut self, line: &str) -> Self {
        let _ = writeln!(self.limits, "  {line}");
        self
    }

    /// Adds a line outside the sections above.
    pub(crate) fn more(mut self, line: &str) -> Self {
        let _ = writeln!(self.more, "{line}");
        self
    }

    /// Adds a file to the secrets directory.
    pub(crate) fn secret(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((format!("secrets/{name}"), content.into()));
        self
    }

    /// Does not wait until it is ready.
    pub(crate) fn not_ready(mut self) -> Self {
        self.ready_when = ReadyWhen::Live;
        self
    }

    pub(crate) fn stream_name(&self) -> String {
        format!("whatsapp_{}_{}", self.namespace, self.name)
    }

    pub(crate) fn subjects(&self) -> String {
        format!("whatsapp.{}.{}.>", self.namespace, self.name)
    }

    pub(crate) async fn start(&self) -> ReceiverProcess {
        let Self {
            name,
            namespace,
            nats,
            stream,
            limits,
            more,
            ..
        } = self;
        let servers = json!(self.servers);
        let mut yaml = format!(
            "identity: {{namespace: {namespace}, webhook: {name}}}\n\
             http: {{listen: '127.0.0.1:{{port}}', adminListen: '127.0.0.1:{{admin_port}}'}}\n\
             secretsDir: '{{dir}}/secrets'\nshutdown: {{endpointLag: 0s}}\n\
             nats:\n  servers: {servers}\n{nats}stream:\n{stream}{more}"
        );
        if !limits.is_empty() {
            let _ = write!(yaml, "limits:\n{limits}");
        }
        let mut options = ReceiverOptions::from_yaml(&yaml)
            .binary(env!("CARGO_BIN_EXE_wahook-receiver"))
            .start_limit(Duration::from_secs(40))
            .ready_when(self.ready_when.clone());
        for (name, content) in &self.files {
            options = options.file(name, content.clone());
        }
        ReceiverProcess::start(options).await.unwrap()
    }
}

pub(crate) fn meta(receiver: &ReceiverProcess) -> MetaClient {
    receiver.meta(SECRET).unwrap()
}

/// A body around one value of the field `field`.
pub(crate) fn envelope(field: &str, value: &Value) -> Vec<u8> {
    let mut value = value.clone();
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "15550100001", "phone_number_id": ACCOUNT});
    let change = json!({"field": field, "value": value});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "200000000000002", "changes": [change]}]})
        .to_string()
        .into_bytes()
}

pub(crate) fn message(id: &str) -> Value {
    json!({"from": "15550100002", "id": format!("wamid.{id}"), "timestamp": "1767225600", "type": "text",
        "text": {"body": "hello"}})
}

/// A body of text messages with these ids.
pub(crate) fn messages<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> Vec<u8> {
    let messages: Vec<Value> = ids.into_iter().map(|id| message(id.as_ref())).collect();
    envelope("messages", &json!({ "messages": messages }))
}

/// A body of `count` text messages whose ids begin with `tag`.
pub(crate) fn numbered(tag: &str, count: usize) -> Vec<u8> {
    messages((0..count).map(|n| format!("{tag}-{n}")))
}

/// A body of `count` statuses whose ids begin with `tag`.
pub(crate) fn statuses(tag: &str, count: usize) -> Vec<u8> {
    let statuses: Vec<Value> = (0..count)
        .map(|n| {
            json!({"id": format!("wamid.{tag}-{n}"), "status": "sent", "timestamp": "1767225600",
                "recipient_id": "15550100002"})
        })
        .collect();
    envelope("messages", &json!({ "statuses": statuses }))
}

/// Posts like Meta: again until it is answered with 200. Every answer before must be 503.
pub(crate) async fn deliver(client: &MetaClient, body: Vec<u8>) -> Vec<Answer> {
    let limit = Instant::now() + Duration::from_secs(60);
    let mut answers = Vec::new();
    loop {
        let answer = client.post(body.clone()).await.unwrap();
        let status = answer.status;
        answers.push(answer);
        match status {
            200 => return answers,
            503 => assert!(Instant::now() < limit, "never stored"),
            other => panic!("answered with {other}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Posts once.
pub(crate) async fn post(client: &MetaClient, body: Vec<u8>) -> u16 {
    client.post(body).await.unwrap().status
}

/// How many messages the stream holds; each must have an id of its own.
pub(crate) async fn distinct(client: &Client, stream: &str) -> usize {
    let ids = stream::ids(client, stream).await.unwrap();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "an id is stored twice");
    ids.len()
}

/// The sum of a metric's series that have this part in their labels.
pub(crate) async fn metric(receiver: &ReceiverProcess, name: &str, label: &str) -> f64 {
    let (_, text) = receiver.admin("/metrics").await.unwrap();
    text.lines()
        .filter(|line| line.split(['{', ' ']).next() == Some(name) && line.contains(label))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Asks until the answer is yes; fails when it is not within `limit`. Returns how long it took.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    ask: impl Fn() -> F,
) -> Duration {
    let started = Instant::now();
    while !ask().await {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}

pub(crate) async fn is_ready(receiver: &ReceiverProcess) -> bool {
    receiver.admin("/readyz").await.unwrap().0 == 200
}

/// The bytes a program has not read yet from connections to its port (Linux).
pub(crate) fn unread_bytes(port: u16) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{port:04X}");
    let unread = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // State 01 is an established connection; field 4 is tx_queue:rx_queue.
        (fields.get(1)?.ends_with(&local) && fields.get(3) == Some(&"01")).then_some(())?;
        u64::from_str_radix(fields.get(4)?.split_once(':')?.1, 16).ok()
    };
    table.lines().filter_map(unread).sum()
}
