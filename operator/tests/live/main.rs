//! Every alert on its whole way: the real thing is broken, a real Prometheus sees it, a real Alertmanager tells of it in time,
//! and tells that it is over after the repair.
//!
//! In time means: within the alert's `for`, two scrapes, an evaluation and Alertmanager's `group_wait`, counted from the moment
//! at which the break can show in the alert's query. Each scenario says how long that takes, such as the 17 s of a late request.
//!
//! Time is compressed by the rule builder's own parameter: an hour is a minute, and for the alert that compares with yesterday
//! a day is two minutes.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc
)]

#[path = "../cluster/support/kubelet.rs"]
mod kubelet;
mod operator;
#[path = "../cluster/support/plane.rs"]
#[allow(dead_code)]
mod plane;
mod proof;
mod receivers;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use wahook_operator::build::alerts::{self, Subject, Thresholds};
use wahook_operator::build::prometheus_rule::{file, operator_file};
use wahook_operator::child::ChildKind;
use wahook_testbed::kube::ControlPlane;
use wahook_testbed::monitoring::{Alertmanager, Catcher, Prometheus, PrometheusOptions};
use wahook_testbed::nats::NatsServer;

use self::operator::Operator;
use self::proof::Proof;

const NAMESPACE: &str = "live";
/// An hour in a minute.
const COMPRESSION: u64 = 60;
/// Yesterday two minutes ago.
const FAST: u64 = 720;
/// Alerts that are not provoked here, and why.
const OTHERS: [(&str, &str); 1] = [(
    "WhatsAppWebhookEndpointUnreachable",
    "needs a name that public resolvers know and port 443; every reason of the probe is reproduced in tests/probe.rs, and \
     the alert in tests/alerts",
)];
/// Each has a receiver of its own, so that all can be broken at the same time.
const RECEIVERS: [&str; 8] = [
    "broken", "slow", "forged", "wrong", "retired", "repeats", "odd", "quiet",
];
/// Resources that the operator looks after.
const RESOURCES: [&str; 5] = ["unready", "few", "stalled", "expiring", "full"];

const MONITORING: &str = include_str!("../../../docs/monitoring.md");

/// A scrape configuration as the manual has it, behind this mark, but for where things are.
fn documented(mark: &str, here: &str, there: &str) -> String {
    let (_, rest) = MONITORING
        .split_once(&format!("<!-- {mark} -->\n```yaml\n"))
        .unwrap();
    let (snippet, _) = rest.split_once("```").unwrap();
    assert!(snippet.contains(here), "{snippet}");
    snippet.replace(here, there)
}

fn thresholds(compression: u64) -> Thresholds {
    Thresholds {
        compression,
        // The pauses between attempts to watch are not compressed: up to half a minute.
        watch_errors: 1,
        ..Thresholds::default()
    }
}

fn subject(name: &str) -> Subject<'_> {
    Subject {
        namespace: NAMESPACE,
        name,
        is_active: true,
        // Only one has to be down.
        is_monitored: name == "broken",
    }
}

fn rules() -> Vec<String> {
    let mut rules = vec![json!(operator_file(&thresholds(COMPRESSION))).to_string()];
    for name in RECEIVERS.iter().chain(&RESOURCES) {
        let compression = if *name == "quiet" { FAST } else { COMPRESSION };
        rules.push(json!(file(&subject(name), &thresholds(compression))).to_string());
    }
    rules
}

/// Every alert there is, with its waiting time as it is here.
fn every() -> Vec<alerts::Alert> {
    let mut every = alerts::webhook(&subject("broken"), &thresholds(COMPRESSION));
    every.extend(alerts::operator(&thresholds(COMPRESSION)));
    every
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, attempt: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(answer) = attempt().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn every_alert_arrives_in_time_and_is_resolved() {
    let (good, bad) = (
        NatsServer::start().await.unwrap(),
        NatsServer::start().await.unwrap(),
    );
    let mut receivers = BTreeMap::new();
    for name in RECEIVERS {
        let nats = if name == "broken" { &bad } else { &good };
        receivers.insert(name, receivers::receiver(name, nats).await);
    }
    let plane = ControlPlane::start().await.unwrap();
    let client = plane::client(&plane.kubeconfig_text().unwrap()).await;
    plane::install(&client, &wahook_crds::crd()).await;
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
        plane::install(&client, &plane::definition(kind)).await;
    }
    plane::create_namespace(&client, NAMESPACE).await;
    let mut operator = Operator::start(plane, client, &good).await;
    operator.ready().await;

    let catcher = Catcher::start().await.unwrap();
    let alertmanager = Alertmanager::start(&catcher).await.unwrap();
    let targets: Vec<_> = receivers
        .values()
        .map(|one| one.admin_address().to_string())
        .collect();
    // Outside of a cluster Prometheus has to be told where it is.
    let in_cluster = format!(
        "- role: pod\n        kubeconfig_file: '{}'",
        operator.kubeconfig().display()
    );
    let options = PrometheusOptions {
        scrape: vec![
            documented("static", "[\"127.0.0.1:9090\"]", &json!(targets).to_string()),
            documented("annotations", "- role: pod", &in_cluster),
        ],
        rules: rules(),
        alertmanager: Some(alertmanager.address()),
        ..PrometheusOptions::default()
    };
    let options = options.target("wahook-operator", &[operator.target()]);
    let prometheus = Prometheus::start(&options).await.unwrap();
    eventually("every target to be scraped", async || {
        let up = prometheus.query("sum(up)").await.unwrap();
        let count = up[0]["value"][1].as_str()?.parse::<usize>().ok()?;
        (count == RECEIVERS.len() + 1).then_some(())
    })
    .await;

    let annotated = receivers::receiver("annotated", &good).await;
    operator.annotated(annotated.admin_address()).await;
    eventually("the annotated pod to be scraped", async || {
        let query = "whatsapp_webhook_stream_ready{webhook=\"annotated\", job=\"annotated-pods\"} == 1";
        let found = prometheus.query(query).await.unwrap();
        found.get(0).is_some().then_some(())
    })
    .await;

    let proof = Proof::new(catcher, every());
    let of_operator = async {
        tokio::join!(
            operator.unready(&proof),
            operator.few(&proof),
            operator.stalled(&proof),
            operator.expiring(&proof),
            operator.full(&proof, &good),
        );
        operator.alone(&proof).await;
        operator.killed_and_upgraded(&proof).await;
    };
    tokio::join!(
        of_operator,
        receivers::broken(&proof, &receivers["broken"], &bad),
        receivers::slow(&proof, &receivers["slow"]),
        receivers::forged(&proof, &receivers["forged"]),
        receivers::wrong(&proof, &receivers["wrong"]),
        receivers::retired(&proof, &receivers["retired"]),
        receivers::repeats(&proof, &receivers["repeats"]),
        receivers::odd(&proof, &receivers["odd"]),
        receivers::quiet(&proof, &receivers["quiet"]),
    );
    eprintln!("{}", operator.log().tail(5));
    proof.finish(&OTHERS);
}
