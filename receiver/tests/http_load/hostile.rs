//! What a public address gets to see, in numbers: sockets that dribble, a scanner's afternoon, junk from somebody who knows the secret.
//! Whoever behaves must not notice.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;
use wahook_testbed::meta::{RawConnection, raw_http};

use crate::ALONE;
use crate::common_http::{House, SECRET, SOON, house, post, signature, text_message};

/// Sockets that dribble at one time.
const SOCKETS: usize = 2000;
/// What a head or a body may take.
const LIMIT: Duration = Duration::from_secs(2);
/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(1);
/// Within this 99 of 100 requests of somebody who behaves are answered.
const PROMISED: Duration = Duration::from_millis(250);
/// What two thousand sockets, or any junk, may add to the memory, in KiB.
const CAP_KIB: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_dribbling_heads_are_closed_in_time_and_nobody_waits_for_them() {
    let _alone = ALONE.lock().await;
    dribble(
        "hostile-heads",
        "POST /webhook HTTP/1.1\r\nHost: hooks\r\nX-Slow: ",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_dribbling_bodies_are_closed_in_time_and_nobody_waits_for_them() {
    let _alone = ALONE.lock().await;
    let head = String::from_utf8(post(signature("not this"), "x".repeat(1000))).unwrap();
    // All but the body.
    dribble("hostile-bodies", head.trim_end_matches('x')).await;
}

async fn dribble(webhook: &str, beginning: &str) {
    let house = house(webhook)
        .limit("headerTimeout", "2s")
        .limit("bodyTimeout", "2s")
        .log_level("info")
        .open()
        .await;
    house.store(text_message(webhook, "warm")).await;
    let before = house.receiver.rss_kib().unwrap();
    let mut sockets = JoinSet::new();
    for n in 0..SOCKETS {
        let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
        connection.write(beginning.as_bytes()).await.unwrap();
        sockets.spawn(async move {
            let began = Instant::now();
            // Not all at the same moment.
            sleep(Duration::from_millis(n as u64 % 250)).await;
            while connection
                .wait_for_close(Duration::from_millis(250))
                .await
                .is_err()
            {
                // It may have closed in this very moment.
                let _ = connection.write(b"a").await;
            }
            began.elapsed()
        });
    }
    let closing = async {
        let mut longest = Duration::ZERO;
        while let Some(lasted) = sockets.join_next().await {
            longest = longest.max(lasted.unwrap());
        }
        longest
    };
    tokio::pin!(closing);
    let mut answered = Vec::new();
    let mut peak = before;
    let meta = house.meta();
    let longest = loop {
        let body = text_message(&format!("{webhook}-{}", answered.len()), "hello");
        let began = Instant::now();
        let answer = meta.post(body).await.unwrap();
        answered.push(began.elapsed());
        assert_eq!(answer.status, 200);
        peak = peak.max(house.receiver.rss_kib().unwrap());
        tokio::select! {
            longest = &mut closing => break longest,
            () = sleep(Duration::from_millis(5)) => {}
        }
    };
    let p99 = p99(&mut answered);
    let added = peak - before;
    println!(
        "{webhook}: closed after {longest:?} at most; {} answers beside, p99 {p99:?}; {added} KiB added",
        answered.len()
    );
    assert!(longest < LIMIT + SLACK, "one was open for {longest:?}");
    assert!(
        answered.len() >= 100,
        "too few answers to say anything: {}",
        answered.len()
    );
    assert!(p99 < PROMISED, "{p99:?}");
    assert!(added < CAP_KIB, "{added} KiB");
    assert_eq!(house.stored().await.len(), answered.len() + 1);
    unharmed(&house, answered.len() + 1).await;
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Nothing panicked, and nothing but what was signed came to the parser.
async fn unharmed(house: &House, signed: usize) {
    assert!(!house.receiver.log().contains("panicked at"));
    assert_eq!(house.parsed().await, signed);
}

/// What scanners and broken proxies send, with the answer each must get. None of it is signed.
fn scans() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let body = text_message("hostile-unsigned", "x");
    let with = |headers: &str, body: &[u8]| post(headers, body);
    let line = |line: &str| format!("{line}\r\nHost: hooks\r\n\r\n").into_bytes();
    let parameters = vec!["hub.mode=subscribe"; 10_000].join("&");
    let deep = "[".repeat(100_000);
    let mut scans = vec![
        (
            "a query of 10,000 parameters",
            line(&format!("GET /webhook?{parameters} HTTP/1.1")),
            &[403, 431][..],
        ),
        (
            "an oversized header",
            with(&format!("X: {}\r\n", "x".repeat(64 * 1024)), b""),
            &[431],
        ),
        ("a thousand headers", with(&"X: y\r\n".repeat(1000), b""), &[431]),
        ("deep JSON", with("", deep.as_bytes()), &[401]),
        (
            "a compressed body",
            with("Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\x00junk"),
            &[415],
        ),
        (
            "a wrong signature",
            with("X-Hub-Signature-256: sha256=00\r\n", body.as_bytes()),
            &[401],
        ),
        (
            "two lengths",
            with("Content-Length: 3\r\n", body.as_bytes()),
            &[400],
        ),
        (
            "length and chunks",
            with("Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
            &[400, 401],
        ),
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            &[400],
        ),
        ("another service", line("GET /.env HTTP/1.1"), &[404]),
        (
            "a way out",
            line("GET /webhook/../../etc/passwd HTTP/1.1"),
            &[404],
        ),
        (
            "a proxy's request",
            line("GET http://example.com/ HTTP/1.1"),
            &[404],
        ),
    ];
    for method in [
        "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "DEBUG", "TRACK", "SEARCH",
    ] {
        scans.push((
            "a scanner's method",
            line(&format!("{method} /webhook HTTP/1.1")),
            &[405],
        ));
    }
    scans
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scanners_afternoon_is_refused_and_leaves_nothing_behind() {
    let _alone = ALONE.lock().await;
    let house = house("hostile-scans")
        // The answers are asked for here, not that they stop.
        .limit("badSignaturesPerMinute", 1_000_000)
        .log_level("info")
        .open()
        .await;
    house.store(text_message("hostile-scans", "warm")).await;
    let before = house.receiver.rss_kib().unwrap();
    for _ in 0..20 {
        let mut asked = JoinSet::new();
        for (name, bytes, wanted) in scans() {
            let address = house.receiver.address();
            asked.spawn(async move {
                let answer = raw_http(address, &bytes, SOON).await.unwrap();
                let status = answer.map(|answer| answer.status);
                assert!(
                    status.is_some_and(|status| wanted.contains(&status)),
                    "{name}: {status:?}, not {wanted:?}"
                );
            });
        }
        while let Some(done) = asked.join_next().await {
            done.unwrap();
        }
    }
    let added = house.receiver.rss_kib().unwrap().saturating_sub(before);
    println!("a scanner's afternoon: {added} KiB added");
    assert!(added < CAP_KIB, "{added} KiB");
    house.store(text_message("hostile-scans-2", "still there")).await;
    unharmed(&house, 2).await;
    assert_eq!(house.stored().await.len(), 2);
}

/// Bodies that somebody who knows the secret may send, and what each must leave in the stream: nothing is lost, nobody falls over.
fn junk() -> Vec<(&'static str, String, usize)> {
    let good = text_message("hostile-junk", "beside the junk");
    // The one entry of a good body.
    let entry = good
        .split_once(r#""entry":["#)
        .and_then(|(_, rest)| rest.strip_suffix("]}"))
        .unwrap();
    let envelope = |entries: &str| format!(r#"{{"object":"whatsapp_business_account","entry":[{entries}]}}"#);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let of_1000 = |entry: &dyn Fn(usize) -> String| (0..1000).map(entry).collect::<Vec<_>>().join(",");
    vec![
        ("100,000 levels", deep, 1),
        (
            "1,000 entries that are none",
            envelope(&format!("{},{entry}", of_1000(&|n| n.to_string()))),
            1001,
        ),
        (
            "1,000 entries without changes",
            envelope(&of_1000(&|n| format!(r#"{{"id":"{n}"}}"#))),
            1000,
        ),
        (
            "1,000 changes of no field",
            envelope(&format!(
                r#"{{"id":"1","changes":[{}]}}"#,
                of_1000(&|n| format!(r#"{{"value":{n}}}"#))
            )),
            1000,
        ),
        (
            "a value of 1,000 unknown members",
            envelope(&format!(
                r#"{{"id":"1","changes":[{{"field":"messages","value":{{{}}}}}]}}"#,
                of_1000(&|n| format!(r#""m{n}":{n}"#))
            )),
            1,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_junk_of_a_thousand_pieces_is_kept_piece_by_piece() {
    let _alone = ALONE.lock().await;
    let house = house("hostile-junk").log_level("info").open().await;
    house.store(text_message("hostile-junk-0", "warm")).await;
    let before = house.receiver.rss_kib().unwrap();
    let meta = house.meta_with(SECRET);
    let mut expected = 1;
    let bodies = junk();
    let sent = bodies.len();
    for (name, body, pieces) in bodies {
        let answer = meta.post(body).await.unwrap();
        assert_eq!(answer.status, 200, "{name}");
        expected += pieces;
        assert_eq!(house.stored().await.len(), expected, "{name}");
    }
    let added = house.receiver.rss_kib().unwrap().saturating_sub(before);
    println!("signed junk: {added} KiB added");
    assert!(added < CAP_KIB, "{added} KiB");
    unharmed(&house, sent + 1).await;
}
