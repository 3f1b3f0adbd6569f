//! HTTP/2 with prior knowledge: limits, resets, and clients that only keep a connection.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use wahook_receiver::server::{Closed, Limits};

use crate::house::{HEADER_TIMEOUT, House, IDLE_TIMEOUT, limits, soon};

type Sender = SendRequest<Bytes>;

/// Connects and lets `prepare` have the connection before a task of its own drives it.
async fn connect_with(
    address: SocketAddr,
    builder: &Builder,
    prepare: impl FnOnce(&mut Connection<TcpStream, Bytes>),
) -> (Sender, JoinHandle<Result<(), h2::Error>>) {
    let stream = soon(TcpStream::connect(address)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, mut connection) = soon(builder.handshake::<_, Bytes>(stream)).await.unwrap();
    prepare(&mut connection);
    (sender, tokio::spawn(connection))
}

async fn connect(address: SocketAddr) -> (Sender, JoinHandle<Result<(), h2::Error>>) {
    connect_with(address, &Builder::new(), |_| {}).await
}

fn request(method: &str, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("http://wahook.test{path}"))
        .body(())
        .unwrap()
}

async fn get(sender: &Sender, path: &str) -> Result<(u16, String), h2::Error> {
    let mut ready = soon(sender.clone().ready()).await?;
    let (response, _) = ready.send_request(request("GET", path), true)?;
    read(soon(response).await?).await
}

async fn read(response: Response<RecvStream>) -> Result<(u16, String), h2::Error> {
    let status = response.status().as_u16();
    let mut stream = response.into_body();
    let mut body = Vec::new();
    while let Some(chunk) = soon(stream.data()).await {
        let chunk = chunk?;
        stream.flow_control().release_capacity(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok((status, String::from_utf8(body).unwrap()))
}

#[tokio::test]
async fn requests_are_served_side_by_side() {
    let house = House::open().await;
    let (sender, _driver) = connect(house.address).await;
    let waiting = tokio::spawn({
        let sender = sender.clone();
        async move { get(&sender, "/wait").await }
    });
    house.request_waits().await;
    assert_eq!(get(&sender, "/hello").await.unwrap(), (200, "hello".to_owned()));
    assert!(get(&sender, "/who").await.unwrap().1.starts_with("127.0.0.1:"));
    house.let_one_go();
    assert_eq!(soon(waiting).await.unwrap().unwrap().1, "waited");
    assert_eq!(house.opened(), 1);
}

#[tokio::test]
async fn the_largest_body_passes_the_windows() {
    let house = House::open().await;
    let (sender, _driver) = connect(house.address).await;
    let mut ready = soon(sender.ready()).await.unwrap();
    let (response, mut stream) = ready.send_request(request("POST", "/length"), false).unwrap();
    let mut left = 3 << 20;
    while left > 0 {
        stream.reserve_capacity(left);
        let granted = soon(poll_fn(|cx| stream.poll_capacity(cx)))
            .await
            .unwrap()
            .unwrap();
        let now = granted.min(left);
        left -= now;
        stream.send_data(Bytes::from(vec![b'x'; now]), left == 0).unwrap();
    }
    assert_eq!(
        read(soon(response).await.unwrap()).await.unwrap(),
        (200, (3 << 20).to_string())
    );
}

#[tokio::test]
async fn oversized_headers_get_431_and_the_connection_lives() {
    let house = House::open().await;
    let (sender, _driver) = connect(house.address).await;
    let mut large = request("GET", "/hello");
    // Distinct names: HPACK must not shrink them to nothing, and one value must fit its decoder.
    for number in 0..40 {
        let name = http::HeaderName::from_bytes(format!("x-padding-{number}").as_bytes()).unwrap();
        large
            .headers_mut()
            .insert(name, "x".repeat(1024).parse().unwrap());
    }
    let mut ready = soon(sender.clone().ready()).await.unwrap();
    let (response, _) = ready.send_request(large, true).unwrap();
    assert_eq!(soon(response).await.unwrap().status(), 431);
    assert_eq!(get(&sender, "/hello").await.unwrap().0, 200);
}

#[tokio::test]
async fn the_number_of_streams_is_announced() {
    let house = House::with(Limits {
        h2_streams: 7,
        ..limits()
    })
    .await;
    let (sender, _driver) = connect(house.address).await;
    assert_eq!(get(&sender, "/hello").await.unwrap().0, 200);
    assert_eq!(sender.current_max_send_streams(), 7);
}

#[tokio::test]
async fn rapid_resets_end_their_connection_and_nothing_else() {
    let mut house = House::open().await;
    let (sender, driver) = connect(house.address).await;
    let attack = async {
        for _ in 0..100_000 {
            let Ok(mut ready) = sender.clone().ready().await else {
                return true;
            };
            // The stream's handle is dropped or reset before the server can have looked at it.
            let Ok((_, mut stream)) = ready.send_request(request("GET", "/wait"), false) else {
                return true;
            };
            stream.send_reset(Reason::CANCEL);
        }
        false
    };
    let stopped = soon(attack).await;
    let (other, _driver) = connect(house.address).await;
    assert_eq!(get(&other, "/hello").await.unwrap().0, 200);
    assert!(stopped, "the server must call it off");
    assert!(soon(driver).await.unwrap().is_err());
    assert_ne!(house.next_closed().await, Closed::Aborted);
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_like_a_slow_head() {
    let mut house = House::open().await;
    let start = Instant::now();
    let (_sender, _driver) = connect(house.address).await;
    assert_eq!(house.next_closed().await, Closed::HeadTimeout);
    assert!(start.elapsed() >= HEADER_TIMEOUT);
}

#[tokio::test]
async fn pings_do_not_keep_a_connection() {
    let mut house = House::open().await;
    let mut pings = None;
    let (sender, driver) = connect_with(house.address, &Builder::new(), |connection| {
        pings = connection.ping_pong()
    })
    .await;
    assert_eq!(get(&sender, "/hello").await.unwrap().0, 200);
    let rest = Instant::now();
    let mut pings = pings.unwrap();
    while pings.ping(h2::Ping::opaque()).await.is_ok() {
        sleep(Duration::from_millis(50)).await;
        assert!(
            rest.elapsed() < IDLE_TIMEOUT * 5,
            "pings keep the connection alive"
        );
    }
    let rested = rest.elapsed();
    assert!(
        rested >= IDLE_TIMEOUT - Duration::from_millis(20),
        "{rested:?}: pings must not shorten the rest"
    );
    assert_eq!(house.next_closed().await, Closed::IdleTimeout);
    soon(driver)
        .await
        .unwrap()
        .expect("a goodbye by the book is no error");
}

#[tokio::test]
async fn a_client_that_never_opens_its_window_is_closed() {
    let mut house = House::open().await;
    let (sender, _driver) = connect_with(house.address, Builder::new().initial_window_size(0), |_| {}).await;
    let mut ready = soon(sender.ready()).await.unwrap();
    let (response, _) = ready.send_request(request("GET", "/hello"), true).unwrap();
    let _body = soon(response).await.unwrap().into_body();
    assert_eq!(house.next_closed().await, Closed::IdleTimeout);
}

#[tokio::test]
async fn an_exit_says_goaway_and_finishes_what_is_open() {
    let house = House::with_exit(limits(), Duration::ZERO, Duration::from_secs(5)).await;
    let (sender, driver) = connect(house.address).await;
    let waiting = tokio::spawn({
        let sender = sender.clone();
        async move { get(&sender, "/wait").await }
    });
    house.request_waits().await;
    house.signal.cancel();
    // The goodbye reaches the client: no further stream on this connection.
    soon(async { while get(&sender, "/hello").await.is_ok() {} }).await;
    house.let_one_go();
    assert_eq!(soon(waiting).await.unwrap().unwrap().1, "waited");
    soon(driver).await.unwrap().unwrap();
    let report = house.report().await;
    assert!(report.finished >= 1, "{report:?}");
    assert_eq!(report.aborted, 0);
}
