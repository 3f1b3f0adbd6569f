//! One server: data survives a crash, options do what they say, nothing is left behind.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream;
use wahook_testbed::nats::{Login, NatsError, NatsServer, Permissions, User};
use wahook_testbed::stream;

async fn publish(client: &async_nats::Client, id: &str) -> jetstream::publish::PublishAck {
    let message = jetstream::message::PublishMessage::build()
        .message_id(id)
        .payload(id.to_owned().into());
    jetstream::new(client.clone())
        .send_publish("t.x", message)
        .await
        .unwrap()
        .await
        .unwrap()
}

#[tokio::test]
async fn data_and_port_survive_a_crash() {
    let server = NatsServer::start().await.unwrap();
    let (url, pid) = (server.url(), server.pid().unwrap());
    let client = server.client().await.unwrap();
    stream::create(&client, "T", &["t.>"]).await.unwrap();
    publish(&client, "one").await;
    publish(&client, "two").await;

    server.kill9().unwrap();
    assert!(server.pid().is_none());
    assert!(matches!(server.pause(), Err(NatsError::Stopped)));
    server.restart().await.unwrap();

    assert_eq!(server.url(), url);
    assert_ne!(server.pid().unwrap(), pid);
    let client = server.client().await.unwrap();
    assert!(publish(&client, "two").await.duplicate);
    assert!(!publish(&client, "three").await.duplicate);
    assert_eq!(stream::count(&client, "T").await.unwrap(), 3);
    assert_eq!(stream::ids(&client, "T").await.unwrap(), ["one", "two", "three"]);
    let stored = stream::messages(&client, "T").await.unwrap();
    assert_eq!((stored[2].seq, stored[2].subject.as_str()), (3, "t.x"));
    assert_eq!(stored[2].payload, "three");
}

#[tokio::test]
async fn a_paused_server_answers_nothing_until_resumed() {
    let server = NatsServer::start().await.unwrap();
    let context = jetstream::new(server.client().await.unwrap());
    server.pause().unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(200), context.query_account())
            .await
            .is_err()
    );
    server.resume().unwrap();
    context.query_account().await.expect("it answers again");
}

#[tokio::test]
async fn a_given_store_outlives_the_server() {
    let store = tempfile::tempdir().unwrap();
    for round in 1..=2 {
        let server = NatsServer::builder()
            .store(store.path())
            .sync_interval("always")
            .start()
            .await
            .unwrap();
        let client = server.client().await.unwrap();
        if round == 1 {
            stream::create(&client, "T", &["t.>"]).await.unwrap();
            publish(&client, "kept").await;
            server.stop().await.unwrap();
        } else {
            assert_eq!(stream::ids(&client, "T").await.unwrap(), ["kept"]);
        }
    }
}

#[test]
fn a_panicking_test_leaves_no_process() {
    let (pids, pid) = std::sync::mpsc::channel();
    let test = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = NatsServer::start().await.unwrap();
            pids.send(server.pid().unwrap()).unwrap();
            panic!("as a failing assertion does");
        });
    });
    assert!(test.join().is_err());
    let entry = PathBuf::from(format!("/proc/{}", pid.recv().unwrap()));
    assert!(!entry.exists(), "{} is still there", entry.display());
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_its_log() {
    let error = NatsServer::builder()
        .raw("nonsense_without_value {")
        .start()
        .await
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(text.contains("ended while it started"), "{text}");
    assert!(text.contains("Parse error"), "{text}");
}

#[tokio::test]
async fn users_may_do_what_their_permissions_say() {
    let reader = Login::password("reader", "reader-password");
    let permissions = Permissions {
        publish_deny: vec!["t.>".to_owned()],
        ..Permissions::default()
    };
    let server = NatsServer::builder()
        .user(User::new(Login::password("writer", "writer-password")))
        .user(User::new(reader.clone()).with_permissions(permissions))
        .max_payload(4096)
        .start()
        .await
        .unwrap();
    let writer = server.client().await.unwrap();
    assert_eq!(writer.server_info().max_payload, 4096);
    stream::create(&writer, "T", &["t.>"]).await.unwrap();
    publish(&writer, "allowed").await;

    let reader = server.client_with(Some(&reader), None).await.unwrap();
    assert_eq!(stream::count(&reader, "T").await.unwrap(), 1);
    let mut context = jetstream::new(reader);
    context.set_timeout(Duration::from_millis(300));
    let refused = context.publish("t.x", "no".into()).await.unwrap().await;
    assert_eq!(
        refused.unwrap_err().kind(),
        jetstream::context::PublishErrorKind::TimedOut
    );
    assert!(
        server.client_with(None, None).await.is_err(),
        "nobody gets in without a login"
    );
}
