//! The permissions of docs/nats-permissions.md, block by block as they stand there, and what happens with fewer.

use std::time::Duration;

use async_nats::jetstream;
use wahook_testbed::manual;
use wahook_testbed::nats::{Login, NatsServer};
use wahook_testbed::process::ReceiverProcess;
use wahook_testbed::stream;

use super::common::*;

const STREAM: &str = "whatsapp_shop_orders";
const BUCKET: &str = "whatsapp_shop_orders_objects";
const LIMIT: Duration = Duration::from_secs(15);

/// A server whose user `receiver` has these permissions, and its administrator's client.
async fn server(permissions: &str) -> (NatsServer, async_nats::Client) {
    let users = format!(
        "authorization {{ users: [\n{{user: admin, password: admin-password}}\n\
         {{user: receiver, password: receiver-password, permissions: {{ {permissions} }} }}\n] }}"
    );
    let nats = NatsServer::builder().raw(&users).start().await.unwrap();
    let admin = Login::password("admin", "admin-password");
    let client = nats.client_with(Some(&admin), None).await.unwrap();
    (nats, client)
}

async fn make_stream(client: &async_nats::Client) {
    stream::create(client, STREAM, &["whatsapp.shop.orders.>"])
        .await
        .unwrap();
}

fn setup(nats: &NatsServer) -> Setup {
    Setup::new("orders", &nats.url())
        .namespace("shop")
        .nats("inboxPrefix: _INBOX_shop_orders")
        .secret("nats.user", "receiver")
        .secret("nats.password", "receiver-password")
}

async fn status(receiver: &ReceiverProcess) -> serde_json::Value {
    let (_, text) = receiver.admin("/status").await.unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn with_publish_only_it_works_and_says_what_it_cannot_check() {
    let (nats, client) = server(&manual::permissions("Publish only").unwrap()).await;
    make_stream(&client).await;
    let receiver = setup(&nats).without_ensure().start().await;
    assert_eq!(post(&meta(&receiver), numbered("minimal", 10)).await, 200);
    assert_eq!(distinct(&client, STREAM).await, 10);
    let status = status(&receiver).await;
    assert_eq!(status["stream"]["is"]["state"], "unverified", "{status}");
    let reason = status["stream"]["is"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("$JS.API.STREAM.INFO.whatsapp_shop_orders"),
        "{reason}"
    );
    assert!(is_ready(&receiver).await);
}

#[tokio::test]
async fn with_publish_only_a_missing_stream_is_noticed() {
    let (nats, client) = server(&manual::permissions("Publish only").unwrap()).await;
    let receiver = setup(&nats).without_ensure().not_ready().start().await;
    eventually("noticed", LIMIT, async || {
        status(&receiver).await["stream"]["is"]["state"] == "missing"
    })
    .await;
    assert_eq!(post(&meta(&receiver), numbered("minimal", 1)).await, 503);
    make_stream(&client).await;
    eventually("healed", LIMIT, || is_ready(&receiver)).await;
    assert_eq!(distinct(&client, STREAM).await, 0, "a probe is never stored");
    assert_eq!(post(&meta(&receiver), numbered("minimal", 1)).await, 200);
}

#[tokio::test]
async fn with_the_stream_check_it_is_ready_and_refuses_an_unfit_stream() {
    let (nats, client) = server(&manual::permissions("With the stream checked").unwrap()).await;
    make_stream(&client).await;
    let receiver = setup(&nats).without_ensure().start().await;
    assert_eq!(status(&receiver).await["stream"]["is"]["state"], "ready");
    assert_eq!(post(&meta(&receiver), numbered("checked", 10)).await, 200);
    assert_eq!(distinct(&client, STREAM).await, 10);
    assert_eq!(
        status(&receiver).await["nats"]["deniedSubject"],
        serde_json::Value::Null
    );

    let mut config = stream::config(STREAM, &["whatsapp.shop.orders.>"]);
    config.duplicate_window = Duration::from_secs(60);
    jetstream::new(client).update_stream(&config).await.unwrap();
    eventually("noticed", LIMIT, async || !is_ready(&receiver).await).await;
    assert_eq!(post(&meta(&receiver), numbered("unfit", 1)).await, 503);
}

#[tokio::test]
async fn with_the_bucket_large_events_are_stored_too() {
    let (nats, client) = server(&manual::permissions("With large events").unwrap()).await;
    make_stream(&client).await;
    let bucket = jetstream::object_store::Config {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let store = jetstream::new(client.clone())
        .create_object_store(bucket)
        .await
        .unwrap();
    let receiver = setup(&nats).without_ensure().start().await;
    for _ in 0..2 {
        assert_eq!(post(&meta(&receiver), vec![b'{'; 2_000_000]).await, 200);
    }
    let letter = stream::messages(&client, STREAM).await.unwrap().remove(0);
    let info = store.info(letter.id().unwrap()).await.unwrap();
    assert_eq!(info.size, 2_000_000);
    assert_eq!(
        status(&receiver).await["nats"]["deniedSubject"],
        serde_json::Value::Null
    );
}

#[tokio::test]
async fn with_ensure_stream_it_makes_what_is_missing() {
    let (nats, client) = server(&manual::permissions("With the stream made by the receiver").unwrap()).await;
    let receiver = setup(&nats).start().await;
    assert_eq!(post(&meta(&receiver), numbered("ensured", 10)).await, 200);
    assert_eq!(post(&meta(&receiver), vec![b'{'; 2_000_000]).await, 200);
    assert_eq!(distinct(&client, STREAM).await, 11);
    assert_eq!(status(&receiver).await["stream"]["is"]["state"], "ready");
    assert_eq!(
        status(&receiver).await["nats"]["deniedSubject"],
        serde_json::Value::Null
    );
}

#[tokio::test]
async fn a_denied_publication_is_503_at_the_deadline_and_named() {
    let permissions = manual::permissions("With the stream checked")
        .unwrap()
        .replace("\"whatsapp.shop.orders.>\",", "");
    let (nats, client) = server(&permissions).await;
    make_stream(&client).await;
    let receiver = setup(&nats)
        .without_ensure()
        .limit("publishDeadline: 1s")
        .start()
        .await;
    let answer = meta(&receiver).post(numbered("denied", 1)).await.unwrap();
    assert_eq!(answer.status, 503);
    let expected = Duration::from_millis(900)..Duration::from_secs(3);
    assert!(expected.contains(&answer.elapsed), "{:?}", answer.elapsed);
    let subject = format!("whatsapp.shop.orders.{ACCOUNT}.messages.text.");
    let denied = status(&receiver).await["nats"]["deniedSubject"].clone();
    assert!(denied.as_str().unwrap().starts_with(&subject), "{denied}");
    assert!(receiver.log().says(&subject).await);
}

#[tokio::test]
async fn a_denied_inbox_is_not_ready_and_named() {
    let permissions = manual::permissions("With the stream checked")
        .unwrap()
        .replace("_INBOX_shop_orders", "_INBOX_other");
    let (nats, client) = server(&permissions).await;
    make_stream(&client).await;
    let receiver = setup(&nats)
        .without_ensure()
        .limit("publishDeadline: 1s")
        .not_ready()
        .start()
        .await;
    eventually("named", LIMIT, async || {
        let (status, text) = receiver.admin("/readyz").await.unwrap();
        status == 503 && text.contains("_INBOX_shop_orders.")
    })
    .await;
    assert_eq!(post(&meta(&receiver), numbered("deaf", 1)).await, 503);
}
