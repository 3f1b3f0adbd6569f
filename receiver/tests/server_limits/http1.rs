//! HTTP/1: sizes, counts, keep-alive, and answers that must arrive.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use wahook_receiver::server::{Closed, Limits};

use crate::client::Client;
use crate::house::{House, limits};

#[tokio::test]
async fn requests_know_their_peer_and_when_they_came() {
    let house = House::open();
    let mut client = Client::connect(house.address).await;
    let local = client.stream.local_addr().unwrap();
    assert_eq!(client.get("/who").await.body, local.to_string());
}

#[tokio::test]
async fn a_head_within_the_limit_is_served_and_one_beyond_it_gets_431() {
    let mut house = House::open();
    for (bytes, status) in [(30 * 1024, 200), (33 * 1024, 431), (200 * 1024, 431)] {
        let mut client = Client::connect(house.address).await;
        let padding = "x".repeat(bytes);
        client
            .send(format!(
                "GET /hello HTTP/1.1\r\nHost: a\r\nX-Padding: {padding}\r\n\r\n"
            ))
            .await;
        let answer = client.answer().await;
        assert_eq!((bytes, answer.status), (bytes, status));
        assert_eq!(answer.says_close(), status == 431);
    }
    for _ in 0..3 {
        house.next_closed().await;
    }
}

#[tokio::test]
async fn too_many_headers_get_431() {
    let house = House::open();
    for (count, status) in [(63, 200), (65, 431)] {
        let mut client = Client::connect(house.address).await;
        client
            .send(format!(
                "GET /hello HTTP/1.1\r\nHost: a\r\n{}\r\n",
                "X-Many: 1\r\n".repeat(count - 1)
            ))
            .await;
        assert_eq!(client.answer().await.status, status, "{count} headers");
    }
}

#[tokio::test]
async fn a_long_request_line_gets_431_too() {
    let house = House::open();
    let mut client = Client::connect(house.address).await;
    client
        .send(format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "x".repeat(40 * 1024)
        ))
        .await;
    assert_eq!(client.answer().await.status, 431);
}

#[tokio::test]
async fn a_header_limit_below_hypers_smallest_does_not_panic() {
    let house = House::with(Limits {
        header_bytes: 1,
        ..limits()
    });
    let mut client = Client::connect(house.address).await;
    assert_eq!(client.get("/hello").await.status, 200);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let house = House::open();
    let mut client = Client::connect(house.address).await;
    client
        .send(
            "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n\
             POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345\
             GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n\
             POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        )
        .await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        let answer = client.answer().await;
        answers.push((answer.status, answer.body));
    }
    let expected =
        [(200, "hello"), (200, "5"), (404, ""), (200, "3")].map(|(status, body)| (status, body.to_owned()));
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let mut house = House::open();
    let mut client = Client::connect(house.address).await;
    client.send("GET /hello HTTP/1.0\r\n\r\n").await;
    let answers = client.until_closed().await;
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].status, answers[0].body.as_str()), (200, "hello"));
    drop(client);
    assert_eq!(house.next_closed().await, Closed::Done);
}

#[tokio::test]
async fn continue_is_said_when_the_body_is_wanted_and_only_then() {
    let house = House::open();
    let mut wanted = Client::connect(house.address).await;
    wanted
        .send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        .await;
    assert_eq!(wanted.answer().await.status, 100);
    wanted.send("abc").await;
    assert_eq!(wanted.answer().await.body, "3");

    let mut refused = Client::connect(house.address).await;
    refused
        .send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let answers = refused.until_closed().await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].status, 413);
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_uploading() {
    let house = House::with(Limits {
        close_timeout: Duration::from_secs(5),
        ..limits()
    });
    let mut client = Client::connect(house.address).await;
    let body = vec![b'x'; 8 << 20];
    client
        .send(format!(
            "POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ))
        .await;
    client.send(body).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 413);
    assert!(
        answer.says_close(),
        "no proxy may keep this connection: {}",
        answer.head
    );
}

#[tokio::test]
async fn a_body_read_to_its_end_keeps_the_connection() {
    let house = House::open();
    let mut client = Client::connect(house.address).await;
    for _ in 0..3 {
        client
            .send("POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
            .await;
        client.send("ab").await;
        let answer = client.answer().await;
        assert_eq!(answer.body, "2");
        assert!(!answer.says_close());
    }
    assert_eq!(house.opened(), 1);
}

#[tokio::test]
async fn a_client_that_closes_its_half_has_hung_up() {
    let mut house = House::open();
    let mut client = Client::connect(house.address).await;
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
    house.request_waits().await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(house.next_closed().await, Closed::Failed);
}

#[tokio::test]
async fn beyond_the_cap_is_503_and_a_free_place_is_taken() {
    let mut house = House::with(Limits {
        connections: 2,
        ..limits()
    });
    let mut first = Client::connect(house.address).await;
    let mut second = Client::connect(house.address).await;
    assert_eq!(first.get("/hello").await.status, 200);
    assert_eq!(second.get("/hello").await.status, 200);

    let mut third = Client::connect(house.address).await;
    let answers = third.until_closed().await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].status, 503);
    assert!(answers[0].says_close());
    assert!(answers[0].head.contains("\r\nretry-after: 1\r\n"));
    assert_eq!(house.refused(), 1);
    assert_eq!(first.get("/hello").await.status, 200, "who is in stays in");

    drop(second);
    assert_eq!(house.next_closed().await, Closed::Done);
    assert_eq!(
        Client::connect(house.address).await.get("/hello").await.status,
        200
    );
    assert_eq!(house.refused(), 1);
}

#[tokio::test]
async fn changed_limits_hold_for_the_next_connection() {
    let house = House::open();
    let mut before = Client::connect(house.address).await;
    assert_eq!(before.get("/hello").await.status, 200);
    house.limits.lock().unwrap().connections = 1;
    assert_eq!(
        Client::connect(house.address).await.until_closed().await[0].status,
        503
    );
    house.limits.lock().unwrap().connections = 2;
    assert_eq!(
        Client::connect(house.address).await.get("/hello").await.status,
        200
    );
}
