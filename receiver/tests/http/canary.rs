//! A marked word in everything private, every way a request can end, and nothing of it anywhere it does not belong.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use wahook_events::samples;
use wahook_testbed::collector::Collector;
use wahook_testbed::meta::{Answer, MetaClient, sign};
use wahook_testbed::nats::{Login, NatsServer, User};
use wahook_testbed::process::ReceiverProcess;

use crate::common_http::{House, house, post, text_message};

/// Begins every marked word; numbers begin with [`DIGITS`].
const WORD: &str = "CNRYx";
/// Begins every marked number.
const DIGITS: &str = "98765432987";
/// A visitor's address (RFC 5737).
const ADDRESS: &str = "203.0.113.77";

/// Keys whose values are Meta's own words and no person's.
const PUBLIC: [&str; 6] = ["object", "field", "type", "status", "messaging_product", "event"];

/// Puts a marked value of the same kind in the place of each value, each different.
fn mark(value: &mut Value, key: &str, next: &mut u32) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(key, value)| mark(value, key, next)),
        Value::Array(items) => items.iter_mut().for_each(|item| mark(item, key, next)),
        Value::String(text) if !PUBLIC.contains(&key) && key != "timestamp" => {
            *next += 1;
            *text = match text.strip_prefix("wamid.") {
                Some(_) => format!("wamid.{WORD}{next}"),
                None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("{DIGITS}{next:05}")
                }
                None => format!("{WORD}{next}"),
            };
        }
        Value::Number(number) if matches!(key, "latitude" | "longitude") => {
            *next += 1;
            *number = format!("{DIGITS}{next:05}").parse::<i64>().unwrap().into();
        }
        _ => {}
    }
}

/// Marks also Meta's own words, and the names of members: all may be something else tomorrow.
fn mark_all(value: Value, next: &mut u32) -> Value {
    match value {
        Value::Object(members) => {
            let envelope = ["object", "entry", "changes", "value", "messages", "statuses"];
            let members = members.into_iter().map(|(key, value)| {
                let kept = envelope.contains(&key.as_str()) || PUBLIC.contains(&key.as_str());
                *next += 1;
                let name = if kept {
                    key.clone()
                } else {
                    format!("{WORD}{next}")
                };
                let value = if key == "object" {
                    value
                } else {
                    mark_all(value, next)
                };
                (name, value)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| mark_all(item, next)).collect()),
        Value::String(_) => {
            *next += 1;
            Value::String(format!("{WORD}{next}"))
        }
        other => other,
    }
}

/// Every answer but a handshake's, which gives back what it was given.
#[derive(Default)]
struct Answers {
    told: Vec<String>,
    statuses: BTreeSet<u16>,
}

impl Answers {
    fn keep(&mut self, answer: &Answer) {
        self.statuses.insert(answer.status);
        self.told.push(format!("{:?} {}", answer.headers, answer.text()));
    }
}

async fn every_sample_marked(meta: &MetaClient, answers: &mut Answers) -> u32 {
    let mut next = 0;
    for sample in samples::ALL {
        let whole: Value = serde_json::from_str(sample.body).unwrap();
        let mut marked = whole.clone();
        mark(&mut marked, "", &mut next);
        // Two digests of what must not appear are no secret either: the ids of events are allowed in a log.
        for body in [marked.to_string(), mark_all(whole, &mut next).to_string()] {
            answers.keep(&meta.post(body.clone()).await.unwrap());
            let forwarded = [("X-Forwarded-For", ADDRESS)];
            answers.keep(&meta.post_with(body.clone(), &forwarded).await.unwrap());
            // Cut in the middle of whatever it was.
            let cut = body.char_indices().nth(body.chars().count() / 2).unwrap().0;
            answers.keep(&meta.post(body[..cut].to_owned()).await.unwrap());
        }
    }
    next
}

async fn every_failure(house: &House, meta: &MetaClient, secret: &str, token: &str, answers: &mut Answers) {
    let body = text_message(&format!("{WORD}fail"), &format!("{WORD}text {DIGITS}00001"));
    for value in [
        &format!("{WORD}signature"),
        &sign(format!("{WORD}key"), body.as_bytes()),
        &format!("sha256={WORD}"),
    ] {
        answers.keep(
            &meta
                .post_with(body.clone(), &[("X-Hub-Signature-256", value)])
                .await
                .unwrap(),
        );
    }
    let signed = meta.signature(body.as_bytes());
    let with = |name: &'static str, value: String| [("X-Hub-Signature-256", signed.clone()), (name, value)];
    for [(name, value), (other, extra)] in [
        with("Content-Encoding", format!("{WORD}encoding")),
        with("User-Agent", format!("{WORD}agent")),
        with("traceparent", format!("{WORD}trace")),
        with("Cookie", format!("{WORD}cookie")),
    ] {
        answers.keep(
            &meta
                .post_with(body.clone(), &[(name, &value), (other, &extra)])
                .await
                .unwrap(),
        );
    }
    let too_large = text_message(&format!("{WORD}large"), &format!("{WORD}{}", "x".repeat(70_000)));
    answers.keep(&meta.post(too_large).await.unwrap());
    for malformed in [
        format!("{WORD} is not JSON"),
        format!("[\"{WORD}\"]"),
        json!({"object": WORD, "entry": [{}]}).to_string(),
    ] {
        answers.keep(&meta.post(malformed).await.unwrap());
    }
    for wrong in [format!("{WORD}token"), format!("{token}x"), secret.to_owned()] {
        answers.keep(&meta.handshake(&wrong, WORD).await.unwrap());
    }
    answers.keep(
        &meta
            .get(&format!("hub.mode={WORD}&hub.verify_token={token}&x={secret}"))
            .await
            .unwrap(),
    );
    assert_eq!(meta.handshake(token, "1").await.unwrap().status, 200);

    // What no client library sends: another path, another method, a broken request, a body that never ends.
    let slow = post(format!("X-Hub-Signature-256: {signed}\r\n"), &body);
    for request in [
        format!("GET /{WORD}/path?{token} HTTP/1.1\r\nHost: hooks\r\n\r\n").into_bytes(),
        format!("{WORD} /webhook HTTP/1.1\r\nHost: hooks\r\n\r\n").into_bytes(),
        format!("GET /webhook HTTP/1.1\r\nHost: hooks\r\n{WORD} broken\r\n\r\n").into_bytes(),
        slow[..slow.len() - 2].to_vec(),
    ] {
        let answer = house.raw(request).await;
        answers.statuses.insert(answer.status);
        answers.told.push(format!(
            "{} {}",
            answer.head,
            String::from_utf8_lossy(&answer.body)
        ));
    }
}

/// Where nothing private may be.
async fn public_places(receiver: &ReceiverProcess) -> Vec<(&'static str, String)> {
    let mut places = vec![("log", receiver.log().text())];
    for path in ["/metrics", "/status", "/readyz"] {
        places.push((path, receiver.admin(path).await.unwrap().1));
    }
    places
}

fn assert_clean(name: &str, text: &str, secrets: &[&str]) {
    let lower = text.to_lowercase();
    for private in [WORD, DIGITS, ADDRESS].iter().chain(secrets) {
        if let Some(at) = lower.find(&private.to_lowercase()) {
            let from = lower[..at].rfind('\n').map_or(0, |line| line + 1);
            panic!(
                "{private} is in {name}: {}",
                lower[from..].lines().next().unwrap_or_default()
            );
        }
    }
}

#[tokio::test]
async fn no_private_word_reaches_a_log_a_metric_the_status_or_an_error() {
    canary("canary-debug", "debug").await;
}

#[tokio::test]
async fn not_even_at_trace_level() {
    canary("canary-trace", "trace").await;
}

async fn canary(name: &str, level: &str) {
    let secret = "ca9a51e5ec2e7ca9a51e5ec2e7000001";
    let (token, probe) = ("CNRYx-the-verify-token", "CNRYx-the-probe-key-0123456789");
    let login = Login::password("CNRYx-user", "CNRYx-password");
    let broker = Arc::new(
        NatsServer::builder()
            .user(User::new(login))
            .start()
            .await
            .unwrap(),
    );
    let collector = Collector::start().await.unwrap();
    let plan = house(name)
        .line(&format!("tracing: {{endpoint: \"{}\"}}", collector.url()))
        .log_level(level)
        .stream("ensure: true, storage: memory, maxBytes: 256Mi")
        .http("trustedProxies: [\"127.0.0.1\"]")
        .limit("bodyBytes", "64Ki")
        .limit("bodyTimeout", "300ms")
        .limit("badSignaturesPerMinute", 300)
        .secret("app-secret-1", secret)
        .secret("verify-token", token)
        .secret("probe-key", probe)
        .secret("nats.user", "CNRYx-user")
        .secret("nats.password", "CNRYx-password")
        .broker(&broker);
    let house = plan.clone().open().await;
    let meta = house.meta_with(secret);
    let mut answers = Answers::default();

    let marks = every_sample_marked(&meta, &mut answers).await;
    every_failure(&house, &meta, secret, token, &mut answers).await;
    for _ in 0..300 {
        let forwarded = [("X-Forwarded-For", ADDRESS)];
        answers.keep(&meta.post_with(WORD, &forwarded).await.unwrap());
    }
    // Files that cannot be used, and say so.
    house.replace_secret("app-secret-2", "CNRYx-short");
    house.replace_secret("nats.user", "CNRYx-user\nCNRYx");
    house
        .status_when(|status| status["secrets"]["lastError"].is_string())
        .await;
    house.reconfigure(
        &plan
            .clone()
            .line(&format!("phoneNumberIds: [\"+{DIGITS}\"]"))
            .limit("connections", WORD.repeat(4)),
    );
    house
        .status_when(|status| status["configuration"]["lastError"].is_string())
        .await;
    // The messages are there: that is what makes their absence elsewhere a finding.
    let stored = house.stored().await;
    assert!(
        marks > 1500 && stored.len() > samples::ALL.len(),
        "{marks} marks, {} stored",
        stored.len()
    );
    assert!(
        stored
            .iter()
            .filter(|stored| String::from_utf8_lossy(&stored.payload).contains(WORD))
            .count()
            > 200
    );

    broker.stop().await.unwrap();
    let body = text_message(&format!("{WORD}down"), WORD);
    answers.keep(&meta.post(body).await.unwrap());
    let places = public_places(&house.receiver).await;
    assert!(places[0].1.contains("answered a delivery") && places[0].1.len() > 10_000);
    assert_eq!(house.receiver.stop().await.unwrap(), Some(0));

    // Everything was traced, but what the server refuses before it is a request.
    let spans = collector.spans();
    assert!(spans.len() > 1000, "{} spans", spans.len());
    for span in &spans {
        assert_clean("a span", &span.whole, &[secret, token, probe]);
    }

    let expected = [200, 400, 401, 403, 404, 405, 408, 413, 415, 429, 503];
    assert_eq!(answers.statuses, BTreeSet::from(expected));
    let secrets = [secret, "the-verify-token", "the-probe-key"];
    for (name, text) in places.iter().map(|(name, text)| (*name, text.as_str())) {
        assert_clean(name, text, &secrets);
    }
    for told in &answers.told {
        assert_clean("an answer", told, &secrets);
    }
    assert_clean("the log's end", &house.receiver.log().text(), &secrets);
}
