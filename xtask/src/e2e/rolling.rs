//! What changes while messages arrive: an upgrade, a roll, a killed pod, another number of receivers.

use std::time::Duration;

use super::error::{Result, expect};
use super::founder::{SHOP, SHOP_HOST};
use super::house::{House, NAMESPACE, RELEASE, names};
use super::load;

const LIMIT: Duration = Duration::from_secs(120);

/// `helm upgrade` to this version's chart: a new operator, which rolls every receiver.
pub(super) async fn upgrade(house: &House) -> Result<String> {
    let meta = house.meta(SHOP_HOST)?;
    let ((), outcome) = load::under(&meta, "upgrade", async {
        house
            .helm
            .run(&[
                "upgrade",
                RELEASE,
                &house.path("charts/wahook"),
                "--namespace",
                NAMESPACE,
                "--reset-then-reuse-values",
                "--wait",
                "--timeout",
                "3m",
            ])
            .await?;
        house.rolled_out(NAMESPACE, "wahook-operator").await?;
        let image = concat!("wahook-receiver:", env!("CARGO_PKG_VERSION"));
        let line = format!("deployment shop-webhook -n {NAMESPACE}");
        house
            .kubectl
            .until(&line, LIMIT, "of the new version", |deployment| {
                deployment["spec"]["template"]["spec"]["containers"][0]["image"]
                    .as_str()
                    .is_some_and(|used| used.ends_with(image))
            })
            .await?;
        house.rolled_out(NAMESPACE, "shop-webhook").await
    })
    .await?;
    outcome.none_refused()?;
    outcome.each_once(&house.stored(SHOP).await?)?;
    house.kubectl.condition(SHOP, "Ready", "True", "").await?;
    Ok(outcome.told())
}

/// A roll that a person asks for.
pub(super) async fn restart(house: &House) -> Result<String> {
    let meta = house.meta(SHOP_HOST)?;
    let before = names(&house.pods(SHOP).await?);
    let ((), outcome) = load::under(&meta, "restart", async {
        house
            .kubectl
            .line(&format!("rollout restart deployment/shop-webhook -n {NAMESPACE}"))
            .await?;
        house.rolled_out(NAMESPACE, "shop-webhook").await
    })
    .await?;
    outcome.none_refused()?;
    outcome.each_once(&house.stored(SHOP).await?)?;
    let after = names(&house.pods(SHOP).await?);
    expect(after.iter().all(|pod| !before.contains(pod)), || {
        format!("{before:?} were to be replaced; there are {after:?}")
    })?;
    Ok(outcome.told())
}

/// A pod that ends without a word. Some answers may be missing; nothing else.
pub(super) async fn kill(house: &House) -> Result<String> {
    let meta = house.meta(SHOP_HOST)?;
    let pods = names(&house.pods(SHOP).await?);
    let ((), outcome) = load::under(&meta, "kill", async {
        let line = format!("delete pod {} -n {NAMESPACE} --grace-period=0 --force", pods[0]);
        house.kubectl.line(&line).await?;
        house.rolled_out(NAMESPACE, "shop-webhook").await
    })
    .await?;
    outcome.each_once(&house.stored(SHOP).await?)?;
    Ok(outcome.told())
}

/// `kubectl scale`, up and down.
pub(super) async fn scale(house: &House) -> Result<String> {
    for replicas in [3, 2] {
        let line = format!("scale whatsappwebhook/shop -n {NAMESPACE} --replicas={replicas}");
        house.kubectl.line(&line).await?;
        let line = format!("whatsappwebhook shop -n {NAMESPACE}");
        house
            .kubectl
            .until(&line, LIMIT, "scaled", |webhook| {
                webhook["status"]["replicas"] == replicas
                    && webhook["status"]["readyReplicas"] == replicas
                    && webhook["status"]["observedGeneration"] == webhook["metadata"]["generation"]
            })
            .await?;
    }
    house.kubectl.condition(SHOP, "Ready", "True", "").await?;
    Ok("2, 3, 2 receivers".to_owned())
}
