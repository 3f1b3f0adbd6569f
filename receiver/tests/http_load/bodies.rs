//! The largest body there is, alone and two hundred at a time; clients that hang up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wahook_testbed::meta::{RawConnection, raw_http};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use crate::ALONE;
use crate::common_http::{SECRET, SOON, house, post, signature, text_message};

/// Meta's largest body (Meta, Webhooks: payload size).
const LARGEST: usize = 3 * 1024 * 1024;
const STATUSES: usize = 1000;
const BODIES: usize = 200;
const LIMIT: Duration = Duration::from_secs(30);

/// The end of a body: what makes it unlike others comes last, so that all before can be shared.
fn tail(phone_number_id: &str) -> String {
    format!(
        r#"],"metadata":{{"display_phone_number":"15550100000","phone_number_id":"{phone_number_id}"}}}}}}]}}]}}"#
    )
}

/// The beginning: a thousand statuses, so long that the whole body has exactly [`LARGEST`] bytes.
fn statuses(tail: &str) -> Vec<u8> {
    let mut body = String::from(
        r#"{"object":"whatsapp_business_account","entry":[{"id":"215005501000001","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","statuses":["#,
    );
    let size = LARGEST - tail.len();
    let each = (size - body.len()) / STATUSES;
    for n in 0..STATUSES {
        let end = if n + 1 == STATUSES {
            size
        } else {
            body.len() + each
        };
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"id":"wamid.{n:08}","status":"delivered","timestamp":"1750091007","recipient_id":"15550100001","biz_opaque_callback_data":""#
        );
        body += &"x".repeat(end - body.len() - 2);
        body += "\"}";
    }
    body.into_bytes()
}

/// A whole body.
fn largest() -> Vec<u8> {
    let tail = tail("315005501000001");
    [statuses(&tail), tail.into_bytes()].concat()
}

#[tokio::test]
async fn three_mib_with_a_thousand_statuses_is_a_thousand_events_and_one_byte_more_is_413() {
    let _alone = ALONE.lock().await;
    let house = house("load-largest").open().await;
    let body = largest();
    assert_eq!(body.len(), LARGEST);

    let mut larger = body.clone();
    larger.push(b' ');
    assert_eq!(house.meta().post(larger).await.unwrap().status, 413);
    assert!(house.stored().await.is_empty());

    house.store(&body).await;
    let stored = house.stored().await;
    let ids: BTreeSet<_> = stored.iter().map(|stored| stored.id().unwrap()).collect();
    assert_eq!((stored.len(), ids.len()), (STATUSES, STATUSES));
    // In Meta's order, and a repetition adds nothing.
    for (n, stored) in stored.iter().enumerate() {
        let data: serde_json::Value = stored.json().unwrap();
        assert_eq!(data["status"]["id"], format!("wamid.{n:08}"));
    }
    house.store(&body).await;
    assert_eq!(house.stored().await.len(), STATUSES);
}

/// What two hundred largest bodies at once may add to the receiver's memory: the 64 MiB of `limits.bodyMemoryBytes`, which
/// stand for the bodies and the data of their events, and one and a half times that for the events' headers, the
/// connections' buffers and what the allocator keeps. Measured: 127 to 137 MiB.
const CAP_MIB: u64 = 160;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_largest_bodies_at_once_stay_within_the_memory_cap() {
    let _alone = ALONE.lock().await;
    let house = house("load-memory")
        .stream("ensure: true, maxBytes: 2Gi")
        .log_level("info")
        .open()
        .await;
    house.store(text_message("load-memory", "warm")).await;
    let address = house.receiver.address();
    let before = house.receiver.rss_kib().unwrap();

    let tails: Vec<_> = (0..BODIES)
        .map(|n| tail(&format!("3150055010000{n:03}")))
        .collect();
    let shared = Arc::new(statuses(&tails[0]));
    let mut hashed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    hashed.update(&shared);
    let all_connected = Arc::new(Barrier::new(BODIES));
    let mut clients = JoinSet::new();
    for tail in tails {
        let signature = hex::encode(hashed.clone().chain_update(&tail).finalize().into_bytes());
        let head = format!(
            "POST /webhook HTTP/1.1\r\nHost: hooks\r\nContent-Length: {LARGEST}\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n"
        );
        let (shared, all_connected) = (Arc::clone(&shared), Arc::clone(&all_connected));
        clients.spawn(async move {
            let mut connection = RawConnection::connect(address).await.unwrap();
            all_connected.wait().await;
            for part in [head.as_bytes(), &shared, tail.as_bytes()] {
                // Refused in the middle: the answer counts.
                if connection.write(part).await.is_err() {
                    break;
                }
            }
            let answer = connection.read_answer(LIMIT).await.unwrap().unwrap();
            (answer.status, answer.header("retry-after").map(str::to_owned))
        });
    }

    let running = AtomicBool::new(true);
    let sample = async {
        let mut peak = 0;
        while running.load(Ordering::Relaxed) {
            peak = house.receiver.rss_kib().unwrap().max(peak);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        peak
    };
    let answer = async {
        let mut answers = BTreeMap::new();
        while let Some(answer) = clients.join_next().await {
            *answers.entry(answer.unwrap()).or_insert(0) += 1;
        }
        running.store(false, Ordering::Relaxed);
        answers
    };
    let started = std::time::Instant::now();
    let (peak, answers) = tokio::join!(sample, answer);
    let added = (peak - before) / 1024;
    println!(
        "{BODIES} bodies of 3 MiB in {:?}: {answers:?}; {} MiB before, {added} MiB added",
        started.elapsed(),
        before / 1024
    );

    let stored = answers.get(&(200, None)).copied().unwrap_or(0);
    assert!(stored > 0, "{answers:?}");
    for ((status, retry_after), count) in &answers {
        let fits = matches!((status, retry_after), (200, None) | (503, Some(_)));
        assert!(fits, "{count} times {status} {retry_after:?}");
    }
    let in_stream = stream::count(&house.nats, &house.stream).await.unwrap();
    assert!(
        in_stream > (stored * STATUSES) as u64,
        "{stored} answered 200 and only {in_stream} are stored"
    );
    assert!(added <= CAP_MIB, "{added} MiB");
    // And it is as good as before.
    house.store(text_message("load-memory-2", "hello")).await;
}

#[tokio::test]
async fn a_client_that_hangs_up_after_the_last_byte_loses_nothing() {
    let _alone = ALONE.lock().await;
    let house = house("load-hang-up").open().await;
    let large = largest();
    let mut expected = 0;
    for n in 0..100 {
        let body = text_message(&format!("hang-up-{n}"), &"x".repeat(n * 300));
        let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
        connection.write(&post(signature(&body), &body)).await.unwrap();
        drop(connection);
        expected += 1;
    }
    let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
    connection.write(&post(signature(&large), &large)).await.unwrap();
    drop(connection);
    expected += STATUSES as u64;

    let started = std::time::Instant::now();
    loop {
        let stored = stream::count(&house.nats, &house.stream).await.unwrap();
        if stored == expected {
            break;
        }
        assert!(started.elapsed() < SOON, "{stored} of {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_while_the_broker_is_slow_loses_nothing() {
    let _alone = ALONE.lock().await;
    let broker = Arc::new(NatsServer::start().await.unwrap());
    let house = house("load-hang-up-slow").broker(&broker).open().await;
    broker.pause().unwrap();
    let body = text_message("hang-up-slow", "hello");
    let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
    connection.write(&post(signature(&body), &body)).await.unwrap();
    while house.parsed().await < 1 {
        tokio::task::yield_now().await;
    }
    drop(connection);
    let health = b"GET /health HTTP/1.1\r\nHost: hooks\r\n\r\n";
    assert!(
        raw_http(house.receiver.address(), health, SOON)
            .await
            .unwrap()
            .is_some()
    );
    broker.resume().unwrap();
    let name = "whatsapp_webhook_events_total";
    while house.metric(name, &[("outcome", "stored")]).await < 1 {
        assert!(house.metric(name, &[("outcome", "failed")]).await < 1);
        tokio::task::yield_now().await;
    }
    assert_eq!(house.stored().await.len(), 1);
}
