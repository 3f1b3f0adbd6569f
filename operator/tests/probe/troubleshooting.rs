//! Rows of docs/troubleshooting.md about the public URL: each is made to happen, and what it quotes is what `EndpointReady` says.

use wahook_testbed::manual::{Evidence, assert_reproduced, troubleshooting};

use super::*;

const REPRODUCED: [&str; 13] = [
    "delivery-403",
    "redirected",
    "body-limit",
    "no-name",
    "no-connection",
    "not-visible",
    "private-address",
    "chain",
    "hostname",
    "expired",
    "expiring",
    "old-tls",
    "no-tls",
];

#[tokio::test]
async fn every_row_about_the_public_url_says_what_it_quotes() {
    let rows = troubleshooting("operator").unwrap();
    assert_reproduced(&rows, &REPRODUCED);
    for row in rows {
        let outcome = reproduce(&row.key).await;
        let evidence = Evidence {
            said: format!("{} {}", outcome.reason, outcome.message),
            metrics: String::new(),
        };
        let missing = row.missing(&evidence);
        assert!(missing.is_empty(), "{}: {missing:?} in {evidence:?}", row.key);
    }
}

async fn reproduce(key: &str) -> Outcome {
    let answered = |status: &str| format!("HTTP/1.1 {status}\r\nlocation: /\r\ncontent-length: 0\r\n\r\n");
    match key {
        "delivery-403" => strange(answered("403 Forbidden")).await,
        "redirected" => strange(answered("302 Found")).await,
        "body-limit" => too_large(answered("413 Too Large")).await,
        "no-name" => sighted(false).probe(&target("nobody.invalid")).await,
        "no-connection" => {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            drop(listener);
            look(RootCertStore::empty(), address).await
        }
        "not-visible" => {
            let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
            look(RootCertStore::empty(), silent.local_addr().unwrap()).await
        }
        "private-address" => sighted(false).probe(&target("localhost")).await,
        "chain" => {
            certified(Shown {
                with_between: false,
                ..GOOD
            })
            .await
        }
        "hostname" => {
            certified(Shown {
                host: "other.example.com",
                ..GOOD
            })
            .await
        }
        "expired" => certified(Shown { days: -1, ..GOOD }).await,
        "expiring" => certified(Shown { days: 5, ..GOOD }).await,
        "old-tls" => plain(&[21, 3, 1, 0, 2, 2, 70]).await,
        "no-tls" => plain(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await,
        other => panic!("{other} has no reproduction"),
    }
}

/// A receiver behind this certificate.
async fn certified(shown: Shown) -> Outcome {
    let authority = Authority::new();
    let acceptor = tls(&authority, shown);
    let address = receiver_behind(acceptor).await;
    look(authority.roots(), address).await
}

/// Somebody else behind a good certificate.
async fn strange(answer: String) -> Outcome {
    let authority = Authority::new();
    let acceptor = tls(&authority, GOOD);
    let address = serve(move |stream| {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        async move { stranger(acceptor.accept(stream).await.unwrap(), &answer).await }
    })
    .await;
    look(authority.roots(), address).await
}

/// A receiver behind a proxy that takes no large body.
async fn too_large(answer: String) -> Outcome {
    let authority = Authority::new();
    let acceptor = tls(&authority, GOOD);
    let address = serve(move |stream| {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        async move { limited(acceptor.accept(stream).await.unwrap(), answer, false).await }
    })
    .await;
    let prober = Prober::in_a_laboratory(authority.roots(), address).unwrap();
    prober
        .probe(&Target {
            body: Some(LARGEST),
            ..target(HOST)
        })
        .await
}

/// Something that answers the first bytes with these.
async fn plain(answer: &'static [u8]) -> Outcome {
    let address = serve(async |mut stream: TcpStream| {
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(answer).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    })
    .await;
    look(RootCertStore::empty(), address).await
}
