//! The Meta-like client against a server of a few lines that shows what it was sent.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wahook_testbed::meta::{MetaClient, RawConnection, load, raw_http, sign};

const LIMIT: Duration = Duration::from_secs(5);

/// Reads until `end`, then answers with `answer`; one request per connection. Keeps what it read.
async fn server(end: &'static str, answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(end.as_bytes()) {
                assert!(
                    socket.read_buf(&mut request).await.unwrap() > 0,
                    "closed before {end:?}"
                );
            }
            record.lock().unwrap().push(String::from_utf8(request).unwrap());
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, seen)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-mark: here\r\nconnection: close\r\n\r\nok";

#[tokio::test]
async fn a_post_is_signed_over_its_bytes() {
    let (address, seen) = server("BODY", OK).await;
    let client = MetaClient::new(format!("http://{address}/webhook"), "a-secret").unwrap();
    let answer = client.post("the BODY").await.unwrap();
    assert_eq!(
        (answer.status, answer.text().as_str(), answer.header("x-mark")),
        (200, "ok", Some("here"))
    );
    let request = seen.lock().unwrap()[0].to_lowercase();
    assert!(request.starts_with("post /webhook http/1.1\r\n"), "{request}");
    assert!(
        request.contains("\r\ncontent-type: application/json\r\n"),
        "{request}"
    );
    let signature = sign("a-secret", b"the BODY");
    assert!(
        request.contains(&format!("\r\nx-hub-signature-256: {signature}\r\n")),
        "{request}"
    );

    client
        .post_with("unsigned BODY", &[("content-type", "text/plain"), ("x-a", "b")])
        .await
        .unwrap();
    let request = seen.lock().unwrap()[1].to_lowercase();
    assert!(
        !request.contains("x-hub-signature-256") && request.contains("\r\nx-a: b\r\n"),
        "{request}"
    );
    assert_eq!(request.matches("content-type").count(), 1, "{request}");
}

#[tokio::test]
async fn a_handshake_is_escaped() {
    let (address, seen) = server("\r\n\r\n", OK).await;
    let client = MetaClient::new(format!("http://{address}/webhook"), "a-secret").unwrap();
    client.handshake("a token&", "1158201444").await.unwrap();
    let expected =
        "GET /webhook?hub.mode=subscribe&hub.verify_token=a%20token%26&hub.challenge=1158201444 HTTP";
    assert!(seen.lock().unwrap()[0].starts_with(expected), "{seen:?}");
}

#[tokio::test]
async fn load_counts_answers_and_failures() {
    let (address, seen) = server("BODY", OK).await;
    let client = MetaClient::new(format!("http://{address}/webhook"), "a-secret").unwrap();
    let bodies = (0..40).map(|number| format!("{number} BODY").into_bytes());
    let report = load(&client, bodies, 4).await.unwrap();
    assert_eq!(
        (report.count(200), report.failures, report.latencies.len()),
        (40, 0, 40)
    );
    assert!(report.rate() > 0.0 && report.percentile(0.5) <= report.percentile(1.0));
    assert_eq!(seen.lock().unwrap().len(), 40);

    let gone = MetaClient::new("http://127.0.0.1:1/webhook", "a-secret").unwrap();
    let report = load(&gone, vec![b"BODY".to_vec(); 3], 2).await.unwrap();
    assert_eq!((report.failures, report.statuses.len()), (3, 0));
}

#[tokio::test]
async fn raw_bytes_and_whole_answers() {
    let (address, _) = server("END", OK).await;
    let answer = raw_http(address, b"no HTTP at all END", LIMIT)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (answer.status, answer.header("X-Mark"), &answer.body[..]),
        (200, Some("here"), &b"ok"[..])
    );

    let (address, seen) = server("0\r\n\r\n", "HTTP/1.1 413 Too Large\r\n\r\nuntil the end").await;
    let mut connection = RawConnection::connect(address).await.unwrap();
    connection
        .write_slowly(b"POST", 1, Duration::from_millis(1))
        .await
        .unwrap();
    connection.write_chunked(b"abcde", 2).await.unwrap();
    let answer = connection.read_answer(LIMIT).await.unwrap().unwrap();
    assert_eq!((answer.status, &answer.body[..]), (413, &b"until the end"[..]));
    assert_eq!(
        seen.lock().unwrap()[0],
        "POST2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n"
    );
    connection.wait_for_close(LIMIT).await.unwrap();
}

#[tokio::test]
async fn two_answers_on_one_connection_and_broken_ones() {
    let two = "HTTP/1.1 100 Continue\r\n\r\n\
               HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let (address, _) = server("END", two).await;
    let mut connection = RawConnection::connect(address).await.unwrap();
    connection.write(b"END").await.unwrap();
    assert_eq!(connection.read_answer(LIMIT).await.unwrap().unwrap().status, 100);
    let answer = connection.read_answer(LIMIT).await.unwrap().unwrap();
    assert_eq!(
        (answer.status, &answer.body[..]),
        (200, &b"2\r\nok\r\n0\r\n\r\n"[..])
    );
    assert_eq!(connection.read_answer(LIMIT).await.unwrap(), None);

    let (address, _) = server("END", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut").await;
    let error = raw_http(address, b"END", LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let error = raw_http(address, b"never finished", Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}
