//! Slow clients: each kind is closed in its own time, and nobody else waits for it.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::time::sleep;
use wahook_receiver::server::Closed;

use crate::client::Client;
use crate::house::{HEADER_TIMEOUT, House, IDLE_TIMEOUT, limits, soon};

/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(1);

fn assert_about(elapsed: Duration, expected: Duration) {
    assert!(
        elapsed >= expected,
        "{elapsed:?} is too early, expected {expected:?}"
    );
    assert!(
        elapsed < expected + SLACK,
        "{elapsed:?} is too late, expected {expected:?}"
    );
}

#[tokio::test]
async fn slow_heads_are_closed_while_a_good_client_stays_fast() {
    let mut house = House::open();
    let start = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut client = Client::connect(house.address).await;
        client.send("GET /hello HTTP/1.1\r\nHost: ").await;
        slow.push(client);
    }
    let mut good = Client::connect(house.address).await;
    let sent = Instant::now();
    assert_eq!(good.get("/hello").await.status, 200);
    assert!(
        sent.elapsed() < HEADER_TIMEOUT,
        "slow neighbours must not be noticed"
    );

    for client in &mut slow {
        assert!(client.until_closed().await.is_empty());
    }
    assert_about(start.elapsed(), HEADER_TIMEOUT);
    for _ in 0..50 {
        assert_eq!(house.next_closed().await, Closed::HeadTimeout);
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_like_a_slow_head() {
    let mut house = House::open();
    let mut client = Client::connect(house.address).await;
    let start = Instant::now();
    client.until_closed().await;
    assert_about(start.elapsed(), HEADER_TIMEOUT);
    assert_eq!(house.next_closed().await, Closed::HeadTimeout);
}

#[tokio::test]
async fn a_resting_connection_outlives_the_head_timeout_and_ends_by_the_idle_timeout() {
    let mut house = House::open();
    let mut client = Client::connect(house.address).await;
    assert_eq!(client.get("/hello").await.status, 200);
    sleep(HEADER_TIMEOUT * 2).await;
    assert_eq!(client.get("/hello").await.status, 200);
    let rest = Instant::now();
    assert!(client.until_closed().await.is_empty());
    assert_about(rest.elapsed(), IDLE_TIMEOUT.mul_f32(0.95));
    drop(client);
    assert_eq!(house.next_closed().await, Closed::IdleTimeout);
}

#[tokio::test]
async fn a_head_that_dribbles_after_a_rest_has_the_head_timeout() {
    let mut house = House::open();
    let mut client = Client::connect(house.address).await;
    assert_eq!(client.get("/hello").await.status, 200);
    sleep(HEADER_TIMEOUT * 2).await;
    let begun = Instant::now();
    for byte in b"GET /hello HTTP/1.1\r\nHost: wahook.test\r\nX-Padding: "
        .iter()
        .cycle()
    {
        if client.try_send([*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert_about(begun.elapsed(), HEADER_TIMEOUT);
    assert_eq!(house.next_closed().await, Closed::HeadTimeout);
}

#[tokio::test]
async fn a_request_under_way_is_not_idle() {
    let house = House::open();
    let mut client = Client::connect(house.address).await;
    client
        .send("GET /wait HTTP/1.1\r\nHost: wahook.test\r\n\r\n")
        .await;
    house.request_waits().await;
    sleep(IDLE_TIMEOUT + HEADER_TIMEOUT).await;
    house.let_one_go();
    assert_eq!(client.answer().await.body, "waited");
    assert_eq!(client.get("/hello").await.status, 200);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let mut house = House::open();
    let mut client = Client::connect(house.address).await;
    let start = Instant::now();
    client
        .send("GET /big HTTP/1.1\r\nHost: wahook.test\r\n\r\n")
        .await;
    assert_eq!(house.next_closed().await, Closed::WriteTimeout);
    assert!(
        start.elapsed() < IDLE_TIMEOUT,
        "the write timeout, not the idle timeout"
    );
}

#[tokio::test]
async fn a_client_that_reads_slowly_but_steadily_gets_everything() {
    let house = House::with(wahook_receiver::server::Limits {
        idle_timeout: Duration::from_secs(30),
        write_timeout: Duration::from_secs(1),
        ..limits()
    });
    let mut client = Client::connect(house.address).await;
    client
        .send("GET /big HTTP/1.1\r\nHost: wahook.test\r\nConnection: close\r\n\r\n")
        .await;
    let mut chunk = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let read = soon(client.stream.read(&mut chunk)).await.unwrap();
        if read == 0 {
            break;
        }
        total += read;
        sleep(Duration::from_millis(1)).await;
    }
    assert!(total > crate::house::BIG, "{total} bytes, head included");
}
