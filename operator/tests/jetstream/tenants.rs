//! Two tenants with the documented permissions on one broker: what they cannot do to each other, and what only accounts
//! of their own keep them from.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::{Client, ConnectOptions, HeaderMap};
use futures_util::StreamExt as _;
use tokio::io::AsyncReadExt as _;
use wahook_operator::jetstream::StreamOwner;
use wahook_operator::validate::StreamPlan;
use wahook_testbed::manual;
use wahook_testbed::nats::{Login, NatsServer};
use wahook_testbed::stream;

use super::common::*;

/// More than Meta sends.
const LARGE: usize = 3_400_000;

/// The names of the page, replaced by those of a tenant's webhook `main`.
fn permissions(heading: &str, namespace: &str) -> String {
    manual::permissions(heading)
        .unwrap()
        .replace("shop_orders", &format!("{namespace}_main"))
        .replace("shop.orders", &format!("{namespace}.main"))
}

fn tenant(namespace: &str) -> (StreamPlan, StreamOwner) {
    let mut plan = plan("main");
    plan.spec.name = format!("whatsapp_{namespace}_main");
    plan.spec.subjects = format!("whatsapp.{namespace}.main.>");
    plan.spec.bucket = format!("{}_objects", plan.spec.name);
    let owner = StreamOwner {
        namespace: namespace.to_owned(),
        name: "main".to_owned(),
        uid: namespace.to_owned(),
    };
    (plan, owner)
}

/// Both tenants' receivers and consumers, restricted as documented, in one account; and the administrator.
async fn one_account() -> (NatsServer, Client) {
    let user = |name: &str, permissions: &str| {
        format!("{{user: {name}, password: {name}-password, permissions: {{ {permissions} }} }}\n")
    };
    let mut users = "{user: admin, password: admin-password}\n".to_owned();
    for namespace in ["shop", "bank"] {
        users += &user(namespace, &permissions("With large events", namespace));
        users += &user(
            &format!("{namespace}-reader"),
            &permissions("A consumer", namespace),
        );
    }
    let nats = NatsServer::builder()
        .raw(&format!("authorization {{ users: [ {users} ] }}"))
        .start()
        .await
        .unwrap();
    let login = Login::password("admin", "admin-password");
    let admin = nats.client_with(Some(&login), None).await.unwrap();
    (nats, admin)
}

async fn connect(nats: &NatsServer, user: &str, inbox: &str) -> Client {
    ConnectOptions::new()
        .user_and_password(user.to_owned(), format!("{user}-password"))
        .custom_inbox_prefix(inbox)
        .request_timeout(Some(Duration::from_millis(300)))
        .connect(nats.url())
        .await
        .unwrap()
}

/// The operator makes both streams; the bank stores an event and a large one.
async fn two_webhooks(nats: &NatsServer, admin: &Client) {
    let files = [("nats.user", "admin"), ("nats.password", "admin-password")];
    let (_dir, broker) = super::login::with_files(&nats.url(), &files, None);
    for namespace in ["shop", "bank"] {
        let (plan, owner) = tenant(namespace);
        good(&broker, &plan, &owner).await;
    }
    let context = context(admin);
    let stored = context.publish("whatsapp.bank.main.1.messages.text.0", "a secret".into());
    stored.await.unwrap().await.unwrap();
    let bucket = context
        .get_object_store("whatsapp_bank_main_objects")
        .await
        .unwrap();
    bucket
        .put("large", &mut vec![b'x'; LARGE].as_slice())
        .await
        .unwrap();
}

#[tokio::test]
async fn tenants_of_one_account_do_not_see_or_publish_to_each_other() {
    let (nats, admin) = one_account().await;
    two_webhooks(&nats, &admin).await;
    let bank = stream::count(&admin, "whatsapp_bank_main").await.unwrap();
    for (user, inbox) in [
        ("shop", "_INBOX_shop_main"),
        ("shop-reader", "_INBOX_shop_main_reader"),
    ] {
        let client = connect(&nats, user, inbox).await;
        // Nothing of the other's is heard, not even by wildcards.
        for subject in [
            ">",
            "whatsapp.>",
            "whatsapp.bank.main.>",
            "_INBOX_bank_main.>",
            "_INBOX_bank_main_reader.>",
            "_INBOX_wahook-operator.>",
            "$JS.EVENT.>",
            "$O.whatsapp_bank_main_objects.>",
        ] {
            let mut heard = client.subscribe(subject).await.unwrap();
            let context = context(&admin);
            let published = context.publish("whatsapp.bank.main.1.messages.text.1", "another".into());
            published.await.unwrap().await.unwrap();
            let message = tokio::time::timeout(Duration::from_millis(50), heard.next()).await;
            assert!(
                !matches!(message, Ok(Some(_))),
                "{user} hears {subject}: {message:?}"
            );
        }
        // Nothing of the other's is answered.
        for subject in [
            "$JS.API.INFO",
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.LIST",
            "$JS.API.STREAM.INFO.whatsapp_bank_main",
            "$JS.API.STREAM.UPDATE.whatsapp_bank_main",
            "$JS.API.STREAM.DELETE.whatsapp_bank_main",
            "$JS.API.STREAM.PURGE.whatsapp_bank_main",
            "$JS.API.STREAM.MSG.GET.whatsapp_bank_main",
            "$JS.API.STREAM.MSG.DELETE.whatsapp_bank_main",
            "$JS.API.DIRECT.GET.whatsapp_bank_main",
            "$JS.API.DIRECT.GET.whatsapp_bank_main.whatsapp.bank.main.1.messages.text.0",
            "$JS.API.DIRECT.GET.OBJ_whatsapp_bank_main_objects.x",
            "$JS.API.CONSUMER.CREATE.whatsapp_bank_main.evil",
            "$JS.API.CONSUMER.NAMES.whatsapp_bank_main",
            "$JS.API.CONSUMER.MSG.NEXT.whatsapp_bank_main.app",
            // Its own are not its to destroy either.
            "$JS.API.STREAM.UPDATE.whatsapp_shop_main",
            "$JS.API.STREAM.DELETE.whatsapp_shop_main",
            "$JS.API.STREAM.PURGE.whatsapp_shop_main",
        ] {
            let payload = r#"{"seq":1,"last_by_subj":"whatsapp.bank.main.1.messages.text.0"}"#;
            let answer = client.request(subject, payload.into()).await;
            assert!(answer.is_err(), "{user} is answered on {subject}: {answer:?}");
        }
        // Nothing can be published to it.
        for subject in [
            "whatsapp.bank.main.1.messages.text.0",
            "$O.whatsapp_bank_main_objects.C.x",
        ] {
            let answer = client.request(subject, "forged".into()).await;
            assert!(answer.is_err(), "{user} publishes to {subject}: {answer:?}");
        }
    }
    let ours = 2 * 8;
    assert_eq!(
        stream::count(&admin, "whatsapp_bank_main").await.unwrap(),
        bank + ours
    );
    let objects = stream::count(&admin, "OBJ_whatsapp_bank_main_objects")
        .await
        .unwrap();
    assert_eq!(objects, 27, "its pieces and their description");
}

/// What a tenant is granted suffices: its receiver stores, its consumer reads, also what is large.
#[tokio::test]
async fn a_consumer_reads_with_what_is_documented() {
    let (nats, admin) = one_account().await;
    two_webhooks(&nats, &admin).await;
    let reader = connect(&nats, "bank-reader", "_INBOX_bank_main_reader").await;
    let context = context(&reader);
    let stream = context.get_stream("whatsapp_bank_main").await.unwrap();
    let config = pull::Config {
        durable_name: Some("app".into()),
        ..pull::Config::default()
    };
    let mut consumer = stream.get_or_create_consumer("app", config).await.unwrap();
    let mut batch = consumer.fetch().max_messages(1).messages().await.unwrap();
    let message = batch.next().await.unwrap().unwrap();
    assert_eq!(message.payload, "a secret");
    message.double_ack().await.unwrap();
    assert_eq!(consumer.info().await.unwrap().ack_floor.stream_sequence, 1);

    let bucket = context
        .get_object_store("whatsapp_bank_main_objects")
        .await
        .unwrap();
    let mut large = Vec::new();
    let mut object = bucket.get("large").await.unwrap();
    object.read_to_end(&mut large).await.unwrap();
    assert_eq!(large.len(), LARGE);
    assert!(
        !nats.log().text().contains("Violation"),
        "all that is asked for is granted"
    );
}

/// NATS checks the subject of a publication and not its reply subject. Whoever is answered anything in an account can
/// have the answer stored in another tenant's stream, and with the right to read an own stream or bucket that is an
/// event of any content. The page says so; should NATS close this, the page is to be changed.
#[tokio::test]
async fn in_one_account_a_hostile_tenant_can_forge_by_the_reply_subject() {
    let (nats, admin) = one_account().await;
    two_webhooks(&nats, &admin).await;
    let shop = connect(&nats, "shop", "_INBOX_shop_main").await;
    let victim = "whatsapp.bank.main.1.messages.text.0";
    let own = "$O.whatsapp_shop_main_objects.C.forged";
    let mut headers = HeaderMap::new();
    headers.insert("ce-id", "forged");
    let context = context(&shop);
    let stored = context.publish_with_headers(own, headers, "a forged event".into());
    stored.await.unwrap().await.unwrap();
    let get = format!("$JS.API.DIRECT.GET.OBJ_whatsapp_shop_main_objects.{own}");
    shop.publish_with_reply(get, victim, "".into()).await.unwrap();
    eventually("stored", Duration::from_secs(5), async || {
        let events = stream::messages(&admin, "whatsapp_bank_main").await.unwrap();
        events
            .iter()
            .any(|event| event.header("ce-id") == Some("forged") && event.payload == "a forged event")
    })
    .await;
}

/// Accounts of their own keep tenants from that too.
#[tokio::test]
async fn accounts_keep_hostile_tenants_apart() {
    let mut accounts = String::new();
    for namespace in ["shop", "bank"] {
        accounts += &format!(
            "{namespace}: {{ jetstream: enabled, users: [ {{user: {namespace}, password: {namespace}-password}} ] }}\n"
        );
    }
    let nats = NatsServer::builder()
        .raw(&format!("accounts {{ {accounts} }}"))
        .start()
        .await
        .unwrap();
    let bank = connect(&nats, "bank", "_INBOX").await;
    let shop = connect(&nats, "shop", "_INBOX").await;
    for (client, namespace) in [(&bank, "bank"), (&shop, "shop")] {
        let (plan, _) = tenant(namespace);
        context(client)
            .create_stream(plan.spec.stream_config(false))
            .await
            .unwrap();
    }
    let victim = "whatsapp.bank.main.1.messages.text.0";
    shop.publish(victim, "forged".into()).await.unwrap();
    shop.publish_with_reply("whatsapp.shop.main.1.messages.text.0", victim, "own".into())
        .await
        .unwrap();
    shop.publish_with_reply("$JS.API.STREAM.INFO.whatsapp_shop_main", victim, "".into())
        .await
        .unwrap();
    shop.flush().await.unwrap();
    eventually("its own is stored", Duration::from_secs(5), async || {
        stream::count(&shop, "whatsapp_shop_main").await.unwrap() == 1
    })
    .await;
    assert!(context(&shop).get_stream("whatsapp_bank_main").await.is_err());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(stream::count(&bank, "whatsapp_bank_main").await.unwrap(), 0);
}
