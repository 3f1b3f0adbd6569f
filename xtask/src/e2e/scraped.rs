//! Monitoring as most clusters have it: the real Prometheus operator, asked to look for what the selectors of
//! kube-prometheus-stack look for, writes the configuration, and a real Prometheus does what it says. Both run beside the
//! node, where they need no images.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tempfile::TempDir;
use wahook_testbed::child::OwnedChild;
use wahook_testbed::kube::Project;
use wahook_testbed::log::Log;
use wahook_testbed::monitoring::{Prometheus, PrometheusOptions};
use wahook_testbed::tools::PROMETHEUS_OPERATOR;

use super::error::{E2eError, Result, expect};
use super::founder::{SHOP, SHOP_HOST, delivered};
use super::house::{House, NAMESPACE, RELEASE};

/// Where Prometheus would run.
const MONITORING: &str = "monitoring";
/// The release of kube-prometheus-stack, whose name is what its selectors look for.
const STACK: &str = "kube-prometheus-stack";
/// The time things may take.
const LIMIT: Duration = Duration::from_secs(60);
/// What becomes of the pods' metrics by their annotations, as a user copies it.
const PAGE: &str = "docs/monitoring.md";

/// What has to be found: what a receiver counts, once by its `ServiceMonitor`; what the operator counts and says.
const QUERIES: [&str; 3] = [
    "sum(whatsapp_webhook_requests_total{namespace=\"wahook\", webhook=\"shop\", service=\"shop-webhook\"}) > 0",
    "sum(controller_runtime_reconcile_total{controller=\"whatsappwebhook\"}) > 0",
    "whatsapp_webhook_condition{namespace=\"wahook\", webhook=\"shop\", type=\"Ready\", status=\"True\"} == 1",
];

/// Has everything scraped, by `ServiceMonitor` and by annotations.
pub(super) async fn run(house: &House) -> Result<String> {
    house.define(Project::Prometheuses).await?;
    label(house).await?;
    let directory = tempfile::tempdir().map_err(E2eError::io("make a directory"))?;
    let (_operator, log) = start_operator(house).await?;
    let server = keys(&house.kubectl.kubeconfig, directory.path())?;
    ask_for_prometheus(house, &server, &directory).await?;
    let generated = generated(house, &log).await?;
    let rules = rules(house).await?;
    let annotated = annotated(house, &server, &directory)?;
    let options = PrometheusOptions {
        interval: "2s".to_owned(),
        scrape: vec![generated.to_string(), annotated],
        rules: rules.clone(),
        ..PrometheusOptions::default()
    };
    let prometheus = Prometheus::start(&options).await?;
    let targets = all_up(house, &prometheus).await?;
    let alerts = evaluated(&prometheus, &rules).await?;
    delivered(house, SHOP, SHOP_HOST).await?;
    for query in QUERIES {
        finds(&prometheus, query).await?;
    }
    house
        .kubectl
        .line(&format!("delete namespace {MONITORING} --wait=false"))
        .await?;
    Ok(format!("{targets} targets up, {alerts} alerts evaluated"))
}

/// Gives our monitors and rules the label that is looked for, as a user does: by values and by the resource.
async fn label(house: &House) -> Result {
    let chart = house.path("charts/wahook");
    let set = |parts: &[&str]| parts.join(",");
    let release = format!("labels.release={STACK}");
    let values = set(&[
        "monitoring.serviceMonitor.enabled=true",
        "monitoring.serviceMonitor.interval=5s",
        &format!("monitoring.serviceMonitor.{release}"),
        "monitoring.prometheusRule.enabled=true",
        &format!("monitoring.prometheusRule.{release}"),
        "allow.annotations[0]=prometheus.io/*",
    ]);
    house
        .helm
        .run(&[
            "upgrade",
            RELEASE,
            &chart,
            "--namespace",
            NAMESPACE,
            "--reuse-values",
            "--set",
            &values,
            "--wait",
        ])
        .await?;
    let labels = json!({ "release": STACK });
    let annotations = json!({ "prometheus.io/scrape": "true", "prometheus.io/port": "9090" });
    let patch = json!({ "spec": {
        "monitoring": {
            "serviceMonitor": { "interval": "5s", "labels": labels },
            "prometheusRule": { "labels": labels },
        },
        "receiver": { "podMetadata": { "annotations": annotations } },
    }});
    let (namespace, name) = SHOP;
    house
        .kubectl
        .run(&[
            "patch",
            "whatsappwebhook",
            name,
            "-n",
            namespace,
            "--type=merge",
            "--patch",
            &patch.to_string(),
        ])
        .await?;
    let is_annotated = |list: &Value| {
        let mut templates = list["items"].as_array().into_iter().flatten();
        templates.any(|deployment| {
            deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/scrape"] == "true"
        })
    };
    let line = format!("deployments -n {namespace} -l wahook.dev/webhook={name}");
    house
        .kubectl
        .until(&line, LIMIT, "annotated", is_annotated)
        .await?;
    house.rolled_out(namespace, &format!("{name}-webhook")).await
}

async fn start_operator(house: &House) -> Result<(OwnedChild, Log)> {
    let program = tokio::task::spawn_blocking(|| PROMETHEUS_OPERATOR.find_or_install())
        .await
        .map_err(|error| E2eError::Unmet(error.to_string()))??;
    let mut command = Command::new(program);
    command
        .args(["--log-level=warn", "--web.listen-address=127.0.0.1:0"])
        .env("KUBECONFIG", &house.kubectl.kubeconfig);
    let log = Log::default();
    let child = OwnedChild::spawn(command, &log).map_err(E2eError::io("start the Prometheus operator"))?;
    Ok((child, log))
}

/// A `Prometheus` with the selectors of kube-prometheus-stack, which reaches the API server from outside the cluster.
async fn ask_for_prometheus(house: &House, server: &str, directory: &TempDir) -> Result {
    let all = json!({});
    let ours = json!({ "matchLabels": { "release": STACK } });
    let file = |name: &str| directory.path().join(name).display().to_string();
    let prometheus = json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": { "name": "stack" },
        "spec": {
            // The process is started by hand.
            "replicas": 0,
            "serviceMonitorSelector": ours, "serviceMonitorNamespaceSelector": all,
            "ruleSelector": ours, "ruleNamespaceSelector": all,
            "apiserverConfig": {
                "host": server,
                "tlsConfig": { "caFile": file("ca.crt"), "certFile": file("tls.crt"), "keyFile": file("tls.key") },
            },
        },
    });
    house
        .kubectl
        .line(&format!("create namespace {MONITORING}"))
        .await?;
    house.kubectl.apply(MONITORING, &prometheus.to_string()).await
}

/// Writes the keys of a kubeconfig into files; the API server's address.
fn keys(kubeconfig: &Path, directory: &Path) -> Result<String> {
    let text = fs::read_to_string(kubeconfig).map_err(E2eError::io("read the kubeconfig"))?;
    let read: Value = serde_saphyr::from_str(&text).map_err(|error| E2eError::Unmet(error.to_string()))?;
    let (cluster, user) = (&read["clusters"][0]["cluster"], &read["users"][0]["user"]);
    for (name, value) in [
        ("ca.crt", &cluster["certificate-authority-data"]),
        ("tls.crt", &user["client-certificate-data"]),
        ("tls.key", &user["client-key-data"]),
    ] {
        let bytes = STANDARD
            .decode(value.as_str().unwrap_or_default())
            .unwrap_or_default();
        fs::write(directory.join(name), bytes).map_err(E2eError::io(format!("write {name}")))?;
    }
    Ok(cluster["server"].as_str().unwrap_or_default().to_owned())
}

/// The `scrape_configs` that the Prometheus operator wrote.
async fn generated(house: &House, log: &Log) -> Result<Value> {
    let deadline = Instant::now() + LIMIT;
    let wanted = [
        format!("serviceMonitor/{}/{}-webhook/0", SHOP.0, SHOP.1),
        format!("serviceMonitor/{NAMESPACE}/{RELEASE}-operator/0"),
    ];
    loop {
        let configuration = configuration(house).await.unwrap_or_default();
        let jobs = &configuration["scrape_configs"];
        let text = jobs.to_string();
        if wanted.iter().all(|job| text.contains(job.as_str())) {
            return Ok(json!({ "scrape_configs": jobs }));
        }
        expect(Instant::now() < deadline, || {
            format!(
                "the Prometheus operator wrote no job of ours: {text}\n{}",
                log.tail(15)
            )
        })?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn configuration(house: &House) -> Option<Value> {
    let line = format!("secret prometheus-stack -n {MONITORING}");
    let secret = house.kubectl.get(&line).await.ok()?;
    let packed = STANDARD
        .decode(secret["data"]["prometheus.yaml.gz"].as_str()?)
        .ok()?;
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text).ok()?;
    // What the reloader beside Prometheus fills in.
    serde_saphyr::from_str(&text.replace("$(SHARD)", "0")).ok()
}

/// The rule files that it gathered.
async fn rules(house: &House) -> Result<Vec<String>> {
    let is_whole = |map: &Value| {
        let text = map["data"].to_string();
        text.contains("WhatsAppWebhookDown") && text.contains("WahookOperatorNoLeader")
    };
    let line = format!("configmap prometheus-stack-rulefiles-0 -n {MONITORING}");
    let map = house
        .kubectl
        .until(&line, LIMIT, "full of our rules", is_whole)
        .await?;
    let files = map["data"].as_object().into_iter().flatten();
    Ok(files
        .filter_map(|(_, text)| text.as_str().map(ToOwned::to_owned))
        .collect())
}

/// The job of the manual that follows annotations, told where the API server is.
fn annotated(house: &House, server: &str, directory: &TempDir) -> Result<String> {
    let page = fs::read_to_string(house.root().join(PAGE)).map_err(E2eError::io(format!("read {PAGE}")))?;
    let snippet = page
        .split("```yaml")
        .filter_map(|part| part.split("```").next())
        .find(|part| part.contains("prometheus_io_scrape"));
    let snippet =
        snippet.ok_or_else(|| E2eError::Unmet(format!("{PAGE} has no job that follows annotations")))?;
    let mut read: Value =
        serde_saphyr::from_str(snippet).map_err(|error| E2eError::Unmet(format!("{PAGE}: {error}")))?;
    let file = |name: &str| directory.path().join(name).display().to_string();
    for job in read["scrape_configs"].as_array_mut().into_iter().flatten() {
        for discovery in job["kubernetes_sd_configs"].as_array_mut().into_iter().flatten() {
            discovery["api_server"] = json!(server);
            discovery["tls_config"] = json!({ "ca_file": file("ca.crt"), "cert_file": file("tls.crt"), "key_file": file("tls.key") });
        }
    }
    Ok(read.to_string())
}

/// Waits until every pod is read in every way that leads to it; how many targets that is.
async fn all_up(house: &House, prometheus: &Prometheus) -> Result<usize> {
    let receivers = house.pods(SHOP).await?.len();
    let operators = house
        .kubectl
        .get(&format!(
            "pods -n {NAMESPACE} -l app.kubernetes.io/component=operator"
        ))
        .await?["items"]
        .as_array()
        .map_or(0, Vec::len);
    // By the ServiceMonitor and by their annotations; operators by the former.
    let expected = 2 * receivers + operators;
    let deadline = Instant::now() + LIMIT;
    loop {
        let targets = prometheus.targets().await?;
        let up = targets.iter().filter(|target| target["health"] == "up").count();
        if up == expected && targets.len() == expected {
            return Ok(up);
        }
        expect(Instant::now() < deadline, || {
            let shown: Vec<String> = targets
                .iter()
                .map(|target| {
                    format!(
                        "{} {} {} {}",
                        target["scrapePool"], target["scrapeUrl"], target["health"], target["lastError"]
                    )
                })
                .collect();
            format!("{up} of {expected} targets are up:\n{}", shown.join("\n"))
        })?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn finds(prometheus: &Prometheus, query: &str) -> Result {
    let deadline = Instant::now() + LIMIT;
    loop {
        let found = prometheus.query(query).await?;
        if found.as_array().is_some_and(|found| !found.is_empty()) {
            return Ok(());
        }
        expect(Instant::now() < deadline, || {
            format!("Prometheus finds nothing for {query}")
        })?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Waits until every rule was evaluated without an error; how many there are.
async fn evaluated(prometheus: &Prometheus, files: &[String]) -> Result<usize> {
    let mut written = BTreeSet::new();
    for file in files {
        let read: Value = serde_saphyr::from_str(file).map_err(|error| E2eError::Unmet(error.to_string()))?;
        let groups = read["groups"].as_array().cloned().unwrap_or_default();
        for rule in groups
            .iter()
            .flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default())
        {
            written.insert(rule["alert"].as_str().unwrap_or_default().to_owned());
        }
    }
    let deadline = Instant::now() + LIMIT;
    loop {
        let answer = prometheus.get("/api/v1/rules", &[("type", "alert")]).await?;
        let groups = answer["groups"].as_array().cloned().unwrap_or_default();
        let rules: Vec<Value> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default())
            .collect();
        let good = rules.iter().filter(|rule| rule["health"] == "ok");
        let names: BTreeSet<String> = good
            .map(|rule| rule["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        if names == written && rules.iter().all(|rule| rule["health"] == "ok") {
            return Ok(rules.len());
        }
        expect(Instant::now() < deadline, || {
            let bad: Vec<String> = rules
                .iter()
                .filter(|rule| rule["health"] != "ok")
                .map(|rule| format!("{} {} {}", rule["name"], rule["health"], rule["lastError"]))
                .collect();
            format!("of the alerts {written:?} these are not evaluated: {bad:?}")
        })?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
