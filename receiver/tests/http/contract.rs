//! Every row of the HTTP contract, by real sockets.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wahook_testbed::meta::{RawAnswer, RawConnection, sign};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::ReadyWhen;

use crate::common_http::{
    House, RECEIVED, SECRET, SOON, TOKEN, UNSIGNED, house, post, signature, text_message,
};

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Compares a whole answer: status, type, body and the headers every answer has.
fn assert_answer(name: &str, answer: &RawAnswer, status: u16, content_type: &str, body: &str) {
    assert_eq!(answer.status, status, "{name}: {}", answer.head);
    assert_eq!(answer.header("content-type"), Some(content_type), "{name}");
    assert_eq!(String::from_utf8_lossy(&answer.body), body, "{name}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{name}");
    assert_eq!(answer.header("server"), None, "{name}");
}

fn request(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: hooks\r\n\r\n")
}

#[tokio::test]
async fn the_handshake_is_200_with_the_challenge_and_403_for_anything_else() {
    let house = house("contract-get").open().await;
    let right = format!("GET /webhook?hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge=42");
    let answer = house.raw(request(&right)).await;
    assert_answer("right", &answer, 200, PLAIN, "42");
    for line in [
        "GET /webhook".to_owned(),
        right.replace(TOKEN, "wrong"),
        right.replace("subscribe", "unsubscribe"),
    ] {
        let answer = house.raw(request(&line)).await;
        assert_answer(&line, &answer, 403, PLAIN, "Verification failed");
    }
}

#[tokio::test]
async fn a_delivery_is_200_also_when_it_was_stored_before() {
    let house = house("contract-post").open().await;
    let body = text_message("contract-post", "hello");
    for name in ["first", "repeated"] {
        let answer = house.raw(post(signature(&body), &body)).await;
        assert_answer(name, &answer, 200, JSON, RECEIVED);
        assert!(answer.header("x-request-id").is_some());
    }
    assert_eq!(house.stored().await.len(), 1);
}

#[tokio::test]
async fn a_signature_that_is_missing_malformed_or_wrong_is_401() {
    let house = house("contract-401").open().await;
    let body = text_message("contract-401", "hello");
    let wrong = format!(
        "X-Hub-Signature-256: {}\r\n",
        sign("another secret", body.as_bytes())
    );
    for headers in ["", "X-Hub-Signature-256: sha1=00\r\n", &wrong] {
        let answer = house.raw(post(headers, &body)).await;
        assert_answer(headers, &answer, 401, JSON, UNSIGNED);
    }
    assert!(house.stored().await.is_empty());
}

#[tokio::test]
async fn a_signed_body_that_is_unusable_is_200_with_status_error() {
    let house = house("contract-unusable").open().await;
    let answer = house.raw(post(signature("{"), "{")).await;
    let expected = r#"{"message":"the body is not JSON","status":"error"}"#;
    assert_answer("not JSON", &answer, 200, JSON, expected);
}

#[tokio::test]
async fn bodies_too_large_are_413_whether_declared_or_chunked_signed_or_not() {
    let house = house("contract-413").limit("bodyBytes", "4Ki").open().await;
    let body = vec![b' '; 4097];
    let expected = r#"{"error":"Body too large"}"#;
    for headers in [String::new(), signature(&body)] {
        let answer = house.raw(post(&headers, &body)).await;
        assert_answer("declared", &answer, 413, JSON, expected);
        assert_eq!(answer.header("connection"), Some("close"));

        let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
        let head =
            format!("POST /webhook HTTP/1.1\r\nHost: hooks\r\nTransfer-Encoding: chunked\r\n{headers}\r\n");
        connection.write(head.as_bytes()).await.unwrap();
        // The receiver may refuse and close before the last chunk.
        let _ = connection.write_chunked(&body, 1000).await;
        let answer = connection.read_answer(SOON).await.unwrap().unwrap();
        assert_answer("chunked", &answer, 413, JSON, expected);
    }
    // Declared only: nothing of the body needs to be sent for the answer.
    let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: hooks\r\nContent-Length: 4097\r\n{}\r\n",
        signature(&body)
    );
    connection.write(head.as_bytes()).await.unwrap();
    let answer = connection.read_answer(SOON).await.unwrap().unwrap();
    assert_answer("head only", &answer, 413, JSON, expected);
}

#[tokio::test]
async fn a_slow_body_is_408_within_its_time() {
    let limit = Duration::from_millis(400);
    let house = house("contract-408").limit("bodyTimeout", "400ms").open().await;
    let body = text_message("contract-408", "hello");
    for (headers, class) in [(signature(&body), "error"), (String::new(), "rejected")] {
        let mut request = post(&headers, &body);
        request.truncate(request.len() - 1);
        let started = std::time::Instant::now();
        let answer = house.raw(request).await;
        let took = started.elapsed();
        assert_answer(class, &answer, 408, JSON, r#"{"error":"Body too slow"}"#);
        assert!(took >= limit && took < limit + Duration::from_secs(1), "{took:?}");
        let counted = house
            .metric("whatsapp_webhook_requests_total", &[("status", class)])
            .await;
        assert_eq!(counted, 1, "only a signed body that is slow counts as an error");
    }
    assert_eq!(house.parsed().await, 0);
}

#[tokio::test]
async fn a_body_that_drips_is_408_although_bytes_keep_coming() {
    let house = house("contract-drip").limit("bodyTimeout", "300ms").open().await;
    let body = text_message("contract-drip", "hello");
    let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
    let request = post(signature(&body), &body);
    // Seven seconds for the whole request, were nobody to stop it.
    let _ = connection
        .write_slowly(&request, 1, Duration::from_millis(10))
        .await;
    let answer = connection.read_answer(SOON).await.unwrap().unwrap();
    assert_eq!(answer.status, 408);
    assert!(house.stored().await.is_empty());
}

#[tokio::test]
async fn compressed_bodies_are_415_and_identity_is_not_compression() {
    let house = house("contract-415").open().await;
    let body = text_message("contract-415", "hello");
    for encoding in ["gzip", "deflate", "br", "zstd", "x-anything", "identity, gzip"] {
        let headers = format!("Content-Encoding: {encoding}\r\n{}", signature(&body));
        let answer = house.raw(post(headers, &body)).await;
        let expected = r#"{"error":"Compressed bodies are not accepted"}"#;
        assert_answer(encoding, &answer, 415, JSON, expected);
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    let headers = format!("Content-Encoding: identity\r\n{}", signature(&body));
    assert_eq!(house.raw(post(headers, &body)).await.status, 200);
    assert_eq!(house.parsed().await, 1);
}

#[tokio::test]
async fn headers_too_large_or_too_many_are_431() {
    let house = house("contract-431").limit("headerBytes", "8Ki").open().await;
    let large = format!("X-Large: {}\r\n", "x".repeat(16 * 1024));
    assert_eq!(house.raw(post(large, "{}")).await.status, 431);
    let many = "X-Many: y\r\n".repeat(100);
    assert_eq!(house.raw(post(many, "{}")).await.status, 431);
    let some = "X-Some: y\r\n".repeat(40);
    assert_eq!(house.raw(post(some, "{}")).await.status, 401);
}

#[tokio::test]
async fn other_methods_are_405_with_allow_and_other_paths_404() {
    let house = house("contract-405").open().await;
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let answer = house.raw(request(&format!("{method} /webhook"))).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, POST")),
            "{method}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    let answer = house.raw(request("POST /health")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
    for (path, expected) in [("/health", "200 OK"), ("/webhook", "405 Method Not Allowed")] {
        let text = head(&house, path).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {expected}\r\n")), "{text}");
        assert!(
            text.ends_with("\r\n\r\n"),
            "HEAD is answered without a body: {text}"
        );
    }
    // What is for the cluster only must not answer here.
    for path in [
        "/",
        "/webhook/",
        "/webhook/x",
        "/webhooK",
        "//webhook",
        "/metrics",
        "/status",
        "/livez",
        "/readyz",
    ] {
        for method in ["GET", "POST"] {
            let answer = house.raw(request(&format!("{method} {path}"))).await;
            assert_answer(path, &answer, 404, PLAIN, "Not found");
        }
    }
}

/// HEAD, and everything until the connection ends: its answer states a length that does not follow.
async fn head(house: &House, path: &str) -> String {
    let mut socket = TcpStream::connect(house.receiver.address()).await.unwrap();
    let request = format!("HEAD {path} HTTP/1.1\r\nHost: hooks\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn too_many_bad_signatures_are_429_with_retry_after() {
    let house = house("contract-429")
        .limit("badSignaturesPerMinute", 1)
        .open()
        .await;
    let _ = house.raw(post("", "{}")).await;
    let answer = house.raw(post("", "{}")).await;
    assert_answer(
        "429",
        &answer,
        429,
        JSON,
        r#"{"error":"Too many invalid signatures"}"#,
    );
    assert_eq!(answer.header("retry-after"), Some("60"));
}

/// A 503 says when to come back and never why.
async fn assert_503(house: &House, name: &str) {
    let body = text_message(name, "hello");
    let answer = house.raw(post(signature(&body), &body)).await;
    assert_eq!(answer.status, 503, "{name}");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{name}: {seconds}");
    assert_eq!(answer.header("content-type"), Some(JSON), "{name}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{name}");
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    for told in ["nats", "stream", "secret", "tests", "jetstream"] {
        assert!(!text.contains(told), "{name}: {text}");
    }
}

#[tokio::test]
async fn a_missing_stream_is_503_with_retry_after() {
    let plan = house("contract-no-stream").stream("ensure: false");
    let house = plan.ready_when(ReadyWhen::Live).open().await;
    assert_503(&house, "no-stream").await;
}

#[tokio::test]
async fn a_full_stream_is_503_with_retry_after() {
    let plan = house("contract-full").stream("ensure: true, storage: memory, maxBytes: 1Mi");
    let house = plan.open().await;
    let body = text_message("filler", &"x".repeat(900 * 1024));
    house.store(&body).await;
    let answer = house
        .meta()
        .post(text_message("over", &"x".repeat(900 * 1024)))
        .await
        .unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert_eq!(house.stored().await.len(), 1);
}

#[tokio::test]
async fn too_many_bodies_at_once_are_503_and_the_place_comes_back() {
    // As many bodies as connections may be read, though one connection of HTTP/2 could carry a hundred.
    let house = house("contract-busy").limit("connections", 1).open().await;
    let body = text_message("contract-busy", "hello");
    let socket = TcpStream::connect(house.receiver.address()).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut begin = async || {
        sender = sender.clone().ready().await.unwrap();
        let request = http::Request::post("http://hooks/webhook")
            .header("x-hub-signature-256", sign(SECRET, body.as_bytes()));
        sender.send_request(request.body(()).unwrap(), false).unwrap()
    };
    let (first, mut first_body) = begin().await;
    while house.metric("whatsapp_webhook_in_flight_requests", &[]).await < 1 {
        tokio::task::yield_now().await;
    }
    let (second, _second_body) = begin().await;
    assert_eq!(second.await.unwrap().status(), 503);
    first_body.send_data(body.clone().into(), true).unwrap();
    assert_eq!(first.await.unwrap().status(), 200);
    let (third, mut third_body) = begin().await;
    third_body.send_data(body.clone().into(), true).unwrap();
    assert_eq!(third.await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_body_that_is_still_being_sent_takes_nobodys_place() {
    let house = house("contract-slow").limit("inFlightRequests", 1).open().await;
    let body = text_message("contract-slow", "hello");
    let request = post(signature(&body), &body);
    let (most, last) = request.split_at(request.len() - 1);
    let mut slow = RawConnection::connect(house.receiver.address()).await.unwrap();
    slow.write(most).await.unwrap();
    while house.metric("whatsapp_webhook_in_flight_requests", &[]).await < 1 {
        tokio::task::yield_now().await;
    }
    house.store(text_message("contract-slow-2", "hello")).await;
    slow.write(last).await.unwrap();
    assert_eq!(slow.read_answer(SOON).await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn too_many_deliveries_in_progress_are_503_and_the_place_comes_back() {
    let broker = Arc::new(NatsServer::start().await.unwrap());
    let house = house("contract-progress")
        .limit("inFlightRequests", 1)
        .broker(&broker)
        .open()
        .await;
    house.store(text_message("contract-progress", "hello")).await;
    broker.pause().unwrap();
    let waiting = {
        let (meta, body) = (house.meta(), text_message("contract-progress-1", "hello"));
        tokio::spawn(async move { meta.post(body).await.unwrap().status })
    };
    while house.parsed().await < 2 {
        tokio::task::yield_now().await;
    }
    assert_503(&house, "progress").await;
    broker.resume().unwrap();
    assert_eq!(waiting.await.unwrap(), 200);
    house.store(text_message("contract-progress-2", "hello")).await;
}

#[tokio::test]
async fn no_secret_means_503_for_signed_and_nothing_is_ever_accepted() {
    let plan = house("contract-no-secret").without_secret("app-secret-1");
    let house = plan.ready_when(ReadyWhen::Live).open().await;
    assert_503(&house, "no-secret").await;
    let body = text_message("no-secret", "hello");
    for secret in ["", " ", "undefined", "null", "your-app-secret", TOKEN, SECRET] {
        let headers = format!("X-Hub-Signature-256: {}\r\n", sign(secret, body.as_bytes()));
        assert_eq!(house.raw(post(headers, &body)).await.status, 503, "{secret:?}");
    }
    assert_eq!(house.raw(post("", &body)).await.status, 401);
    assert_eq!(house.parsed().await, 0);
}
