//! Rows of docs/troubleshooting.md about the receiver: each is made to happen, and what it quotes is what comes out.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use wahook_testbed::manual::{Evidence, Row, assert_reproduced, troubleshooting};
use wahook_testbed::meta::{RawAnswer, RawConnection, sign};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::ReadyWhen;

use crate::common_http::{
    House, OTHER_SECRET, Plan, SECRET, SECRET_FILE, SOON, TOKEN, house, post, signature, text_message,
};

const REPRODUCED: [&str; 21] = [
    "token-wrong",
    "token-missing",
    "mode-missing",
    "header-missing",
    "broker-slow",
    "broker-away",
    "stream-missing",
    "stream-full",
    "body-slow",
    "too-many",
    "too-large",
    "secret-wrong",
    "secret-retired",
    "secret-missing",
    "secret-newline",
    "secret-unusual",
    "body-rewritten",
    "body-unescaped",
    "header-rewritten",
    "compressed",
    "throttled",
];

/// Its first part is quick, so that one row after the other is looked at; what waits has a test of its own.
const SLOW: [&str; 2] = ["broker-slow", "broker-away"];

fn rows() -> Vec<Row> {
    troubleshooting("receiver").unwrap()
}

#[tokio::test]
async fn every_row_says_what_it_quotes() {
    let rows = rows();
    assert_reproduced(&rows, &REPRODUCED);
    for row in rows.iter().filter(|row| !SLOW.contains(&row.key.as_str())) {
        check(row).await;
    }
}

#[tokio::test]
async fn every_row_about_the_broker_says_what_it_quotes() {
    let rows = rows();
    let slow: Vec<_> = rows
        .iter()
        .filter(|row| SLOW.contains(&row.key.as_str()))
        .collect();
    assert_eq!(slow.len(), SLOW.len());
    for row in slow {
        check(row).await;
    }
}

async fn check(row: &Row) {
    let (house, said) = reproduce(&row.key).await;
    let mut evidence = Evidence::default();
    let mut missing = Vec::new();
    // A line of the log is read a moment after what it tells of.
    for _ in 0..100 {
        let readiness = house.receiver.admin("/readyz").await.unwrap();
        evidence.said = format!(
            "{said}\n{} {}\n{}\n{}",
            readiness.0,
            readiness.1,
            house.status().await,
            house.receiver.log().text()
        );
        evidence.metrics = house.receiver.admin("/metrics").await.unwrap().1;
        missing = row.missing(&evidence);
        if missing.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{}: {missing:?} in\n{}", row.key, evidence.said);
}

fn told(answer: &RawAnswer) -> String {
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}

/// Makes it happen; who it happened to, and what was answered or printed.
async fn reproduce(key: &str) -> (House, String) {
    let plan = house(&format!("trouble-{key}")).log_level("info");
    let body = text_message(key, "caf\\u00e9");
    let signed = post(signature(&body), &body);
    let ask = async |plan: Plan, request: Vec<u8>| {
        let house = plan.open().await;
        let said = told(&house.raw(request).await);
        (house, said)
    };
    let get = |query: &str| format!("GET /webhook{query} HTTP/1.1\r\nHost: hooks\r\n\r\n").into_bytes();
    match key {
        "token-wrong" => {
            let query = "?hub.mode=subscribe&hub.verify_token=another-token-of-16&hub.challenge=1";
            ask(plan, get(query)).await
        }
        "token-missing" => {
            let plan = plan.without_secret("verify-token").ready_when(ReadyWhen::Live);
            let query = format!("?hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge=1");
            ask(plan, get(&query)).await
        }
        "mode-missing" => ask(plan, get("")).await,
        "header-missing" => ask(plan, post("", &body)).await,
        _ if key.starts_with("broker-") || key.starts_with("stream-") => unstored(key, plan, signed).await,
        "body-slow" => {
            let mut request = signed;
            request.truncate(request.len() - 1);
            ask(plan.limit("bodyTimeout", "300ms"), request).await
        }
        "too-many" => {
            let broker = Arc::new(NatsServer::start().await.unwrap());
            let house = plan.limit("inFlightRequests", 1).broker(&broker).open().await;
            broker.pause().unwrap();
            let mut first = RawConnection::connect(house.receiver.address()).await.unwrap();
            first.write(&signed).await.unwrap();
            while house.parsed().await < 1 {
                tokio::task::yield_now().await;
            }
            let said = told(&house.raw(signed.clone()).await);
            broker.resume().unwrap();
            first.read_answer(SOON).await.unwrap().unwrap();
            (house, said)
        }
        "too-large" => {
            let body = vec![b' '; 4097];
            ask(plan.limit("bodyBytes", "4Ki"), post(signature(&body), &body)).await
        }
        "compressed" => {
            let headers = format!("Content-Encoding: gzip\r\n{}", signature(&body));
            ask(plan, post(headers, &body)).await
        }
        "throttled" => {
            let house = plan.limit("badSignaturesPerMinute", 1).open().await;
            house.raw(post("", &body)).await;
            let said = told(&house.raw(post("", &body)).await);
            (house, said)
        }
        "secret-retired" => {
            let house = plan.open().await;
            house.receiver.replace_file(SECRET_FILE, OTHER_SECRET).unwrap();
            house
                .status_when(|status| status["secrets"]["generation"] == 2)
                .await;
            let said = told(&house.raw(signed).await);
            (house, said)
        }
        "secret-missing" => {
            let plan = plan.without_secret("app-secret-1").ready_when(ReadyWhen::Live);
            ask(plan, signed).await
        }
        "secret-newline" => {
            let plan = plan.secret("app-secret-1", format!("{SECRET}\n"));
            ask(plan, signed).await
        }
        "secret-unusual" => {
            let plan = plan.secret("app-secret-1", "a secret of another kind than Meta's");
            ask(plan, signed).await
        }
        "secret-wrong" => refused(plan, &sign(OTHER_SECRET, body.as_bytes()), &body).await,
        "body-rewritten" => {
            let rewritten = r#"{"entry": [], "object": "whatsapp_business_account"}"#;
            refused(plan, &sign(SECRET, body.as_bytes()), rewritten).await
        }
        "body-unescaped" => {
            let signature = sign(SECRET, body.as_bytes());
            refused(plan, &signature, &body.replace("\\u00e9", "\u{e9}")).await
        }
        "header-rewritten" => {
            let digits = sign(SECRET, body.as_bytes())["sha256=".len()..].to_uppercase();
            refused(plan, &format!("sha256={digits}"), &body).await
        }
        other => panic!("{other} has no reproduction"),
    }
}

/// A good request, and a broker or a stream that does not take it.
async fn unstored(key: &str, plan: Plan, signed: Vec<u8>) -> (House, String) {
    match key {
        "broker-slow" => {
            let broker = Arc::new(NatsServer::start().await.unwrap());
            let plan = plan.broker(&broker).limit("publishDeadline", "500ms");
            let house = plan.open().await;
            broker.pause().unwrap();
            let said = told(&house.raw(signed).await);
            broker.resume().unwrap();
            (house, said)
        }
        "broker-away" => {
            let broker = Arc::new(NatsServer::start().await.unwrap());
            let house = plan.broker(&broker).open().await;
            broker.kill9().unwrap();
            assert!(house.receiver.log().says("was lost").await);
            let said = told(&house.raw(signed).await);
            (house, said)
        }
        "stream-missing" => {
            let plan = plan.stream("ensure: false").ready_when(ReadyWhen::Live);
            let house = plan.open().await;
            let said = told(&house.raw(signed).await);
            (house, said)
        }
        "stream-full" => {
            let plan = plan.stream("ensure: true, storage: memory, maxBytes: 1Mi");
            let house = plan.open().await;
            let large = |id: &str| text_message(id, &"x".repeat(900 * 1024));
            house.store(large("first")).await;
            let body = large("second");
            let said = told(&house.raw(post(signature(&body), &body)).await);
            (house, said)
        }
        other => panic!("{other} has no reproduction"),
    }
}

/// Posts it, and asks `verify-signature` about it.
async fn refused(plan: Plan, header: &str, body: &str) -> (House, String) {
    let house = plan.open().await;
    let request = post(format!("X-Hub-Signature-256: {header}\r\n"), body);
    let mut said = told(&house.raw(request).await);
    let secret = house.receiver.directory().join(SECRET_FILE);
    let mut child = Command::new(env!("CARGO_BIN_EXE_wahook-receiver"))
        .args(["verify-signature", "--header", header, "--secret-file"])
        .arg(secret)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    // Its lines are folded for a terminal.
    let words: Vec<_> = std::str::from_utf8(&output.stdout)
        .unwrap()
        .split_whitespace()
        .collect();
    let _ = write!(said, "\n{}", words.join(" "));
    (house, said)
}
