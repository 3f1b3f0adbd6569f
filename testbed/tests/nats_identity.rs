//! TLS and the ways to log in.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use wahook_testbed::nats::{
    Account, Login, NatsServer, Operator, Permissions, Pki, TlsOptions, User, nkey_user,
};
use wahook_testbed::stream;

fn tls(pki: &Pki) -> TlsOptions {
    TlsOptions {
        server: pki.server().clone(),
        ca: pki.ca(),
        verify_clients: false,
        handshake_first: false,
    }
}

#[tokio::test]
async fn tls_with_a_known_authority_only() {
    let pki = Pki::new().unwrap();
    let server = NatsServer::builder().tls(tls(&pki)).start().await.unwrap();
    let client = server.client().await.unwrap();
    async_nats::jetstream::new(client).query_account().await.unwrap();

    let stranger = Pki::new().unwrap();
    let options = async_nats::ConnectOptions::new().add_root_certificates(stranger.ca());
    assert!(options.connect(server.url()).await.is_err());
}

#[tokio::test]
async fn tls_first_with_client_certificate_and_nkey() {
    let pki = Pki::new().unwrap();
    let login = nkey_user().unwrap();
    let server = NatsServer::builder()
        .tls(TlsOptions {
            verify_clients: true,
            handshake_first: true,
            ..tls(&pki)
        })
        .user(User::new(login.clone()))
        .start()
        .await
        .unwrap();
    let client = server
        .client_with(Some(&login), Some(pki.client()))
        .await
        .unwrap();
    stream::create(&client, "T", &["t.>"]).await.unwrap();

    let stranger = Pki::new().unwrap();
    assert!(
        server
            .client_with(Some(&login), Some(stranger.client()))
            .await
            .is_err()
    );
    assert!(server.client_with(Some(&login), None).await.is_err());
    let other = nkey_user().unwrap();
    assert!(
        server
            .client_with(Some(&other), Some(pki.client()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_operator_s_user_logs_in_with_credentials() {
    let operator = Operator::new().unwrap();
    let user = operator.user("receiver", &Permissions::default()).unwrap();
    let server = NatsServer::builder().operator(&operator).start().await.unwrap();
    let client = server.client_with(Some(&user.login()), None).await.unwrap();
    stream::create(&client, "T", &["t.>"]).await.unwrap();
    assert_eq!(stream::count(&client, "T").await.unwrap(), 0);

    let stranger = Operator::new()
        .unwrap()
        .user("receiver", &Permissions::default())
        .unwrap();
    assert!(server.client_with(Some(&stranger.login()), None).await.is_err());
    assert!(server.client_with(None, None).await.is_err());
}

#[tokio::test]
async fn accounts_have_jetstream_or_not() {
    let account = |name: &str, jetstream| Account {
        name: name.to_owned(),
        jetstream,
        users: vec![User::new(Login::password(name, "password-of-a-test"))],
    };
    let server = NatsServer::builder()
        .domain("hub")
        .account(account("WITH", true))
        .account(account("WITHOUT", false))
        .start()
        .await
        .unwrap();
    let with = server.client().await.unwrap();
    stream::create(&with, "T", &["t.>"]).await.unwrap();
    let context = async_nats::jetstream::with_domain(with, "hub");
    assert!(context.get_stream("T").await.is_ok());
    let login = Login::password("WITHOUT", "password-of-a-test");
    let without = server.client_with(Some(&login), None).await.unwrap();
    assert!(stream::create(&without, "T", &["t.>"]).await.is_err());
}
