//! An alert on its whole way: Prometheus sees a target vanish, Alertmanager tells of it, and that it is back.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use serde_json::json;
use wahook_testbed::monitoring::{Alertmanager, Catcher, Prometheus, PrometheusOptions};
use wahook_testbed::process::{ReadyWhen, ReceiverOptions, ReceiverProcess};

#[tokio::test]
async fn an_alert_is_told_and_resolved() {
    const LIMIT: Duration = Duration::from_secs(30);
    let options = ReceiverOptions::by_hand(
        "0123456789abcdef0123456789abcdef",
        "a-verify-token-for-tests",
        "nats://127.0.0.1:9",
    )
    .ready_when(ReadyWhen::Live);
    let receiver = ReceiverProcess::start(options).await.unwrap();
    let (catcher, target) = (
        Catcher::start().await.unwrap(),
        receiver.admin_address().to_string(),
    );
    let alertmanager = Alertmanager::start(&catcher).await.unwrap();
    let rules = json!({ "groups": [{ "name": "g", "rules": [
        { "alert": "Unconnected", "expr": "whatsapp_webhook_nats_connected == 0" },
    ] }] });
    let begin = Instant::now();
    let options = PrometheusOptions {
        rules: vec![rules.to_string()],
        alertmanager: Some(alertmanager.address()),
        ..PrometheusOptions::default()
    };
    let prometheus = Prometheus::start(&options.target("receiver", &[target]))
        .await
        .unwrap();

    let told = catcher
        .wait_for(begin, LIMIT, |notice| {
            notice.is_firing && notice.is("Unconnected", &[("job", "receiver")])
        })
        .await;
    assert!(told.is_some(), "{}", prometheus.log().tail(20));
    let result = prometheus.query("up{job=\"receiver\"}").await.unwrap();
    assert_eq!(result[0]["value"][1], "1");
    assert_eq!(prometheus.targets().await.unwrap()[0]["health"], "up");
    assert!(prometheus.query("up{").await.is_err());

    drop(receiver);
    let resolved = catcher
        .wait_for(begin, LIMIT, |notice| {
            !notice.is_firing && notice.is("Unconnected", &[])
        })
        .await;
    assert!(resolved.is_some(), "{:?}", catcher.notices());
}
