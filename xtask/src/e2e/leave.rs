//! What stays when something is taken away: the stream of a deleted webhook, and everything of value after an uninstall.

use std::time::Duration;

use super::error::{Result, expect};
use super::founder::{GATEWAY, SHOP};
use super::house::{House, NAMESPACE, RELEASE};

const LIMIT: Duration = Duration::from_secs(60);

/// `helm test`.
pub(super) async fn test(house: &House) -> Result<String> {
    house
        .helm
        .line(&format!("test {RELEASE} --namespace {NAMESPACE} --timeout 3m"))
        .await?;
    Ok("posted a message and read it back".to_owned())
}

/// What was applied is what is there: nothing that the API server adds, or another controller, is a difference to those who
/// keep manifests in a repository.
pub(super) async fn unchanged(house: &House) -> Result<String> {
    let manifest = house
        .helm
        .run(&["get", "manifest", RELEASE, "--namespace", NAMESPACE])
        .await?;
    let minimal = house.example("minimal.yaml")?;
    for text in [manifest.as_str(), minimal.as_str()] {
        // It ends with 1 when there is a difference, which is then what it complains of.
        house
            .kubectl
            .feed(&["diff", "--namespace", NAMESPACE, "--filename", "-"], text)
            .await?;
    }
    Ok("no difference".to_owned())
}

/// A webhook is deleted: its children go, its stream stays.
pub(super) async fn delete(house: &House) -> Result<String> {
    let before = house.stored(SHOP).await?.len();
    house
        .kubectl
        .line(&format!("delete whatsappwebhook shop -n {NAMESPACE}"))
        .await?;
    let kinds = "deployment,service,configmap,ingress,secret,serviceaccount,networkpolicy,pod";
    let line = format!("{kinds} -n {NAMESPACE} -l wahook.dev/webhook=shop");
    house
        .kubectl
        .until(&line, LIMIT, "gone", |left| {
            left["items"].as_array().is_some_and(Vec::is_empty)
        })
        .await?;
    let after = house.stored(SHOP).await?.len();
    expect(after == before, || {
        format!("{before} events before, {after} after")
    })?;
    Ok(format!("no child is left, {after} events are"))
}

/// `helm uninstall`: the definition, the webhooks, their pods and Secrets, and the disk of the broker stay.
pub(super) async fn uninstall(house: &House) -> Result<String> {
    let secret = house
        .secret(NAMESPACE, "by-gateway-webhook", "verify-token")
        .await?;
    house
        .helm
        .line(&format!(
            "uninstall {RELEASE} --namespace {NAMESPACE} --wait --timeout 2m"
        ))
        .await?;
    let kubectl = &house.kubectl;
    kubectl.get("crd whatsappwebhooks.wahook.dev").await?;
    kubectl
        .get(&format!("whatsappwebhook by-gateway -n {NAMESPACE}"))
        .await?;
    kubectl
        .get(&format!(
            "persistentvolumeclaim data-wahook-nats-0 -n {NAMESPACE}"
        ))
        .await?;
    let pods = house.pods(GATEWAY).await?;
    expect(pods.len() == 2, || {
        format!("{} receivers are left of 2", pods.len())
    })?;
    let after = house
        .secret(NAMESPACE, "by-gateway-webhook", "verify-token")
        .await?;
    expect(secret == after, || "the verify token has changed".to_owned())?;
    Ok("definition, webhook, receivers, Secrets and the broker's disk".to_owned())
}
