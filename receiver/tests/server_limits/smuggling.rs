//! Requests whose end two parties could see in different places. None may make a second request out of
//! what a proxy in front took for a body or a header.

use crate::client::Client;
use crate::house::House;

const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends `bytes` on a connection of its own and returns the statuses until the server closes.
async fn statuses(house: &House, bytes: &str) -> Vec<u16> {
    let mut client = Client::connect(house.address).await;
    client.send(bytes).await;
    client
        .until_closed()
        .await
        .iter()
        .map(|answer| answer.status)
        .collect()
}

#[tokio::test]
async fn ambiguous_requests_get_400_and_the_connection_ends() {
    let house = House::open();
    let length = HIDDEN.len();
    let shapes = [
        (
            "two lengths",
            "Content-Length: 0\r\nContent-Length: 5\r\n".to_owned(),
        ),
        ("a list of lengths", format!("Content-Length: 0, {length}\r\n")),
        ("a signed length", format!("Content-Length: +{length}\r\n")),
        ("a negative length", "Content-Length: -1\r\n".to_owned()),
        (
            "a length beyond 64 bits",
            "Content-Length: 99999999999999999999\r\n".to_owned(),
        ),
        ("space before the colon", format!("Content-Length : {length}\r\n")),
        (
            "a folded line",
            "X-Folded: a\r\n Content-Length: 5\r\n".to_owned(),
        ),
        (
            "chunked, then not",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        ),
        ("an unknown coding", "Transfer-Encoding: xchunked\r\n".to_owned()),
        ("a bare CR", "X-Bare: a\rContent-Length: 5\r\n".to_owned()),
        ("a NUL", "X-Nul: a\0b\r\n".to_owned()),
        ("a header without a name", ": a\r\n".to_owned()),
    ];
    for (name, headers) in shapes {
        let bytes = format!("POST /length HTTP/1.1\r\nHost: a\r\n{headers}\r\n{HIDDEN}");
        assert_eq!(statuses(&house, &bytes).await, [400], "{name}");
    }
    assert_eq!(house.smuggled(), 0);
}

#[tokio::test]
async fn transfer_encoding_in_http_1_0_gets_400() {
    let house = House::open();
    let bytes = format!("POST /length HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}");
    assert_eq!(statuses(&house, &bytes).await, [400]);
    assert_eq!(house.smuggled(), 0);
}

#[tokio::test]
async fn length_and_chunks_together_end_the_connection_after_one_answer() {
    let house = House::open();
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ] {
        let bytes = format!("POST /length HTTP/1.1\r\nHost: a\r\n{headers}\r\n0\r\n\r\n{HIDDEN}");
        assert_eq!(statuses(&house, &bytes).await.len(), 1, "{headers}");
    }
    assert_eq!(house.smuggled(), 0);
}

#[tokio::test]
async fn bad_chunks_never_become_a_request() {
    let house = House::open();
    for chunks in [
        "5\nhello0\r\n\r\n",
        "5\r\nhelloX0\r\n\r\n",
        "5;ext\n\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "-1\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
    ] {
        let bytes =
            format!("POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{HIDDEN}");
        let statuses = statuses(&house, &bytes).await;
        assert!(
            statuses.is_empty() || statuses == [400],
            "{chunks:?}: {statuses:?}"
        );
    }
    assert_eq!(house.smuggled(), 0);
}

#[tokio::test]
async fn bare_line_feeds_end_lines_as_the_standard_allows() {
    // RFC 9112, section 2.2: a recipient MAY recognise a single LF as a line terminator. What matters is
    // that the body keeps its length.
    let house = House::open();
    let bytes = format!(
        "POST /length HTTP/1.1\nHost: a\nContent-Length: {}\nConnection: close\n\n{HIDDEN}",
        HIDDEN.len()
    );
    let statuses = statuses(&house, &bytes).await;
    assert!(statuses == [200] || statuses == [400], "{statuses:?}");
    assert_eq!(house.smuggled(), 0);
}

#[tokio::test]
async fn a_body_on_get_is_a_body() {
    let house = House::open();
    let bytes = format!(
        "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{HIDDEN}",
        HIDDEN.len()
    );
    assert_eq!(statuses(&house, &bytes).await, [200]);
    assert_eq!(house.smuggled(), 0);
}

#[tokio::test]
async fn what_is_not_http_gets_400_or_nothing() {
    let house = House::open();
    for bytes in [
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}",
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ] {
        let statuses = statuses(&house, bytes).await;
        assert!(
            statuses.is_empty() || statuses == [400],
            "{bytes:?}: {statuses:?}"
        );
    }
}
