//! A broker that is down, slow, gone and back: the operator is never held up.

use std::time::{Duration, Instant};

use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::{Broker, BrokerSettings};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::port::ReservedPort;

use super::common::*;

#[tokio::test]
async fn a_broker_that_is_not_there_yet_is_found_later() {
    let nats = NatsServer::start().await.unwrap();
    nats.stop().await.unwrap();
    let (broker, plan, owner) = (broker(&nats.url()), plan("later"), owner("later"));
    assert!(!broker.state().is_connected());
    assert!(broker.state().trouble().is_none(), "nobody asked yet");
    let began = Instant::now();
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable, "{report:?}");
    assert!(report.message.contains("Check --nats-servers"), "{report:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let began = Instant::now();
    calm(&broker, &plan, &owner).await;
    assert!(
        began.elapsed() < Duration::from_millis(500),
        "known to be down: {:?}",
        began.elapsed()
    );

    let mut watch = broker.watch();
    nats.restart().await.unwrap();
    let back = watch.wait_for(wahook_operator::jetstream::BrokerState::is_connected);
    tokio::time::timeout(Duration::from_secs(10), back)
        .await
        .unwrap()
        .unwrap();
    good(&broker, &plan, &owner).await;
    assert!(broker.state().trouble().is_none());
}

#[tokio::test]
async fn a_broker_that_goes_and_comes_back_is_found_again() {
    let nats = NatsServer::start().await.unwrap();
    let (broker, plan, owner) = (broker(&nats.url()), plan("back"), owner("back"));
    good(&broker, &plan, &owner).await;
    for _ in 0..2 {
        nats.kill9().unwrap();
        eventually("noticed", Duration::from_secs(5), async || {
            calm(&broker, &plan, &owner).await.reason == Reason::BrokerUnreachable
        })
        .await;
        assert!(!broker.state().is_connected());
        nats.restart().await.unwrap();
        eventually("healed", Duration::from_secs(10), async || {
            calm(&broker, &plan, &owner).await.ok
        })
        .await;
    }
    // A restart between two looks is not noticed at all.
    nats.restart().await.unwrap();
    good(&broker, &plan, &owner).await;
}

#[tokio::test]
async fn a_broker_that_hangs_holds_nobody_up() {
    let nats = NatsServer::start().await.unwrap();
    let (broker, plan, owner) = (broker(&nats.url()), plan("hung"), owner("hung"));
    good(&broker, &plan, &owner).await;
    nats.pause().unwrap();
    let began = Instant::now();
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable, "{report:?}");
    assert!(
        report
            .message
            .contains("does not answer about stream whatsapp_test_hung"),
        "{report:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // A new operator meets it hanging.
    let began = Instant::now();
    let report = calm(&super::common::broker(&nats.url()), &plan, &owner).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable, "{report:?}");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    nats.resume().unwrap();
    eventually("healed", Duration::from_secs(10), async || {
        calm(&broker, &plan, &owner).await.ok
    })
    .await;
}

#[tokio::test]
async fn the_next_server_is_used_when_one_is_gone() {
    let (nobody, nats) = (ReservedPort::new().unwrap(), NatsServer::start().await.unwrap());
    let broker = Broker::new(BrokerSettings {
        servers: vec![format!("nats://{}", nobody.address()), nats.url()],
        ..BrokerSettings::default()
    });
    good(&broker, &plan("next"), &owner("next")).await;
}

#[tokio::test]
async fn without_servers_it_says_which_flag() {
    let broker = Broker::new(BrokerSettings::default());
    let report = calm(&broker, &plan("flagless"), &owner("flagless")).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable);
    assert!(report.message.contains("--nats-servers"), "{report:?}");
}

#[tokio::test]
async fn a_broker_without_jetstream_and_a_domain_that_is_not_there_are_told_apart() {
    let nats = NatsServer::builder().without_jetstream().start().await.unwrap();
    let report = calm(&broker(&nats.url()), &plan("plain"), &owner("plain")).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable, "{report:?}");
    assert!(report.message.contains("no JetStream answers"), "{report:?}");

    let nats = NatsServer::builder().domain("hub").start().await.unwrap();
    let (broker, mut plan, owner) = (broker(&nats.url()), plan("domain"), owner("domain"));
    plan.spec.domain = Some("elsewhere".into());
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::BrokerUnreachable, "{report:?}");
    assert!(report.message.contains("the domain elsewhere"), "{report:?}");
    plan.spec.domain = Some("hub".into());
    good(&broker, &plan, &owner).await;
    calm(&broker, &plan, &owner).await;
}

/// The connection ends with its owner.
#[tokio::test]
async fn a_dropped_broker_leaves_nothing_behind() {
    let monitor = ReservedPort::new().unwrap();
    let nats = NatsServer::builder()
        .raw(&format!("http: \"{}\"", monitor.address()))
        .start()
        .await
        .unwrap();
    let broker = broker(&nats.url());
    good(&broker, &plan("dropped"), &owner("dropped")).await;
    assert_eq!(connections(&monitor, "").await, 1);
    drop(broker);
    eventually("gone", Duration::from_secs(5), async || {
        connections(&monitor, "").await == 0
    })
    .await;
}
