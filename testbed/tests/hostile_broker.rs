//! The stand-in against an unchanged client: each behaviour reaches the publisher as the thing it imitates.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::error::Error as _;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, publish::PublishAck};
use wahook_testbed::hostile_broker::{HostileBroker, Reply};

const TIMEOUT: Duration = Duration::from_millis(400);

async fn context(broker: &HostileBroker) -> jetstream::Context {
    let client = async_nats::connect(broker.url()).await.unwrap();
    jetstream::ContextBuilder::new().timeout(TIMEOUT).build(client)
}

async fn publish(context: &jetstream::Context, id: &str) -> Result<PublishAck, PublishError> {
    let message = PublishMessage::build()
        .message_id(id)
        .expected_stream("S")
        .payload("body".into());
    context.send_publish("a.b", message).await?.await
}

/// One publish against a broker that always answers so.
async fn publish_against(reply: Reply) -> Result<PublishAck, PublishError> {
    let broker = HostileBroker::start("S", move |_| reply.clone()).await.unwrap();
    publish(&context(&broker).await, "id").await
}

#[tokio::test]
async fn honest_answers() {
    let ack = publish_against(Reply::Ack).await.unwrap();
    assert_eq!(
        (ack.stream.as_str(), ack.sequence, ack.duplicate),
        ("S", 1, false)
    );
    assert!(publish_against(Reply::Duplicate).await.unwrap().duplicate);
    assert_eq!(
        publish_against(Reply::ForeignStream).await.unwrap().stream,
        "of_someone_else"
    );
    assert_eq!(publish_against(Reply::Twice).await.unwrap().sequence, 1);
}

#[tokio::test]
async fn refusals() {
    let error = publish_against(Reply::NoResponders).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::StreamNotFound);

    let full = Reply::ErrorJson {
        code: 503,
        err_code: 10077,
        description: "maximum bytes exceeded".into(),
    };
    let error = publish_against(full).await.unwrap_err();
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<jetstream::Error>())
        .unwrap();
    assert_eq!((cause.code(), cause.error_code().0), (503, 10077));

    for garbage in [&b""[..], b"{", b"null", b"\xff\xfe", b"{\"stream\":7}", b"+ACK"] {
        let error = publish_against(Reply::Malformed(garbage.to_vec()))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), PublishErrorKind::Other, "{garbage:?}");
    }
}

#[tokio::test]
async fn no_answer_at_all() {
    for reply in [
        Reply::Silence,
        Reply::AckOfAnotherSubject,
        Reply::PermissionViolation,
    ] {
        let error = publish_against(reply.clone()).await.unwrap_err();
        assert_eq!(error.kind(), PublishErrorKind::TimedOut, "{reply:?}");
    }
}

#[tokio::test]
async fn a_late_ack_arrives_late() {
    let started = Instant::now();
    assert!(publish_against(Reply::Late(TIMEOUT / 4)).await.is_ok());
    assert!(started.elapsed() >= TIMEOUT / 4);
    let error = publish_against(Reply::Late(TIMEOUT * 20)).await.unwrap_err();
    assert_eq!(error.kind(), PublishErrorKind::TimedOut);
}

#[tokio::test]
async fn a_script_sees_each_message_and_may_change() {
    let broker = HostileBroker::start("S", |published| match published.nth {
        1 => Reply::Ack,
        _ => Reply::Sequence(vec![Reply::AckOfAnotherSubject, Reply::Duplicate]),
    })
    .await
    .unwrap();
    let context = context(&broker).await;
    assert!(!publish(&context, "one").await.unwrap().duplicate);
    assert!(publish(&context, "two").await.unwrap().duplicate);
    broker.set_script(|_| Reply::NoResponders);
    assert!(publish(&context, "three").await.is_err());
    assert!(broker.wait_for(3, Duration::from_secs(5)).await);
    assert!(!broker.wait_for(4, Duration::from_millis(20)).await);
    let seen = broker.seen();
    let ids: Vec<_> = seen
        .iter()
        .filter_map(|published| published.header("Nats-Msg-Id"))
        .collect();
    assert_eq!(ids, ["one", "two", "three"]);
    assert_eq!(seen[0].header("Nats-Expected-Stream"), Some("S"));
    assert_eq!(
        (seen[0].subject.as_str(), &seen[0].payload[..]),
        ("a.b", &b"body"[..])
    );
}

#[tokio::test]
async fn a_client_comes_back_after_a_disconnect() {
    let broker = HostileBroker::start("S", |published| match published.nth {
        2 => Reply::Disconnect,
        _ => Reply::Ack,
    })
    .await
    .unwrap();
    let context = context(&broker).await;
    publish(&context, "one").await.unwrap();
    publish(&context, "two").await.unwrap_err();
    // The client reconnects by itself; what is sent meanwhile may be lost.
    let deadline = Instant::now() + Duration::from_secs(10);
    while publish(&context, "three").await.is_err() {
        assert!(Instant::now() < deadline, "no reconnect");
    }
    assert_eq!(broker.connections(), 2);
    broker.refuse_connections(true);
    broker.disconnect_all();
    publish(&context, "four").await.unwrap_err();
    assert_eq!(broker.connections(), 2);
}

#[tokio::test]
async fn stream_information_is_what_the_test_says() {
    let broker = HostileBroker::start("S", |_| Reply::Ack).await.unwrap();
    let context = context(&broker).await;
    let stream = context.get_stream("S").await.unwrap();
    assert_eq!(
        stream.cached_info().config.duplicate_window,
        Duration::from_secs(24 * 3600)
    );
    assert!(context.get_stream("OTHER").await.is_err());

    let mut info = broker.stream_info().unwrap();
    info["config"]["duplicate_window"] = 60_000_000_000_u64.into();
    broker.set_stream_info(Some(info));
    let stream = context.get_stream("S").await.unwrap();
    assert_eq!(
        stream.cached_info().config.duplicate_window,
        Duration::from_secs(60)
    );

    broker.set_stream_info(None);
    let error = context.get_stream("S").await.unwrap_err();
    assert!(error.to_string().contains("stream not found"), "{error}");
}
