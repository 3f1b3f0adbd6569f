//! The operator's permissions of docs/nats-permissions.md, as they stand there, and what happens with fewer.

use std::time::{Duration, Instant};

use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::Broker;
use wahook_testbed::manual;
use wahook_testbed::nats::{Login, NatsServer};

use super::common::*;
use super::login::with_files;

const MAKES: &str = "The operator, which makes streams";
const CHECKS: &str = "The operator, which only checks";

/// A server whose user `operator` has these permissions, its administrator's context, and the operator's broker.
async fn server(permissions: &str) -> (NatsServer, async_nats::Client, (tempfile::TempDir, Broker)) {
    let users = format!(
        "authorization {{ users: [\n{{user: admin, password: admin-password}}\n\
         {{user: operator, password: operator-password, permissions: {{ {permissions} }} }}\n] }}"
    );
    let nats = NatsServer::builder().raw(&users).start().await.unwrap();
    let admin = Login::password("admin", "admin-password");
    let client = nats.client_with(Some(&admin), None).await.unwrap();
    let files = [("nats.user", "operator"), ("nats.password", "operator-password")];
    let broker = with_files(&nats.url(), &files, None);
    (nats, client, broker)
}

#[tokio::test]
async fn with_what_is_documented_streams_are_made_and_grown() {
    let (_nats, admin, (_dir, broker)) = server(&manual::permissions(MAKES).unwrap()).await;
    let (mut plan, owner) = (plan("granted"), owner("granted"));
    let report = good(&broker, &plan, &owner).await;
    assert_eq!(report.written.len(), 2);
    plan.spec.max_age = 9 * DAY;
    assert_eq!(good(&broker, &plan, &owner).await.written.len(), 2);
    calm(&broker, &plan, &owner).await;
    let context = context(&admin);
    context
        .create_stream(external("foreign").spec.stream_config(false))
        .await
        .unwrap();
    assert!(
        calm(&broker, &external("foreign"), &super::common::owner("foreign"))
            .await
            .ok
    );
}

#[tokio::test]
async fn with_the_smaller_set_external_streams_are_checked() {
    let (_nats, admin, (_dir, broker)) = server(&manual::permissions(CHECKS).unwrap()).await;
    let (plan, owner) = (external("checked"), owner("checked"));
    assert_eq!(calm(&broker, &plan, &owner).await.reason, Reason::StreamNotFound);
    context(&admin)
        .create_stream(plan.spec.stream_config(false))
        .await
        .unwrap();
    assert!(calm(&broker, &plan, &owner).await.ok);
}

/// Each line of the page is needed: without it the condition names it, at once.
#[tokio::test]
async fn what_is_missing_is_named() {
    let all = manual::permissions(MAKES).unwrap();
    for (grant, named) in [
        (
            "$JS.API.STREAM.INFO.*",
            "$JS.API.STREAM.INFO.whatsapp_test_denied",
        ),
        (
            "$JS.API.STREAM.CREATE.*",
            "$JS.API.STREAM.CREATE.whatsapp_test_denied",
        ),
        (
            "$JS.API.STREAM.UPDATE.*",
            "$JS.API.STREAM.UPDATE.whatsapp_test_denied",
        ),
    ] {
        let fewer = all.replace(grant, "nothing");
        assert_ne!(fewer, all, "{grant} is documented");
        let (_nats, admin, (_dir, broker)) = server(&fewer).await;
        let (plan, owner) = (plan("denied"), owner("denied"));
        if grant.contains("UPDATE") {
            context(&admin)
                .create_stream(plan.spec.stream_config(false))
                .await
                .unwrap();
        }
        let began = Instant::now();
        let report = broker.look_after(&plan, &owner).await;
        assert_eq!(report.reason, Reason::BrokerDenied, "{report:?}");
        assert!(report.message.contains(named), "{report:?}");
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "not after a time-out: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn a_denied_inbox_is_named_and_heals() {
    let fewer = manual::permissions(MAKES)
        .unwrap()
        .replace("_INBOX_wahook-operator", "_INBOX_other");
    let (_nats, _admin, (_dir, broker)) = server(&fewer).await;
    for _ in 0..2 {
        let report = calm(&broker, &plan("deaf"), &owner("deaf")).await;
        assert_eq!(report.reason, Reason::BrokerDenied, "{report:?}");
        assert!(report.message.contains("_INBOX_wahook-operator.>"), "{report:?}");
    }
}

/// What the page promises not to ask for.
#[tokio::test]
async fn nothing_more_is_granted_than_looking_making_and_changing() {
    let page = manual::permissions(MAKES).unwrap();
    for never in ["DELETE", "PURGE", "MSG", "CONSUMER", "\">\"", "$O", "whatsapp"] {
        assert!(!page.contains(never), "{never}");
    }
}
