//! Receivers, what they are sent, and the alerts that this is to provoke.

use std::future::Future;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};
use wahook_testbed::meta::{MetaClient, RawConnection, SIGNATURE_HEADER};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::{ReceiverOptions, ReceiverProcess};

use super::NAMESPACE;
use super::proof::Proof;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NEXT: &str = "fedcba9876543210fedcba9876543210";
const LISTED: &str = "315005501000001";

/// The receiver `live/<name>`.
pub async fn receiver(name: &str, nats: &NatsServer) -> ReceiverProcess {
    let yaml = format!(
        "identity: {{namespace: {NAMESPACE}, webhook: {name}}}\n\
         http: {{listen: '127.0.0.1:{{port}}', adminListen: '127.0.0.1:{{admin_port}}'}}\n\
         secretsDir: '{{dir}}/secrets'\nphoneNumberIds: ['{LISTED}']\nshutdown: {{endpointLag: 0s}}\n\
         limits: {{bodyTimeout: 30s, badSignaturesPerMinute: 100000}}\n\
         nats: {{servers: ['{}']}}\nstream: {{ensure: true, maxBytes: 64Mi}}\n",
        nats.url()
    );
    let options = ReceiverOptions::from_yaml(&yaml)
        .file("secrets/app-secret-1", SECRET)
        .file("secrets/verify-token", "a-verify-token-for-tests");
    ReceiverProcess::start(options).await.unwrap()
}

fn body(number: &str, value: Value) -> Vec<u8> {
    let mut value = value;
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({ "display_phone_number": "15550100001", "phone_number_id": number });
    let change = json!({ "field": "messages", "value": value });
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "200000000000002", "changes": [change] }] })
        .to_string()
        .into_bytes()
}

fn message(number: &str, id: &str) -> Vec<u8> {
    let message = json!({ "from": "15550100002", "id": format!("wamid.{id}"), "timestamp": "1767225600",
        "type": "text", "text": { "body": "hello" } });
    body(number, json!({ "messages": [message] }))
}

/// Ends with its value.
struct Traffic(JoinHandle<()>);

impl Drop for Traffic {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins something so many times in a second, whether or not the last has ended.
fn traffic<F: Future<Output = ()> + Send + 'static>(
    in_a_second: u32,
    begin: impl Fn(u32) -> F + Send + 'static,
) -> Traffic {
    Traffic(tokio::spawn(async move {
        let mut ticks = interval(Duration::from_secs(1) / in_a_second);
        for number in 0.. {
            ticks.tick().await;
            tokio::spawn(begin(number));
        }
    }))
}

/// New messages, signed.
fn messages(meta: &MetaClient, tag: &'static str, in_a_second: u32) -> Traffic {
    let meta = meta.clone();
    traffic(in_a_second, move |number| {
        let meta = meta.clone();
        async move {
            // What is answered is for the metrics to say.
            let _ = meta.post(message(LISTED, &format!("{tag}-{number}"))).await;
        }
    })
}

fn unsigned(meta: &MetaClient) -> Traffic {
    let meta = meta.clone();
    traffic(5, move |number| {
        let meta = meta.clone();
        async move {
            let body = message(LISTED, &format!("unsigned-{number}"));
            let _ = meta.post_with(body, &[]).await;
        }
    })
}

pub async fn broken(proof: &Proof, receiver: &ReceiverProcess, nats: &NatsServer) {
    const ALERTS: [(&str, u64); 4] = [
        ("WhatsAppWebhookErrors", 6),
        ("WhatsAppWebhookBrokerDisconnected", 2),
        ("WhatsAppWebhookDown", 4),
        ("WhatsAppWebhookAvailabilityBurn", 15),
    ];
    let _traffic = messages(&receiver.meta(SECRET).unwrap(), "broken", 10);
    sleep(Duration::from_secs(10)).await;
    nats.kill9().unwrap();
    let begin = Instant::now();
    for (name, takes) in ALERTS {
        proof.fires(name, "broken", begin, takes).await;
    }
    nats.restart().await.unwrap();
    let repaired = Instant::now();
    for (name, _) in ALERTS {
        proof.resolves(name, "broken", repaired).await;
    }
}

pub async fn slow(proof: &Proof, receiver: &ReceiverProcess) {
    const TIME: u64 = 17;
    const ALERTS: [(&str, u64); 3] = [
        ("WhatsAppWebhookTooSlow", TIME + 2),
        ("WhatsAppWebhookSlow", TIME + 2),
        // Enough of them.
        ("WhatsAppWebhookLatencyBurn", TIME + 18),
    ];
    let (address, meta) = (receiver.address(), receiver.meta(SECRET).unwrap());
    let begin = Instant::now();
    let slow = traffic(6, move |number| {
        let body = message(LISTED, &format!("slow-{number}"));
        let signature = meta.signature(&body);
        async move {
            let head = format!(
                "POST /webhook HTTP/1.1\r\nhost: localhost\r\n{SIGNATURE_HEADER}: {signature}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let mut connection = RawConnection::connect(address).await.unwrap();
            connection.write(head.as_bytes()).await.unwrap();
            sleep(Duration::from_secs(TIME)).await;
            connection.write(&body).await.unwrap();
            let answer = connection.read_answer(Duration::from_secs(10)).await.unwrap();
            assert_eq!(answer.unwrap().status, 200);
        }
    });
    for (name, takes) in ALERTS {
        proof.fires(name, "slow", begin, takes).await;
    }
    drop(slow);
    let repaired = Instant::now();
    for (name, _) in ALERTS {
        proof.resolves(name, "slow", repaired).await;
    }
}

pub async fn forged(proof: &Proof, receiver: &ReceiverProcess) {
    let meta = receiver.meta(SECRET).unwrap();
    let _genuine = messages(&meta, "forged", 2);
    let forged = unsigned(&meta);
    let name = "WhatsAppWebhookForgedRequests";
    proof.fires(name, "forged", Instant::now(), 3).await;
    drop(forged);
    proof.resolves(name, "forged", Instant::now()).await;
}

pub async fn wrong(proof: &Proof, receiver: &ReceiverProcess) {
    let wrong = messages(&receiver.meta(NEXT).unwrap(), "wrong", 2);
    let name = "WhatsAppWebhookSecretWrong";
    proof.fires(name, "wrong", Instant::now(), 5).await;
    drop(wrong);
    receiver.replace_file("secrets/app-secret-1", NEXT).unwrap();
    let repaired = Instant::now();
    let _right = messages(&receiver.meta(NEXT).unwrap(), "right", 2);
    proof.resolves(name, "wrong", repaired).await;
}

pub async fn retired(proof: &Proof, receiver: &ReceiverProcess) {
    let old = receiver.meta(SECRET).unwrap();
    // The series has to be there before it grows.
    sleep(Duration::from_secs(3)).await;
    receiver.replace_file("secrets/app-secret-1", NEXT).unwrap();
    let begin = Instant::now();
    let late = messages(&old, "retired", 2);
    let name = "WhatsAppWebhookSecretRetired";
    // The receiver looks at its secrets every other moment.
    proof.fires(name, "retired", begin, 4).await;
    drop(late);
    proof.resolves(name, "retired", Instant::now()).await;
}

pub async fn repeats(proof: &Proof, receiver: &ReceiverProcess) {
    let meta = receiver.meta(SECRET).unwrap();
    let repeats = traffic(4, move |_| {
        let meta = meta.clone();
        async move {
            let _ = meta.post(message(LISTED, "repeated")).await;
        }
    });
    let name = "WhatsAppWebhookDuplicates";
    proof.fires(name, "repeats", Instant::now(), 4).await;
    drop(repeats);
    proof.resolves(name, "repeats", Instant::now()).await;
}

pub async fn odd(proof: &Proof, receiver: &ReceiverProcess) {
    const ALERTS: [&str; 3] = [
        "WhatsAppWebhookDeadLetters",
        "WhatsAppWebhookQuarantine",
        "WhatsAppWebhookContentDropped",
    ];
    let meta = receiver.meta(SECRET).unwrap();
    let status = json!({ "id": "wamid.dropped", "status": "failed", "timestamp": "1767225600",
        "recipient_id": "15550100002", "errors": [{ "code": 131_035, "title": "dropped" }] });
    sleep(Duration::from_secs(3)).await;
    let begin = Instant::now();
    for body in [
        b"[1]".to_vec(),
        message("315005501000009", "unlisted"),
        body(LISTED, json!({ "statuses": [status] })),
    ] {
        assert_eq!(meta.post(body).await.unwrap().status, 200);
    }
    for name in ALERTS {
        proof.fires(name, "odd", begin, 1).await;
    }
    let repaired = Instant::now();
    for name in ALERTS {
        proof.resolves(name, "odd", repaired).await;
    }
}

/// Yesterday's traffic is two minutes old here.
pub async fn quiet(proof: &Proof, receiver: &ReceiverProcess) {
    let meta = receiver.meta(SECRET).unwrap();
    let yesterday = messages(&meta, "yesterday", 10);
    let begin = Instant::now();
    sleep(Duration::from_secs(20)).await;
    drop(yesterday);
    let name = "WhatsAppWebhookNoTraffic";
    // Enough requests, a day later.
    proof.fires(name, "quiet", begin, 120 + 5).await;
    let repaired = Instant::now();
    let _today = messages(&meta, "today", 2);
    proof.resolves(name, "quiet", repaired).await;
}
