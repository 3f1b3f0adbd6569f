//! SIGTERM while requests come in.

use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use wahook_testbed::meta::{RawAnswer, RawConnection};
use wahook_testbed::stream;

use crate::ALONE;
use crate::common_http::{House, SOON, house, post, signature, text_message};

const LAG: Duration = Duration::from_secs(2);
const CLIENTS: usize = 16;

/// Posts over kept connections until nobody accepts a connection any more; the ids that were answered 200.
///
/// The kernel completes a handshake before anybody accepts it, and closing the listener resets the last of those: a new
/// connection may break once the listener is closed. Whatever else breaks fails the test, and so does, in the end, an
/// event that was stored and not acknowledged.
async fn post_until_closed(house: &House, client: usize, closed: &Mutex<Option<Instant>>) -> Vec<String> {
    let address = house.receiver.address();
    let mut acknowledged = Vec::new();
    let mut kept = None;
    loop {
        let is_new = kept.is_none();
        let connection = match kept.take() {
            Some(connection) => Ok(connection),
            None => RawConnection::connect(address).await,
        };
        let id = format!("shutdown-{client}-{}", acknowledged.len());
        match exchange(connection, &text_message(&id, "hello")).await {
            Ok((connection, answer)) => {
                assert_eq!(answer.status, 200, "{}", answer.head);
                acknowledged.push(format!("wamid.{id}"));
                kept = (answer.header("connection") != Some("close")).then_some(connection);
            }
            Err(error) => {
                let is_closed = RawConnection::connect(address).await.is_err();
                assert!(is_new && is_closed, "an accepted request is answered: {error}");
                closed.lock().unwrap().get_or_insert_with(Instant::now);
                return acknowledged;
            }
        }
    }
}

async fn exchange(
    connection: io::Result<RawConnection>,
    body: &str,
) -> io::Result<(RawConnection, RawAnswer)> {
    let mut connection = connection?;
    connection.write(&post(signature(body), body)).await?;
    let answer = connection.read_answer(SOON).await?;
    Ok((connection, answer.ok_or(io::ErrorKind::UnexpectedEof)?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_answers_every_accepted_request_and_loses_nothing() {
    let _alone = ALONE.lock().await;
    let house = house("load-shutdown")
        .shutdown("endpointLag: 2s")
        .log_level("info")
        .open()
        .await;
    let closed = Mutex::new(None);
    let signalled = async {
        while house
            .metric("whatsapp_webhook_events_total", &[("outcome", "stored")])
            .await
            < 200
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        house.receiver.begin_stop().unwrap();
        let at = Instant::now();
        // Not ready at once, so that load balancers learn it; alive all the same.
        while house.receiver.admin("/readyz").await.unwrap().0 == 200 {
            assert!(at.elapsed() < Duration::from_secs(1));
        }
        assert!(
            house
                .receiver
                .admin("/readyz")
                .await
                .unwrap()
                .1
                .contains("stopping")
        );
        assert_eq!(house.receiver.admin("/livez").await.unwrap().0, 200);
        at
    };
    let posting = async {
        let mut acknowledged = Vec::new();
        let clients = (0..CLIENTS).map(|client| post_until_closed(&house, client, &closed));
        for ids in futures_util::future::join_all(clients).await {
            acknowledged.extend(ids);
        }
        acknowledged
    };
    let (signalled, acknowledged) = tokio::join!(signalled, posting);

    assert_eq!(
        house.receiver.wait(Duration::from_secs(20)).await.unwrap(),
        Some(0)
    );
    let served_for = closed.lock().unwrap().unwrap() - signalled;
    assert!(
        served_for + Duration::from_millis(50) >= LAG,
        "refused {served_for:?} after the signal"
    );
    assert!(
        house.receiver.log().says("\"aborted\":0").await,
        "{}",
        house.receiver.log().tail(5)
    );

    let stored: BTreeSet<String> = stream::messages(&house.nats, &house.stream)
        .await
        .unwrap()
        .iter()
        .map(|stored| {
            let data: serde_json::Value = stored.json().unwrap();
            data["message"]["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let distinct: BTreeSet<String> = acknowledged.iter().cloned().collect();
    assert!(distinct.len() == acknowledged.len() && acknowledged.len() > 300);
    assert_eq!(distinct, stored, "what was acknowledged is what is stored");
    println!(
        "{} requests, served for {served_for:?} after the signal",
        acknowledged.len()
    );
}

#[tokio::test]
async fn a_request_that_is_half_sent_at_sigterm_is_finished() {
    let _alone = ALONE.lock().await;
    let house = house("load-shutdown-half").open().await;
    let body = text_message("half", "hello");
    let request = post(signature(&body), &body);
    let (half, rest) = request.split_at(request.len() / 2);
    let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
    connection.write(half).await.unwrap();
    while house.metric("whatsapp_webhook_in_flight_requests", &[]).await < 1 {
        tokio::task::yield_now().await;
    }
    house.receiver.begin_stop().unwrap();
    // The listener is closed first.
    let started = Instant::now();
    while RawConnection::connect(house.receiver.address()).await.is_ok() {
        assert!(started.elapsed() < SOON);
    }
    connection.write(rest).await.unwrap();
    let answer = connection.read_answer(SOON).await.unwrap().unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(house.receiver.wait(SOON).await.unwrap(), Some(0));
    assert_eq!(house.stored().await.len(), 1);
}
