//! Every way to log in, TLS, and credentials that change while the operator runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::{Broker, BrokerSettings};
use wahook_testbed::nats::{Login, NatsServer, Operator, Permissions, Pki, TlsOptions, User, nkey_user};
use wahook_testbed::port::ReservedPort;

use super::common::*;

/// A directory with these files, and a broker that logs in with them.
pub(crate) fn with_files(
    url: &str,
    files: &[(&str, &str)],
    ca: Option<&Path>,
) -> (tempfile::TempDir, Broker) {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    let broker = Broker::new(BrokerSettings {
        servers: vec![url.to_owned()],
        credentials_dir: (!files.is_empty()).then(|| dir.path().to_owned()),
        ca_file: ca.map(Path::to_owned),
    });
    (dir, broker)
}

async fn gets_in(url: &str, files: &[(&str, &str)], ca: Option<&Path>) {
    let (_dir, broker) = with_files(url, files, ca);
    let report = broker.look_after(&plan("login"), &owner("login")).await;
    assert!(report.ok, "{report:?}");
}

#[tokio::test]
async fn every_way_to_log_in_gets_in() {
    let nkey = nkey_user().unwrap();
    let Login::Nkey { seed } = nkey.clone() else {
        panic!("not an nkey")
    };
    let nats = NatsServer::builder()
        .user(User::new(Login::password("operator", "a-password")))
        .user(User::new(nkey))
        .start()
        .await
        .unwrap();
    gets_in(
        &nats.url(),
        &[("nats.user", "operator\n"), ("nats.password", "a-password\n")],
        None,
    )
    .await;
    gets_in(&nats.url(), &[("nats.nkey", &seed)], None).await;

    let nats = NatsServer::builder()
        .raw("authorization { token: \"a-token-of-nats\" }")
        .start()
        .await
        .unwrap();
    gets_in(&nats.url(), &[("nats.token", "a-token-of-nats\n")], None).await;

    let authority = Operator::new().unwrap();
    let nats = NatsServer::builder().operator(&authority).start().await.unwrap();
    let user = authority.user("operator", &Permissions::default()).unwrap();
    gets_in(&nats.url(), &[("nats.creds", user.text())], None).await;
}

async fn tls_server(pki: &Pki, verify_clients: bool) -> NatsServer {
    let options = TlsOptions {
        server: pki.server().clone(),
        ca: pki.ca(),
        verify_clients,
        handshake_first: false,
    };
    NatsServer::builder().tls(options).start().await.unwrap()
}

#[tokio::test]
async fn tls_with_the_right_authority_and_a_client_certificate_gets_in() {
    let pki = Pki::new().unwrap();
    let nats = tls_server(&pki, false).await;
    gets_in(&nats.url(), &[], Some(&pki.ca())).await;
    let plain = nats.url().replace("tls://", "nats://");
    gets_in(&plain, &[], Some(&pki.ca())).await;

    let nats = tls_server(&pki, true).await;
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let (certificate, key) = (read(&pki.client().certificate), read(&pki.client().key));
    let files = [("nats-tls.crt", &*certificate), ("nats-tls.key", &*key)];
    gets_in(&nats.url(), &files, Some(&pki.ca())).await;
}

#[tokio::test]
async fn a_wrong_authority_says_why_and_the_right_one_heals() {
    let (pki, stranger) = (Pki::new().unwrap(), Pki::new().unwrap());
    let nats = tls_server(&pki, false).await;
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    fs::copy(stranger.ca(), &ca).unwrap();
    let (_dir, broker) = with_files(&nats.url(), &[], Some(&ca));
    let (plan, owner) = (plan("authority"), owner("authority"));
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable, "{report:?}");
    assert!(report.message.contains("invalid peer certificate"), "{report:?}");
    assert!(report.message.contains("--nats-ca-file"), "{report:?}");
    fs::copy(pki.ca(), &ca).unwrap();
    eventually("healed", Duration::from_secs(10), async || {
        broker.look_after(&plan, &owner).await.ok
    })
    .await;
}

/// With an authority TLS is meant: no password goes to a server that offers none.
#[tokio::test]
async fn an_authority_refuses_a_broker_without_tls() {
    let nats = NatsServer::start().await.unwrap();
    let pki = Pki::new().unwrap();
    let (_dir, broker) = with_files(&nats.url(), &[("nats.token", "a-token-of-nats")], Some(&pki.ca()));
    let report = calm(&broker, &plan("plain"), &owner("plain")).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable, "{report:?}");
}

#[tokio::test]
async fn a_wrong_login_says_so_and_not_what_it_was() {
    let nats = NatsServer::builder()
        .user(User::new(Login::password("operator", "a-password")))
        .start()
        .await
        .unwrap();
    let files = [("nats.user", "operator"), ("nats.password", "sesame")];
    let (dir, broker) = with_files(&nats.url(), &files, None);
    let (plan, owner) = (plan("wrong"), owner("wrong"));
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::BrokerDenied, "{report:?}");
    assert!(
        report.message.contains("nats.user with nats.password"),
        "{report:?}"
    );
    assert!(!format!("{report:?} {broker:?}").contains("sesame"));
    // A second way to log in beside it.
    fs::write(dir.path().join("nats.token"), "open-sesame").unwrap();
    eventually("said", Duration::from_secs(10), async || {
        let report = calm(&broker, &plan, &owner).await;
        assert!(!format!("{report:?} {broker:?}").contains("sesame"));
        report.message.contains("more than one way to log in")
    })
    .await;
    fs::remove_file(dir.path().join("nats.token")).unwrap();
    fs::write(dir.path().join("nats.password"), "a-password").unwrap();
    eventually("healed", Duration::from_secs(10), async || {
        broker.look_after(&plan, &owner).await.ok
    })
    .await;
}

#[tokio::test]
async fn no_login_where_one_is_needed_says_so() {
    let nats = NatsServer::builder()
        .user(User::new(Login::password("operator", "a-password")))
        .start()
        .await
        .unwrap();
    let report = calm(&broker(&nats.url()), &plan("nobody"), &owner("nobody")).await;
    assert_eq!(report.reason, Reason::BrokerDenied, "{report:?}");
    assert!(report.message.contains("--nats-credentials-dir"), "{report:?}");
}

#[tokio::test]
async fn rotated_credentials_take_over_and_wrong_ones_never_do() {
    let monitor = ReservedPort::new().unwrap();
    let nats = NatsServer::builder()
        .raw(&format!("http: \"{}\"", monitor.address()))
        .user(User::new(Login::password("old", "the-old-password")))
        .user(User::new(Login::password("new", "the-new-password")))
        .start()
        .await
        .unwrap();
    let files = [("nats.user", "old"), ("nats.password", "the-old-password")];
    let (dir, broker) = with_files(&nats.url(), &files, None);
    let (plan, owner) = (plan("rotated"), owner("rotated"));
    good(&broker, &plan, &owner).await;
    assert_eq!(connections(&monitor, "old").await, 1);

    fs::write(dir.path().join("nats.password"), "not-a-password-of-anybody").unwrap();
    eventually("refused", Duration::from_secs(10), async || {
        assert!(calm(&broker, &plan, &owner).await.ok, "the old login serves");
        let state = broker.state();
        state
            .trouble()
            .is_some_and(|trouble| trouble.reason == Reason::BrokerDenied)
    })
    .await;
    assert!(broker.state().is_connected());

    fs::write(dir.path().join("nats.user"), "new").unwrap();
    fs::write(dir.path().join("nats.password"), "the-new-password").unwrap();
    eventually("taken over", Duration::from_secs(10), async || {
        assert!(calm(&broker, &plan, &owner).await.ok, "no look fails meanwhile");
        connections(&monitor, "new").await == 1 && connections(&monitor, "old").await == 0
    })
    .await;
    assert!(broker.state().trouble().is_none());
}

/// As the kubelet swaps a mounted Secret: a symlink to another directory.
#[cfg(unix)]
#[tokio::test]
async fn a_swapped_directory_is_noticed() {
    let nats = NatsServer::builder()
        .user(User::new(Login::password("operator", "a-password")))
        .start()
        .await
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mount = dir.path();
    for (version, password) in [("..1", "sesame"), ("..2", "a-password")] {
        fs::create_dir(mount.join(version)).unwrap();
        fs::write(mount.join(version).join("nats.user"), "operator").unwrap();
        fs::write(mount.join(version).join("nats.password"), password).unwrap();
    }
    std::os::unix::fs::symlink("..1", mount.join("..data")).unwrap();
    for name in ["nats.user", "nats.password"] {
        std::os::unix::fs::symlink(Path::new("..data").join(name), mount.join(name)).unwrap();
    }
    let broker = Broker::new(BrokerSettings {
        servers: vec![nats.url()],
        credentials_dir: Some(mount.to_owned()),
        ca_file: None,
    });
    let (plan, owner) = (plan("swapped"), owner("swapped"));
    assert_eq!(calm(&broker, &plan, &owner).await.reason, Reason::BrokerDenied);
    std::os::unix::fs::symlink("..2", mount.join("..new")).unwrap();
    fs::rename(mount.join("..new"), mount.join("..data")).unwrap();
    eventually("healed", Duration::from_secs(10), async || {
        broker.look_after(&plan, &owner).await.ok
    })
    .await;
}
