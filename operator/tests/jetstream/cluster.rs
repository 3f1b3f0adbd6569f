//! Copies on a cluster, servers that are gone, and a domain elsewhere.

use std::time::{Duration, Instant};

use wahook_crds::conditions::Reason;
use wahook_operator::jetstream::{Broker, BrokerSettings};
use wahook_testbed::nats::{NatsCluster, NatsServer};
use wahook_testbed::port::ReservedPort;

use super::common::*;

fn broker_of(cluster: &NatsCluster) -> Broker {
    Broker::new(BrokerSettings {
        servers: cluster.urls(),
        ..BrokerSettings::default()
    })
}

#[tokio::test]
async fn a_cluster_keeps_three_copies_unless_told_otherwise() {
    let cluster = NatsCluster::start(3).await.unwrap();
    let context = context(&cluster.client().await.unwrap());
    let (broker, mut plan, owner) = (broker_of(&cluster), plan("copied"), owner("copied"));
    good(&broker, &plan, &owner).await;
    assert_eq!(config(&context, &plan.spec.name).await.num_replicas, 3);
    assert_eq!(config(&context, &plan.spec.bucket_stream()).await.num_replicas, 3);
    calm(&broker, &plan, &owner).await;
    publish(&context, "copied", 20, 100).await;

    // One made with one copy, as on the single server that the cluster was before, gets three.
    let mut single = super::common::plan("single");
    let mut made = single.spec.stream_config(false);
    made.num_replicas = 1;
    context.create_stream(&made).await.unwrap();
    let single_owner = super::common::owner("single");
    let report = good(&broker, &single, &single_owner).await;
    assert!(
        report
            .written
            .iter()
            .any(|what| what.ends_with("num_replicas 1 -> 3")),
        "{report:?}"
    );
    cluster.wait_until_current(&single.spec.name).await.unwrap();
    calm(&broker, &single, &single_owner).await;
    // What an administrator gave it beyond that stays, and only the resource itself gives copies up.
    single.spec.replicas = Some(1);
    let report = good(&broker, &single, &single_owner).await;
    assert!(report.written[0].ends_with("num_replicas 3 -> 1"), "{report:?}");

    // A leader lost, and found again; then only one server of three.
    cluster.leader_of(&plan.spec.name).await.unwrap().kill9().unwrap();
    eventually("a new leader", Duration::from_secs(60), async || {
        calm(&broker, &plan, &owner).await.ok
    })
    .await;
    let alive: Vec<_> = cluster
        .nodes()
        .iter()
        .filter(|node| node.pid().is_some())
        .collect();
    alive[0].kill9().unwrap();
    plan.spec.max_age = 20 * DAY;
    eventually("no quorum", Duration::from_secs(60), async || {
        let began = Instant::now();
        let report = calm(&broker, &plan, &owner).await;
        assert!(began.elapsed() < Duration::from_secs(11), "{:?}", began.elapsed());
        report.reason == Reason::BrokerUnreachable
    })
    .await;
    for node in cluster.nodes().iter().filter(|node| node.pid().is_none()) {
        node.restart().await.unwrap();
    }
    eventually("healed", Duration::from_secs(60), async || {
        broker.look_after(&plan, &owner).await.ok
    })
    .await;
    assert_eq!(info(&context, &plan.spec.name).await.state.messages, 20);
}

#[tokio::test]
async fn a_cluster_with_too_few_servers_says_so() {
    let cluster = NatsCluster::start(2).await.unwrap();
    let (broker, mut plan, owner) = (broker_of(&cluster), plan("few"), owner("few"));
    let report = calm(&broker, &plan, &owner).await;
    assert_eq!(report.reason, Reason::StreamRefused, "{report:?}");
    assert!(report.message.contains("too few servers"), "{report:?}");
    assert!(report.message.contains("nats.stream.replicas"), "{report:?}");
    plan.spec.replicas = Some(2);
    good(&broker, &plan, &owner).await;
    calm(&broker, &plan, &owner).await;
}

/// The server that the operator talks to is one of a cluster, and the JetStream of the domain is a single leaf's.
#[tokio::test]
async fn the_copies_are_those_of_the_domain_and_not_of_the_first_server() {
    let (leafs, routes) = (ReservedPort::new().unwrap(), ReservedPort::new().unwrap());
    let hub = NatsServer::builder()
        .without_jetstream()
        .raw(&format!("leafnodes {{ listen: \"{}\" }}", leafs.address()))
        .raw(&format!(
            "cluster {{ name: hub, listen: \"{}\" }}",
            routes.address()
        ))
        .start()
        .await
        .unwrap();
    let leaf = NatsServer::builder()
        .name("leaf")
        .domain("edge")
        .raw(&format!(
            "leafnodes {{ remotes: [ {{ url: \"nats-leaf://{}\" }} ] }}",
            leafs.address()
        ))
        .start()
        .await
        .unwrap();
    let (broker, mut plan, owner) = (broker(&hub.url()), plan("edge"), owner("edge"));
    plan.spec.domain = Some("edge".into());
    eventually("made through the hub", Duration::from_secs(15), async || {
        broker.look_after(&plan, &owner).await.ok
    })
    .await;
    calm(&broker, &plan, &owner).await;
    let context = context(&leaf.client().await.unwrap());
    assert_eq!(config(&context, &plan.spec.name).await.num_replicas, 1);
}
