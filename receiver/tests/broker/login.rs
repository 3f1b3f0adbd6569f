//! Every way to log in to the broker, and going over from one to another.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use wahook_testbed::nats::{Login, NatsServer, Operator, Permissions, Pki, TlsOptions, User, nkey_user};

use wahook_testbed::meta::raw_http;
use wahook_testbed::port::ReservedPort;

use super::common::*;

/// Starts the receiver and stores one event.
async fn gets_in(setup: &Setup) {
    let receiver = setup.start().await;
    assert_eq!(post(&meta(&receiver), numbered(&setup.name, 1)).await, 200);
}

#[tokio::test]
async fn a_user_and_password_get_in() {
    let login = Login::password("receiver", "a-password");
    let nats = NatsServer::builder()
        .user(User::new(login))
        .start()
        .await
        .unwrap();
    let setup = Setup::new("password", &nats.url())
        .secret("nats.user", "receiver")
        .secret("nats.password", "a-password\n");
    gets_in(&setup).await;
}

#[tokio::test]
async fn a_token_gets_in() {
    let nats = NatsServer::builder()
        .raw("authorization { token: \"a-token-of-nats\" }")
        .start()
        .await
        .unwrap();
    let setup = Setup::new("token", &nats.url()).secret("nats.token", "a-token-of-nats");
    gets_in(&setup).await;
}

#[tokio::test]
async fn an_nkey_gets_in() {
    let login = nkey_user().unwrap();
    let Login::Nkey { seed } = login.clone() else {
        panic!("not an nkey")
    };
    let nats = NatsServer::builder()
        .user(User::new(login))
        .start()
        .await
        .unwrap();
    let setup = Setup::new("nkey", &nats.url()).secret("nats.nkey", seed);
    gets_in(&setup).await;
}

#[tokio::test]
async fn a_credentials_file_gets_in() {
    let operator = Operator::new().unwrap();
    let nats = NatsServer::builder().operator(&operator).start().await.unwrap();
    let user = operator.user("receiver", &Permissions::default()).unwrap();
    let setup = Setup::new("creds", &nats.url()).secret("nats.creds", user.text());
    gets_in(&setup).await;
}

async fn tls_server(pki: &Pki, verify_clients: bool, handshake_first: bool) -> NatsServer {
    let options = TlsOptions {
        server: pki.server().clone(),
        ca: pki.ca(),
        verify_clients,
        handshake_first,
    };
    NatsServer::builder().tls(options).start().await.unwrap()
}

#[tokio::test]
async fn tls_with_the_right_authority_gets_in() {
    let pki = Pki::new().unwrap();
    let nats = tls_server(&pki, false, false).await;
    gets_in(&Setup::new("tls", &nats.url()).secret("nats-ca.crt", fs::read(pki.ca()).unwrap())).await;
}

#[tokio::test]
async fn tls_before_the_first_line_gets_in() {
    let pki = Pki::new().unwrap();
    let nats = tls_server(&pki, false, true).await;
    let setup = Setup::new("tls_first", &nats.url())
        .nats("tls: {first: true}")
        .secret("nats-ca.crt", fs::read(pki.ca()).unwrap());
    gets_in(&setup).await;
}

#[tokio::test]
async fn a_client_certificate_gets_in_where_one_is_asked_for() {
    let pki = Pki::new().unwrap();
    let nats = tls_server(&pki, true, false).await;
    let setup = Setup::new("mtls", &nats.url())
        .secret("nats-ca.crt", fs::read(pki.ca()).unwrap())
        .secret("nats-tls.crt", fs::read(&pki.client().certificate).unwrap())
        .secret("nats-tls.key", fs::read(&pki.client().key).unwrap());
    gets_in(&setup).await;
}

#[tokio::test]
async fn a_wrong_authority_is_not_connected_and_says_why() {
    let (pki, stranger) = (Pki::new().unwrap(), Pki::new().unwrap());
    let nats = tls_server(&pki, false, false).await;
    let setup = Setup::new("stranger", &nats.url())
        .secret("nats-ca.crt", fs::read(stranger.ca()).unwrap())
        .not_ready();
    let receiver = setup.start().await;
    eventually("why", Duration::from_secs(10), async || {
        let (_, status) = receiver.admin("/status").await.unwrap();
        status.contains("invalid peer certificate") && receiver.log().contains("invalid peer certificate")
    })
    .await;
    assert!(!is_ready(&receiver).await);
    assert_eq!(post(&meta(&receiver), numbered("stranger", 1)).await, 503);
    // It tries on, many times in this while, and does not say so each time, nor covers the reason.
    eventually("tries on", Duration::from_secs(10), async || {
        nats.log().text().matches("TLS handshake error").count() >= 8
    })
    .await;
    let said = receiver.log().text();
    assert_eq!(said.matches("cannot connect to NATS").count(), 1, "{said}");
    let (_, status) = receiver.admin("/status").await.unwrap();
    assert!(status.contains("invalid peer certificate"), "{status}");
    assert_eq!(receiver.admin("/livez").await.unwrap().0, 200);
}

#[tokio::test]
async fn a_wrong_password_is_not_connected_and_says_why() {
    let login = Login::password("receiver", "a-password");
    let nats = NatsServer::builder()
        .user(User::new(login))
        .start()
        .await
        .unwrap();
    let setup = Setup::new("wrong_password", &nats.url())
        .secret("nats.user", "receiver")
        .secret("nats.password", "another-password")
        .not_ready();
    let receiver = setup.start().await;
    eventually("why", Duration::from_secs(10), async || {
        let (_, status) = receiver.admin("/status").await.unwrap();
        status.contains("authorization violation")
    })
    .await;
    assert!(!receiver.log().contains("another-password"));
    assert_eq!(post(&meta(&receiver), numbered("wrong", 1)).await, 503);
}

#[tokio::test]
async fn rotated_credentials_lose_no_request_and_wrong_ones_never_take_over() {
    let monitor = ReservedPort::new().unwrap();
    let nats = NatsServer::builder()
        .raw(&format!("http: \"{}\"", monitor.address()))
        .user(User::new(Login::password("old", "the-old-password")))
        .user(User::new(Login::password("new", "the-new-password")))
        .start()
        .await
        .unwrap();
    let setup = Setup::new("rotated", &nats.url())
        .secret("nats.user", "old")
        .secret("nats.password", "the-old-password");
    let receiver = setup.start().await;
    let meta = &meta(&receiver);
    let stop = AtomicBool::new(false);
    let load = join_all((0..8).map(async |worker| {
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            let body = numbered(&format!("rotated-{worker}-{count}"), 3);
            assert_eq!(post(meta, body).await, 200, "a request was lost");
            count += 1;
        }
        count
    }));
    let rotate = async {
        let limit = Duration::from_secs(10);
        receiver
            .replace_file("secrets/nats.password", "not-a-password-of-anybody")
            .unwrap();
        eventually("refused", limit, async || {
            receiver.log().contains("authorization violation")
        })
        .await;
        assert!(is_ready(&receiver).await, "the old connection serves");
        receiver.replace_file("secrets/nats.user", "new").unwrap();
        receiver
            .replace_file("secrets/nats.password", "the-new-password")
            .unwrap();
        eventually("went over", limit, async || {
            receiver.log().contains("went over to a new connection to NATS")
        })
        .await;
        // As long as the load goes on, the old connection is drained beside it.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(is_ready(&receiver).await);
        stop.store(true, Ordering::Relaxed);
    };
    let (counts, ()) = tokio::join!(load, rotate);
    let client = nats.client().await.unwrap();
    let posted: usize = counts.iter().sum();
    assert_eq!(distinct(&client, &setup.stream_name()).await, posted * 3);

    // The end of the old connection, which comes later, is not the end of the broker. The test's own client is "old" too.
    drop(client);
    let mark = receiver.log().len();
    let refused = || nats.log().text().matches("authentication error").count();
    let refused_so_far = refused();
    assert_eq!(connections(&monitor, "new").await, 1);
    eventually(
        "the old connection is drained",
        Duration::from_secs(25),
        async || connections(&monitor, "old").await == 0,
    )
    .await;
    assert!(is_ready(&receiver).await);
    let connected = metric(&receiver, "whatsapp_webhook_nats_connected", "").await;
    assert!((connected - 1.0).abs() < 0.1);
    assert_eq!(post(meta, numbered("after", 1)).await, 200);
    assert!(!receiver.log().text()[mark..].contains("was lost"));
    // Nobody tries on with the wrong password, in these twenty seconds or ever.
    assert_eq!(refused(), refused_so_far);
    let (_, status) = receiver.admin("/status").await.unwrap();
    assert!(!status.contains("authorization violation"), "{status}");
}

/// How many connections of a user the server has, as its monitoring port says.
async fn connections(monitor: &ReservedPort, user: &str) -> usize {
    let question = b"GET /connz?auth=1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw_http(monitor.address(), question, Duration::from_secs(5))
        .await
        .unwrap()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let all = report["connections"].as_array().unwrap();
    all.iter().filter(|one| one["authorized_user"] == *user).count()
}

#[tokio::test]
async fn a_domain_and_an_inbox_prefix_are_used() {
    let permissions = Permissions {
        subscribe_allow: vec!["_INBOX_own.>".to_owned()],
        ..Permissions::default()
    };
    let user = User::new(Login::password("receiver", "a-password")).with_permissions(permissions);
    let admin = User::new(Login::password("admin", "admin-password"));
    let nats = NatsServer::builder()
        .domain("hub")
        .user(admin)
        .user(user)
        .start()
        .await
        .unwrap();
    let setup = Setup::new("domain", &nats.url())
        .nats("domain: hub")
        .nats("inboxPrefix: _INBOX_own")
        .secret("nats.user", "receiver")
        .secret("nats.password", "a-password");
    gets_in(&setup).await;
    let elsewhere = Setup::new("elsewhere", &nats.url())
        .nats("domain: nowhere")
        .nats("inboxPrefix: _INBOX_own")
        .secret("nats.user", "receiver")
        .secret("nats.password", "a-password")
        .not_ready();
    let receiver = elsewhere.start().await;
    eventually("named", Duration::from_secs(10), async || {
        let (status, text) = receiver.admin("/readyz").await.unwrap();
        status == 503 && text.contains("did not describe the stream")
    })
    .await;
}
