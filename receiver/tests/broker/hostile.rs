//! A broker that answers wrongly, late, twice or not at all: 200 only ever follows an acknowledgement of every event.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::iter;
use wahook_testbed::hostile_broker::{HostileBroker, Reply};
use wahook_testbed::process::ReceiverProcess;

use super::common::*;

const DEADLINE: Duration = Duration::from_millis(500);

async fn hostile(name: &str, deadline: Duration) -> (HostileBroker, ReceiverProcess) {
    let stream = format!("whatsapp_test_{name}");
    let broker = HostileBroker::start(&stream, |_| Reply::Ack).await.unwrap();
    let setup = Setup::new(name, &broker.url())
        .without_ensure()
        .limit(&format!("publishDeadline: {}ms", deadline.as_millis()));
    let receiver = setup.start().await;
    (broker, receiver)
}

fn error(code: u16, err_code: u64) -> Reply {
    Reply::ErrorJson {
        code,
        err_code,
        description: "no".to_owned(),
    }
}

#[tokio::test]
async fn nothing_but_an_acknowledgement_of_every_event_is_answered_with_200() {
    let (broker, receiver) = hostile("hostile", DEADLINE).await;
    let meta = meta(&receiver);
    let malformed = |text: &str| Reply::Malformed(text.as_bytes().to_vec());
    let cases = [
        ("no responders", Reply::NoResponders),
        ("full", error(503, 10_077)),
        ("no resources", error(503, 10_023)),
        ("no quorum", error(503, 10_008)),
        ("too large", error(400, 10_054)),
        ("another stream expected", error(400, 10_060)),
        ("wrong sequence", error(400, 10_071)),
        ("in process for ever", error(409, 10_158)),
        ("a code of tomorrow", error(500, 19_999)),
        ("nothing", malformed("")),
        ("not JSON", malformed("+OK")),
        ("an empty object", malformed("{}")),
        (
            "an acknowledgement cut short",
            malformed(r#"{"stream":"whatsapp_test_hostile","seq":"#),
        ),
        (
            "without a sequence",
            malformed(r#"{"stream":"whatsapp_test_hostile"}"#),
        ),
        (
            "sequence zero",
            malformed(r#"{"stream":"whatsapp_test_hostile","seq":0,"duplicate":true}"#),
        ),
        ("silence", Reply::Silence),
        ("late", Reply::Late(DEADLINE * 2)),
        ("foreign stream", Reply::ForeignStream),
        ("to another address", Reply::AckOfAnotherSubject),
        ("permission violation", Reply::PermissionViolation),
        ("disconnect", Reply::Disconnect),
    ];
    for (n, (name, reply)) in cases.into_iter().enumerate() {
        let body = numbered(&format!("hostile-{n}"), 3);
        let before = broker.seen().len() as u64;
        // All is well but for the second of three.
        broker.set_script(move |published| match published.nth - before {
            1 | 3 => Reply::Ack,
            _ => reply.clone(),
        });
        assert_eq!(post(&meta, body.clone()).await, 503, "{name}");
        broker.set_script(|_| Reply::Ack);
        deliver(&meta, body).await;
    }
    assert_eq!(receiver.exit_status(), None);
}

#[tokio::test]
async fn an_event_in_process_elsewhere_is_asked_about_until_it_is_acknowledged() {
    let (broker, receiver) = hostile("in_process", Duration::from_secs(4)).await;
    let seen = Mutex::new(HashSet::new());
    broker.set_script(move |published| {
        let id = published.header("Nats-Msg-Id").unwrap().to_owned();
        if seen.lock().unwrap().insert(id) {
            error(409, 10_158)
        } else {
            Reply::Duplicate
        }
    });
    assert_eq!(post(&meta(&receiver), numbered("in_process", 5)).await, 200);
    assert_eq!(broker.seen().len(), 10, "each was asked about twice");
    let contended = metric(&receiver, "whatsapp_webhook_contended_events_total", "").await;
    assert!((contended - 5.0).abs() < 0.1, "{contended}");
}

#[tokio::test]
async fn late_and_repeated_acknowledgements_never_count_for_the_next_request() {
    let (broker, receiver) = hostile("late", DEADLINE).await;
    let meta = &meta(&receiver);
    for round in 0..3 {
        // These are answered while the requests after them wait in the same places.
        broker.set_script(|_| Reply::Late(DEADLINE + Duration::from_millis(200)));
        let late = iter(0..8)
            .map(|n| post(meta, numbered(&format!("late-{round}-{n}"), 2)))
            .buffer_unordered(8);
        assert_eq!(late.collect::<Vec<_>>().await, [503; 8]);
        broker.set_script(|_| Reply::Silence);
        let silent = iter(0..8)
            .map(|n| post(meta, numbered(&format!("silent-{round}-{n}"), 2)))
            .buffer_unordered(8);
        assert_eq!(
            silent.collect::<Vec<_>>().await,
            [503; 8],
            "an earlier request's answer counted"
        );
    }
    broker.set_script(|_| Reply::Twice);
    assert_eq!(post(meta, numbered("twice", 3)).await, 200);
    let before = broker.seen().len() as u64;
    broker.set_script(move |published| match published.nth - before {
        1 => Reply::Twice,
        _ => Reply::Silence,
    });
    assert_eq!(
        post(meta, numbered("first-twice", 2)).await,
        503,
        "two answers to one event are not two events"
    );
}

#[tokio::test]
async fn a_copy_that_waits_for_another_request_shares_its_failure() {
    let (broker, receiver) = hostile("shared", DEADLINE).await;
    let meta = &meta(&receiver);
    broker.set_script(|_| Reply::Silence);
    let body = numbered("shared", 2);
    let second = async {
        assert!(broker.wait_for(2, Duration::from_secs(5)).await);
        post(meta, body.clone()).await
    };
    let answers = tokio::join!(post(meta, body.clone()), second);
    assert_eq!(answers, (503, 503));
    assert_eq!(post(meta, body.clone()).await, 503, "and nothing is remembered");
}

#[tokio::test]
async fn a_lost_connection_answers_requests_in_flight_at_once() {
    let (broker, receiver) = hostile("cut", Duration::from_secs(10)).await;
    let meta = &meta(&receiver);
    broker.set_script(|_| Reply::Silence);
    let requests = iter(0..20)
        .map(|n| post(meta, numbered(&format!("cut-{n}"), 2)))
        .buffer_unordered(20)
        .collect::<Vec<_>>();
    let cut = async {
        assert!(broker.wait_for(40, Duration::from_secs(9)).await);
        broker.disconnect_all();
        Instant::now()
    };
    let (answers, cut_at) = tokio::join!(requests, cut);
    assert_eq!(answers, [503; 20]);
    assert!(
        cut_at.elapsed() < Duration::from_secs(1),
        "{:?}",
        cut_at.elapsed()
    );

    // And after the reconnect everything goes on.
    broker.set_script(|_| Reply::Ack);
    let answers = deliver(meta, numbered("cut-0", 2)).await;
    assert!(answers.last().unwrap().elapsed < Duration::from_secs(1));
}

#[tokio::test]
async fn a_reconnect_in_the_middle_of_a_request_does_not_complete_it() {
    let (broker, receiver) = hostile("middle", Duration::from_secs(4)).await;
    let meta = meta(&receiver);
    broker.set_script(|published| match published.nth {
        2 => Reply::Sequence(vec![Reply::Ack, Reply::Disconnect]),
        _ => Reply::Ack,
    });
    // The connection ends after the second acknowledgement; the rest may be lost or sent again.
    let status = post(&meta, numbered("middle", 200)).await;
    let seen: HashSet<_> = broker
        .seen()
        .into_iter()
        .filter_map(|published| published.header("Nats-Msg-Id").map(str::to_owned))
        .collect();
    assert_eq!(status, 503);
    deliver(&meta, numbered("middle", 200)).await;
    assert!(seen.len() <= 200);
    assert!(broker.connections() >= 2, "it reconnected");
}
