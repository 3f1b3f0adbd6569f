//! Shutting down: nobody who was let in is shown the door before the answer.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use wahook_receiver::server::{Closed, ShutdownReport, bind};

use crate::client::Client;
use crate::house::{House, limits, soon};

const WAIT: &str = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_request_in_flight_is_answered() {
    let house = House::with_exit(limits(), Duration::ZERO, Duration::from_secs(5));
    let mut client = Client::connect(house.address).await;
    client.send(WAIT).await;
    house.request_waits().await;
    house.signal.cancel();
    // Once the listener is gone the drain has begun.
    soon(async { while TcpStream::connect(house.address).await.is_ok() {} }).await;
    house.let_one_go();
    let answer = client.answer().await;
    assert_eq!(answer.body, "waited");
    assert!(answer.says_close());
    assert!(client.until_closed().await.is_empty());
    drop(client);
    assert_eq!(
        house.report().await,
        ShutdownReport {
            finished: 1,
            aborted: 0
        }
    );
}

#[tokio::test]
async fn during_the_endpoint_lag_everyone_is_served_once_more() {
    let lag = Duration::from_millis(600);
    let house = House::with_exit(limits(), lag, Duration::from_secs(5));
    let mut old = Client::connect(house.address).await;
    assert!(!old.get("/hello").await.says_close());
    let signalled = Instant::now();
    house.signal.cancel();

    let mut new = Client::connect(house.address).await;
    for client in [&mut old, &mut new] {
        let answer = client.get("/hello").await;
        assert_eq!(answer.status, 200);
        assert!(answer.says_close(), "{}", answer.head);
        assert!(client.until_closed().await.is_empty());
    }
    drop((old, new));

    let address = house.address;
    assert_eq!(house.report().await, ShutdownReport::default());
    assert!(signalled.elapsed() >= lag);
    let refused = soon(TcpStream::connect(address)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn idle_connections_end_at_once_and_do_not_use_up_the_grace() {
    let mut house = House::with_exit(limits(), Duration::ZERO, Duration::from_secs(60));
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = Client::connect(house.address).await;
        client.get("/hello").await;
        clients.push(client);
    }
    let start = Instant::now();
    house.signal.cancel();
    for client in &mut clients {
        assert!(client.until_closed().await.is_empty());
    }
    drop(clients);
    for _ in 0..5 {
        assert_eq!(house.next_closed().await, Closed::Done);
    }
    assert_eq!(house.report().await, ShutdownReport::default());
    assert!(start.elapsed() < limits().idle_timeout);
}

#[tokio::test]
async fn what_outlasts_the_grace_is_aborted_and_counted() {
    let mut house = House::with_exit(limits(), Duration::ZERO, Duration::from_millis(200));
    let mut stuck = Client::connect(house.address).await;
    stuck.send(WAIT).await;
    house.request_waits().await;
    house.signal.cancel();
    assert!(stuck.until_closed().await.is_empty());
    assert_eq!(house.next_closed().await, Closed::Aborted);
    assert_eq!(
        house.report().await,
        ShutdownReport {
            finished: 0,
            aborted: 1
        }
    );
}

#[tokio::test]
async fn a_connection_still_in_the_backlog_is_served() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut early = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    early
        .write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let signal = CancellationToken::new();
    signal.cancel();
    let house = House::start(listener, limits(), Duration::ZERO, Duration::from_secs(5), signal);
    let report = tokio::spawn(house.report());
    let answer = tokio::task::spawn_blocking(move || std::io::read_to_string(&mut early).unwrap());
    let answer = soon(answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.to_lowercase().contains("\r\nconnection: close\r\n"),
        "{answer}"
    );
    assert_eq!(
        soon(report).await.unwrap(),
        ShutdownReport {
            finished: 1,
            aborted: 0
        }
    );
}

#[tokio::test]
async fn a_connection_that_never_spoke_gets_a_last_call_only() {
    let mut house = House::with_exit(
        wahook_receiver::server::Limits {
            header_timeout: Duration::from_secs(60),
            ..limits()
        },
        Duration::ZERO,
        Duration::from_secs(60),
    );
    let mut spoke = Client::connect(house.address).await;
    spoke.get("/hello").await;
    let mut silent = Client::connect(house.address).await;
    // Accepted in order: once this one is served, the silent one has been accepted too.
    let mut late = Client::connect(house.address).await;
    late.get("/hello").await;
    house.signal.cancel();
    assert!(silent.until_closed().await.is_empty());
    drop((spoke, silent, late));
    let mut reasons = Vec::new();
    for _ in 0..3 {
        reasons.push(house.next_closed().await);
    }
    assert!(reasons.contains(&Closed::HeadTimeout), "{reasons:?}");
    assert_eq!(house.report().await, ShutdownReport::default());
}
