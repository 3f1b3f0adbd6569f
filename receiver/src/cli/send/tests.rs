//! What is posted, and what is said about the answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clap::Parser;

use super::*;
use crate::signature::{SignatureHeader, Verdict, Verifier};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    send: SendArgs,
}

fn args(line: &[&str]) -> SendArgs {
    Command::try_parse_from(["send"].iter().chain(line)).unwrap().send
}

fn secret_file() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(SECRET).unwrap();
    file.write_all(b"\n").unwrap();
    file
}

type Seen = Arc<Mutex<Vec<String>>>;

/// Checks the signature as the receiver does, and remembers the bodies.
async fn receive(State(seen): State<Seen>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    let mut hashing = Verifier::new(&[SECRET], &[]).start();
    hashing.update(&body);
    seen.lock()
        .unwrap()
        .push(String::from_utf8(body.to_vec()).unwrap());
    match SignatureHeader::parse(&headers).map(|header| hashing.finish(&header)) {
        Ok(Verdict::Match { .. }) if headers["content-type"] == "application/json" => {
            (StatusCode::OK, r#"{"status":"received"}"#)
        }
        _ => (
            StatusCode::UNAUTHORIZED,
            "{\"error\":\"Invalid\u{7} signature\"}\n",
        ),
    }
}

/// Runs `send` against a receiver of this test; exit code, output, bodies received.
async fn send(line: &[&str]) -> (u8, String, Vec<String>) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/webhook", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/webhook", post(receive))
        .with_state(Arc::clone(&seen));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let file = secret_file();
    let mut line = line.to_vec();
    line.extend(["--to", &to, "--secret-file", file.path().to_str().unwrap()]);
    let mut out = Vec::new();
    let code = run(&args(&line), &mut out).await.unwrap();
    server.abort();
    let bodies = seen.lock().unwrap().clone();
    (code, String::from_utf8(out).unwrap(), bodies)
}

#[tokio::test]
async fn signed_samples_are_accepted() {
    let (code, out, bodies) = send(&["--count", "3"]).await;
    assert_eq!(code, 0, "{out}");
    assert_eq!(out.matches("200 ").count(), 3, "{out}");
    assert!(
        out.contains(r#"{"status":"received"}"#) && out.contains(" ms "),
        "{out}"
    );
    let distinct: std::collections::BTreeSet<_> = bodies.iter().collect();
    assert_eq!(distinct.len(), 3, "each is a new message");
}

#[tokio::test]
async fn repeat_sends_the_same_bytes() {
    let (code, _, bodies) = send(&["--type", "batch", "--count", "2", "--repeat"]).await;
    assert_eq!(code, 0);
    assert_eq!(bodies, [samples::get("batch").unwrap().body; 2]);
}

#[tokio::test]
async fn a_bad_signature_is_refused_and_told() {
    let (code, out, _) = send(&["--bad-signature"]).await;
    assert_eq!(code, 1);
    assert!(out.contains("401") && out.contains("Invalid"), "{out}");
    assert!(!out.contains('\u{7}'), "control characters are escaped");
}

#[tokio::test]
async fn no_answer_is_told_with_its_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let file = secret_file();
    let mut out = Vec::new();
    let args = args(&["--to", &to, "--secret-file", file.path().to_str().unwrap()]);
    assert_eq!(run(&args, &mut out).await.unwrap(), 1);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("no answer") && out.contains("refused"), "{out}");
}

#[tokio::test]
async fn list_and_dump_need_no_secret() {
    let mut out = Vec::new();
    assert_eq!(run(&args(&["--list"]), &mut out).await.unwrap(), 0);
    let listed = String::from_utf8(out).unwrap();
    for sample in samples::ALL {
        assert!(
            listed.contains(sample.name) && listed.contains(sample.about),
            "{listed}"
        );
        let mut out = Vec::new();
        let code = run(&args(&["--type", sample.name, "--dump", "--repeat"]), &mut out)
            .await
            .unwrap();
        assert_eq!((code, out.as_slice()), (0, sample.body.as_bytes()));
        serde_json::from_slice::<serde_json::Value>(&out).unwrap();
    }
}

#[test]
fn a_kind_of_sample_is_found_by_its_beginning() {
    assert_eq!(find("text").unwrap().name, "text");
    assert_eq!(find("status").unwrap().name, "status_sent");
    assert!(find("stat").is_none() && find("").is_none());
}

#[tokio::test]
async fn an_unknown_sample_is_a_usage_error() {
    let error = run(&args(&["--type", "nonsense"]), Vec::new()).await.unwrap_err();
    assert!(matches!(&error, UsageError::UnknownSample { name } if name == "nonsense"));
    assert!(error.to_string().contains("--list"));
}

#[test]
fn a_client_for_https_can_be_made() {
    let build = client(&args(&["--to", "https://hooks.example.com/webhook"]));
    // Without CA certificates on the machine this is an error that says so, never a panic.
    if let Err(error) = build {
        assert!(error.to_string().contains("CA certificates"), "{error}");
    }
}

#[test]
fn loopback_addresses() {
    for local in [
        "http://127.0.0.1:3000/",
        "http://127.9.9.9/",
        "http://localhost/",
        "http://[::1]:3000/",
    ] {
        assert!(is_loopback(&local.parse().unwrap()), "{local}");
    }
    for remote in [
        "http://example.com/",
        "http://192.0.2.1/",
        "http://localhost.example.com/",
        "http://[2001:db8::1]/",
    ] {
        assert!(!is_loopback(&remote.parse().unwrap()), "{remote}");
    }
}

#[tokio::test]
async fn waiting_ends_with_the_first_200() {
    let tries = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&tries);
    let answer = move || async move {
        let mut tries = counted.lock().unwrap();
        *tries += 1;
        if *tries < 2 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/webhook", listener.local_addr().unwrap());
    let server =
        tokio::spawn(
            async move { axum::serve(listener, Router::new().route("/webhook", post(answer))).await },
        );
    let file = secret_file();
    let line = [
        "--to",
        &to,
        "--secret-file",
        file.path().to_str().unwrap(),
        "--wait",
        "30",
    ];
    let mut out = Vec::new();
    assert_eq!(run(&args(&line), &mut out).await.unwrap(), 0);
    server.abort();
    assert_eq!(*tries.lock().unwrap(), 2);
    assert!(!String::from_utf8(out).unwrap().contains("503"));
}

#[test]
fn where_to_look_is_checked_before_anything_is_sent() {
    let subjects = args(&["--expect-stored", "--subjects", "whatsapp.>"]);
    let text = Lookup::new(&subjects.stored).unwrap_err().to_string();
    assert!(text.contains("--subjects must be such as"), "{text}");
    let servers = args(&["--expect-stored", "--nats", "http://a"]);
    let text = Lookup::new(&servers.stored).unwrap_err().to_string();
    assert!(text.contains("--nats"), "{text}");
    assert!(Lookup::new(&args(&[]).stored).unwrap().is_none());
}
