//! What all tests share: one nats-server, plans with small streams, and a broker as the operator has it.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::stream::{Config, Info, StorageType};
use async_nats::jetstream::{self, Context};
use tokio::sync::Mutex;
use wahook_operator::jetstream::{Broker, BrokerSettings, StreamOwner, StreamReport};
use wahook_operator::validate::{StreamKeeper, StreamPlan};
use wahook_stream::StreamSpec;
use wahook_testbed::meta::raw_http;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::port::ReservedPort;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
pub(crate) const MIB: i64 = 1 << 20;

/// The server that tests share. It ends with the last test that holds it.
pub(crate) async fn nats() -> Arc<NatsServer> {
    static SHARED: Mutex<Weak<NatsServer>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Arc::new(NatsServer::start().await.unwrap());
    *shared = Arc::downgrade(&server);
    server
}

/// The operator's broker at this address, without a login.
pub(crate) fn broker(url: &str) -> Broker {
    Broker::new(BrokerSettings {
        servers: vec![url.to_owned()],
        ..BrokerSettings::default()
    })
}

/// The webhook `test/<name>`.
pub(crate) fn owner(name: &str) -> StreamOwner {
    StreamOwner {
        namespace: "test".to_owned(),
        name: name.to_owned(),
        uid: format!("uid-of-{name}"),
    }
}

/// The plan of a managed webhook `test/<name>`: small, since a server reserves what streams may hold.
pub(crate) fn plan(name: &str) -> StreamPlan {
    let stream = format!("whatsapp_test_{name}");
    StreamPlan {
        spec: StreamSpec {
            subjects: format!("whatsapp.test.{name}.>"),
            ensure: false,
            window: DAY,
            max_age: 7 * DAY,
            max_bytes: 4 * MIB,
            replicas: None,
            storage: StorageType::File,
            bucket: format!("{stream}_objects"),
            domain: None,
            name: stream,
        },
        keeper: StreamKeeper::Operator,
        deny_delete: false,
    }
}

/// The same plan for a stream that somebody else looks after.
pub(crate) fn external(name: &str) -> StreamPlan {
    StreamPlan {
        keeper: StreamKeeper::Checked,
        ..plan(name)
    }
}

/// Looks, and demands that all is well.
pub(crate) async fn good(broker: &Broker, plan: &StreamPlan, owner: &StreamOwner) -> StreamReport {
    let report = broker.look_after(plan, owner).await;
    assert!(report.ok, "{report:?}");
    report
}

/// Looks, and demands that nothing is written.
pub(crate) async fn calm(broker: &Broker, plan: &StreamPlan, owner: &StreamOwner) -> StreamReport {
    let report = broker.look_after(plan, owner).await;
    assert_eq!(report.written, Vec::<String>::new(), "{report:?}");
    report
}

pub(crate) async fn info(context: &Context, stream: &str) -> Info {
    let stream = context.get_stream(stream).await.unwrap();
    stream.cached_info().clone()
}

pub(crate) async fn config(context: &Context, stream: &str) -> Config {
    info(context, stream).await.config
}

/// Publishes events of this many bytes to the webhook's subjects, acknowledged.
pub(crate) async fn publish(context: &Context, name: &str, count: usize, bytes: usize) {
    for _ in 0..count {
        let subject = format!("whatsapp.test.{name}.1.messages.text.0");
        let acked = context.publish(subject, vec![b'x'; bytes].into()).await.unwrap();
        acked.await.unwrap();
    }
}

pub(crate) fn context(client: &Client) -> Context {
    jetstream::new(client.clone())
}

/// Waits for something to become true.
pub(crate) async fn eventually(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !check().await {
        assert!(Instant::now() < deadline, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many connections of a user the server has, as its monitoring port says; of anybody when the user is empty.
pub(crate) async fn connections(monitor: &ReservedPort, user: &str) -> usize {
    let question = b"GET /connz?auth=1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = raw_http(monitor.address(), question, Duration::from_secs(5))
        .await
        .unwrap()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let all = report["connections"].as_array().unwrap();
    all.iter()
        .filter(|one| user.is_empty() || one["authorized_user"] == *user)
        .count()
}
