//! The way of somebody who begins: install, one Secret, one resource, the first message. Then the same by a Gateway.

use std::time::{Duration, Instant};

use serde_json::Value;
use wahook_events::samples;

use super::command::Tool;
use super::error::{E2eError, Result, expect};
use super::house::{House, NAMESPACE, PREVIOUS, RELEASE};

/// The webhook of `examples/minimal.yaml`.
pub(super) const SHOP: (&str, &str) = (NAMESPACE, "shop");
/// Its host.
pub(super) const SHOP_HOST: &str = "hooks.example.com";
/// A webhook behind a Gateway.
pub(super) const GATEWAY: (&str, &str) = (NAMESPACE, "by-gateway");
pub(super) const GATEWAY_HOST: &str = "gateway.example.com";

/// The operator may not watch Secrets, so it sees that one has gone when it looks again: after five minutes, by default.
const RESYNC: &str = "resync=20s";

/// `helm install`, of the chart as it was one version ago, into a namespace that admits only restricted pods.
pub(super) async fn install(house: &House) -> Result<String> {
    let kubectl = &house.kubectl;
    kubectl.line(&format!("create namespace {NAMESPACE}")).await?;
    restrict(kubectl, NAMESPACE).await?;
    let out = house.path("target/e2e");
    let chart = house.path("charts/wahook");
    house
        .helm
        .run(&[
            "package",
            &chart,
            "--version",
            PREVIOUS,
            "--app-version",
            PREVIOUS,
            "--destination",
            &out,
        ])
        .await?;
    let package = format!("{out}/wahook-{PREVIOUS}.tgz");
    let password = format!("nats.auth.password={:032x}", rand::random::<u128>());
    house
        .helm
        .run(&[
            "install",
            RELEASE,
            &package,
            "--namespace",
            NAMESPACE,
            "--set",
            "nats.enabled=true",
            "--set",
            &password,
            "--set",
            "defaults.ingressDefaultCertificate=true",
            "--set",
            RESYNC,
            "--wait",
            "--timeout",
            "3m",
        ])
        .await?;
    house.rolled_out(NAMESPACE, "wahook-operator").await?;
    Ok("operator and NATS run under restricted Pod Security".to_owned())
}

/// Pods that are not restricted are refused in this namespace from now on.
pub(super) async fn restrict(kubectl: &Tool, namespace: &str) -> Result {
    kubectl
        .line(&format!(
            "label namespace {namespace} pod-security.kubernetes.io/enforce=restricted"
        ))
        .await?;
    let root = [
        "run",
        "root",
        "-n",
        namespace,
        "--image=example.com/root",
        "--dry-run=server",
    ];
    let refusal = kubectl.run(&root).await;
    expect(
        matches!(&refusal, Err(E2eError::Command { complaint, .. }) if complaint.contains("restricted")),
        || format!("Pod Security does not refuse a pod in {namespace}: {refusal:?}"),
    )
}

/// Two manifests, and the first message is in the stream.
pub(super) async fn first_message(house: &House) -> Result<String> {
    let kubectl = &house.kubectl;
    kubectl
        .apply(NAMESPACE, &house.example("app-secret.yaml")?)
        .await?;
    kubectl.apply(NAMESPACE, &house.example("minimal.yaml")?).await?;
    kubectl
        .line(&format!(
            "wait -n {NAMESPACE} --for=condition=Ready whatsappwebhook/shop --timeout=120s"
        ))
        .await?;
    let webhook = kubectl
        .get(&format!("whatsappwebhook shop -n {NAMESPACE}"))
        .await?;
    let url = &webhook["status"]["callbackUrl"];
    expect(url == "https://hooks.example.com/webhook", || {
        format!("the callback URL is {url}")
    })?;
    for pod in house.pods(SHOP).await? {
        bare(&pod)?;
    }
    handshake(house, SHOP, SHOP_HOST).await?;
    delivered(house, SHOP, SHOP_HOST).await
}

/// The operator asks the receivers, and still knows it after all of them were replaced.
pub(super) async fn receiving(house: &House) -> Result<String> {
    let began = Instant::now();
    for webhook in [SHOP, GATEWAY] {
        house
            .kubectl
            .condition(webhook, "Receiving", "True", "EventsArriving")
            .await?;
    }
    Ok(format!("known after {:.0} s", began.elapsed().as_secs_f64()))
}

/// The same through a Gateway of another namespace.
pub(super) async fn gateway(house: &House) -> Result<String> {
    let kubectl = &house.kubectl;
    kubectl.line("create namespace gateways").await?;
    let (certificate, key) = house.node.ingress_certificate()?;
    kubectl
        .line(&format!(
            "create secret tls public -n gateways --cert={} --key={}",
            certificate.display(),
            key.display()
        ))
        .await?;
    kubectl
        .apply(
            "gateways",
            r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public}
spec:
  gatewayClassName: traefik
  listeners:
    - name: https
      protocol: HTTPS
      port: 443
      hostname: "*.example.com"
      tls: {certificateRefs: [{name: public}]}
      allowedRoutes: {namespaces: {from: All}}
"#,
        )
        .await?;
    let manifest = house
        .example("gateway.yaml")?
        .replace("name: shop", "name: by-gateway")
        .replace(SHOP_HOST, GATEWAY_HOST);
    kubectl.apply(NAMESPACE, &manifest).await?;
    kubectl.condition(GATEWAY, "Ready", "True", "").await?;
    handshake(house, GATEWAY, GATEWAY_HOST).await?;
    delivered(house, GATEWAY, GATEWAY_HOST).await
}

/// A receiver's pod has no token of the API server and may write nowhere.
fn bare(pod: &Value) -> Result {
    let name = &pod["metadata"]["name"];
    let mounts = pod["spec"]["containers"][0]["volumeMounts"].to_string();
    expect(!mounts.contains("kubernetes.io/serviceaccount"), || {
        format!("the pod {name} has a token")
    })?;
    let security = &pod["spec"]["containers"][0]["securityContext"];
    expect(security["readOnlyRootFilesystem"] == true, || {
        format!("the pod {name} can write to its root")
    })
}

/// Waits until the proxy leads to the receivers, who answer such a request 403: it takes up a route a moment after it has
/// given the Ingress its address.
pub(super) async fn routed(house: &House, host: &str) -> Result {
    let meta = house.meta(host)?;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let status = meta.get("").await?.status;
        if status == 403 {
            return Ok(());
        }
        expect(Instant::now() < deadline, || {
            format!("the proxy does not lead {host} to the receivers: {status}")
        })?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Meta's handshake, with the generated token.
async fn handshake(house: &House, webhook: (&str, &str), host: &str) -> Result {
    routed(house, host).await?;
    let token = house
        .secret(webhook.0, &format!("{}-webhook", webhook.1), "verify-token")
        .await?;
    let answer = house.meta(host)?.handshake(&token, "1158201444").await?;
    expect(answer.status == 200 && answer.text() == "1158201444", || {
        format!("the handshake was answered {} {}", answer.status, answer.text())
    })
}

/// Posts one message over TLS and finds it in the stream, once.
pub(super) async fn delivered(house: &House, webhook: (&str, &str), host: &str) -> Result<String> {
    let before = house.stored(webhook).await?.len();
    post(house, host, 200).await?;
    let stored = house.stored(webhook).await?;
    expect(stored.len() == before + 1, || {
        format!("the stream held {before} events and holds {} now", stored.len())
    })?;
    let subject = stored.last().map(|last| last.subject.clone()).unwrap_or_default();
    let prefix = format!("whatsapp.{}.{}.", webhook.0, webhook.1);
    expect(subject.starts_with(&prefix), || {
        format!("the event is at {subject}")
    })?;
    Ok(subject)
}

/// Posts a fresh message; the answer has to be this.
pub(super) async fn post(house: &House, host: &str, status: u16) -> Result {
    let sample = samples::get("text").ok_or_else(|| E2eError::Unmet("there is no sample `text`".into()))?;
    let body = samples::fresh(sample, &format!("{:016x}", rand::random::<u64>()), None);
    let answer = house.meta(host)?.post(body).await?;
    expect(answer.status == status, || {
        format!(
            "a message to {host} was answered {}: {}",
            answer.status,
            answer.text()
        )
    })
}
