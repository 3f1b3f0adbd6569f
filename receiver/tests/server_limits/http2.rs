//! HTTP/2 with prior knowledge: limits, resets, and clients that only keep a connection.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
    let house = House::open();
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
    let house = House::open();
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
    let house = House::open();
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
    });
    let (sender, _driver) = connect(house.address).await;
    assert_eq!(get(&sender, "/hello").await.unwrap().0, 200);
    assert_eq!(sender.current_max_send_streams(), 7);
}

/// A frame by hand, for what no honest client sends.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn rapid_resets_end_their_connection_and_nothing_else() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    const END_HEADERS_AND_STREAM: u8 = 0x5;
    // HPACK: GET, http, / from the static table, and a literal :authority.
    let head = [0x82, 0x86, 0x84, 0x41, 1, b'a'];
    let mut house = House::with(Limits {
        close_timeout: Duration::from_secs(5),
        ..limits()
    });
    let mut attack = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    attack.extend(frame(SETTINGS, 0, 0, &[]));
    for number in 0..500 {
        let stream = 2 * number + 1;
        attack.extend(frame(HEADERS, END_HEADERS_AND_STREAM, stream, &head));
        attack.extend(frame(
            RST_STREAM,
            0,
            stream,
            &u32::from(Reason::CANCEL).to_be_bytes(),
        ));
    }
    let mut attacker = soon(TcpStream::connect(house.address)).await.unwrap();
    soon(attacker.write_all(&attack)).await.unwrap();

    let mut reason = None;
    let mut header = [0; 9];
    while soon(attacker.read_exact(&mut header)).await.is_ok() {
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        let mut payload = vec![0; length as usize];
        soon(attacker.read_exact(&mut payload)).await.unwrap();
        if header[3] == GOAWAY {
            reason = Some(Reason::from(u32::from_be_bytes(
                payload[4..8].try_into().unwrap(),
            )));
        }
    }
    assert_eq!(reason, Some(Reason::ENHANCE_YOUR_CALM));
    drop(attacker);
    assert_eq!(house.next_closed().await, Closed::Failed);
    let (other, _driver) = connect(house.address).await;
    assert_eq!(get(&other, "/hello").await.unwrap().0, 200);
}

#[tokio::test]
async fn a_stream_reset_after_its_request_leaves_the_connection_to_rest() {
    let mut house = House::open();
    let (sender, _driver) = connect(house.address).await;
    let mut ready = soon(sender.ready()).await.unwrap();
    let (response, mut stream) = ready.send_request(request("GET", "/wait"), false).unwrap();
    house.request_waits().await;
    stream.send_reset(Reason::CANCEL);
    drop(response);
    // Counted as still active it would never end.
    assert_eq!(house.next_closed().await, Closed::IdleTimeout);
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_like_a_slow_head() {
    let mut house = House::open();
    let start = Instant::now();
    let (_sender, _driver) = connect(house.address).await;
    assert_eq!(house.next_closed().await, Closed::HeadTimeout);
    assert!(start.elapsed() >= HEADER_TIMEOUT);
}

#[tokio::test]
async fn pings_do_not_keep_a_connection() {
    let mut house = House::open();
    let mut pings = None;
    let (sender, driver) = connect_with(house.address, &Builder::new(), |connection| {
        pings = connection.ping_pong();
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
        rested >= IDLE_TIMEOUT.mul_f32(0.95),
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
    let mut house = House::open();
    let (sender, _driver) = connect_with(house.address, Builder::new().initial_window_size(0), |_| {}).await;
    let mut ready = soon(sender.ready()).await.unwrap();
    let (response, _) = ready.send_request(request("GET", "/hello"), true).unwrap();
    let _body = soon(response).await.unwrap().into_body();
    assert_eq!(house.next_closed().await, Closed::IdleTimeout);
}

#[tokio::test]
async fn an_exit_says_goaway_and_finishes_what_is_open() {
    let house = House::with_exit(limits(), Duration::ZERO, Duration::from_secs(5));
    let (sender, driver) = connect(house.address).await;
    let waiting = tokio::spawn({
        let sender = sender.clone();
        async move { get(&sender, "/wait").await }
    });
    house.request_waits().await;
    house.signal.cancel();
    // The goodbye reaches the client: no further stream on this connection.
    soon(async { while get(&sender, "/hello").await.is_ok() {} }).await;
    soon(async { while TcpStream::connect(house.address).await.is_ok() {} }).await;
    house.let_one_go();
    assert_eq!(soon(waiting).await.unwrap().unwrap().1, "waited");
    soon(driver).await.unwrap().unwrap();
    let report = house.report().await;
    assert!(report.finished >= 1, "{report:?}");
    assert_eq!(report.aborted, 0);
}
