//! What breaks, is told, and comes back: secrets, broker, children, the operator itself.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::command::condition;
use super::error::{E2eError, Result, expect};
use super::founder::{SHOP, SHOP_HOST, delivered, post};
use super::house::{House, NAMESPACE, names};

const LIMIT: Duration = Duration::from_secs(120);
/// So many answers in a row are of every receiver, not of one that is ahead of the others.
const IN_A_ROW: usize = 4;

/// A second app secret comes, the first one goes: no restart, and each is taken exactly as long as it is listed.
pub(super) async fn rotate(house: &mut House) -> Result<String> {
    let before = names(&house.pods(SHOP).await?);
    let old = house.app_secret.clone();
    let new = format!("{:032x}", rand::random::<u128>());
    let listed = |secrets: &str| format!(r#"{{"spec":{{"meta":{{"appSecrets":{secrets}}}}}}}"#);
    let patch = async |secrets: &str| {
        let patch = listed(secrets);
        let words = [
            "patch",
            "whatsappwebhook",
            "shop",
            "-n",
            NAMESPACE,
            "--type=merge",
            "-p",
            &patch,
        ];
        house.kubectl.run(&words).await.map(drop)
    };
    house
        .kubectl
        .line(&format!(
            "create secret generic meta-app-next -n {NAMESPACE} --from-literal=app-secret={new}"
        ))
        .await?;
    let (first, next) = (
        r#"{"name":"meta-app","key":"app-secret"}"#,
        r#"{"name":"meta-app-next","key":"app-secret"}"#,
    );
    patch(&format!("[{first},{next}]")).await?;
    house.kubectl.condition(SHOP, "Ready", "True", "").await?;
    house.app_secret.clone_from(&new);
    answered(house, 200).await?;
    house.app_secret.clone_from(&old);
    post(house, SHOP_HOST, 200).await?;

    // In place, as a kubelet passes it on: the listed Secret gets another value.
    let third = format!("{:032x}", rand::random::<u128>());
    let patch = format!(r#"{{"stringData":{{"app-secret":"{third}"}}}}"#);
    house
        .kubectl
        .run(&[
            "patch",
            "secret",
            "meta-app",
            "-n",
            NAMESPACE,
            "--type=merge",
            "-p",
            &patch,
        ])
        .await?;
    answered(house, 401).await?;
    house.app_secret = third;
    answered(house, 200).await?;
    house.app_secret = new;
    let after = names(&house.pods(SHOP).await?);
    let rolls = if before == after {
        "no pod was restarted by a new value"
    } else {
        "receivers rolled for the new reference"
    };
    Ok(rolls.to_owned())
}

/// Posts until the answer is this, [`IN_A_ROW`] times.
async fn answered(house: &House, status: u16) -> Result {
    let deadline = Instant::now() + LIMIT;
    let mut in_a_row = 0;
    while in_a_row < IN_A_ROW {
        match post(house, SHOP_HOST, status).await {
            Ok(()) => in_a_row += 1,
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => {
                in_a_row = 0;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    Ok(())
}

/// One of two app secrets is deleted: said, and the other one goes on. It comes back: healed.
pub(super) async fn secret(house: &House) -> Result<String> {
    let kubectl = &house.kubectl;
    kubectl
        .line(&format!("delete secret meta-app -n {NAMESPACE}"))
        .await?;
    let told = kubectl
        .condition(SHOP, "SecretsReady", "False", "SecretNotFound")
        .await?;
    let message = condition(&told, "SecretsReady")
        .map(|found| found["message"].to_string())
        .unwrap_or_default();
    expect(message.contains("meta-app"), || {
        format!("SecretsReady does not name it: {message}")
    })?;
    post(house, SHOP_HOST, 200).await?;
    kubectl
        .apply(NAMESPACE, &house.example("app-secret.yaml")?)
        .await?;
    kubectl.condition(SHOP, "Ready", "True", "").await?;
    delivered(house, SHOP, SHOP_HOST).await?;
    Ok(message)
}

/// The broker goes: 503, and said. It comes back with everything it had.
pub(super) async fn broker(house: &House) -> Result<String> {
    let kubectl = &house.kubectl;
    let before = house.stored(SHOP).await?.len();
    kubectl
        .line(&format!(
            "scale statefulset/wahook-nats -n {NAMESPACE} --replicas=0"
        ))
        .await?;
    let line = format!("statefulset wahook-nats -n {NAMESPACE}");
    kubectl
        .until(&line, LIMIT, "without a pod", |set| {
            set["status"]["replicas"] == 0
        })
        .await?;
    post(house, SHOP_HOST, 503).await?;
    kubectl
        .condition(SHOP, "StreamReady", "False", "BrokerUnreachable")
        .await?;
    kubectl
        .line(&format!(
            "scale statefulset/wahook-nats -n {NAMESPACE} --replicas=1"
        ))
        .await?;
    kubectl
        .line(&format!(
            "rollout status statefulset/wahook-nats -n {NAMESPACE} --timeout=120s"
        ))
        .await?;
    kubectl.condition(SHOP, "Ready", "True", "").await?;
    // A receiver counts as ready for a while without a broker, and takes seconds to find it again. Meta repeats meanwhile.
    answered(house, 200).await?;
    delivered(house, SHOP, SHOP_HOST).await?;
    let after = house.stored(SHOP).await?.len();
    // What was refused may be stored all the same.
    expect(after > before + IN_A_ROW, || {
        format!("{before} events before, {after} after")
    })?;
    Ok(format!("503 while it was away, {before} events kept"))
}

/// Children deleted by somebody are made again.
pub(super) async fn children(house: &House) -> Result<String> {
    for kind in ["service", "ingress", "configmap", "deployment"] {
        let line = format!("{kind} shop-webhook -n {NAMESPACE}");
        let uid = |object: &Value| object["metadata"]["uid"].clone();
        let before = uid(&house.kubectl.get(&line).await?);
        house.kubectl.line(&format!("delete {line}")).await?;
        house
            .kubectl
            .until(&line, LIMIT, "made again", |object| uid(object) != before)
            .await?;
    }
    house.rolled_out(NAMESPACE, "shop-webhook").await?;
    house.kubectl.condition(SHOP, "Ready", "True", "").await?;
    answered(house, 200).await?;
    Ok("Service, Ingress, ConfigMap, Deployment".to_owned())
}

/// The leading operator is killed: receivers do not mind, and the other one works within 20 seconds.
pub(super) async fn operator(house: &House) -> Result<String> {
    let line = format!("lease wahook-operator -n {NAMESPACE}");
    let holder = |lease: &Value| {
        lease["spec"]["holderIdentity"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let before = holder(&house.kubectl.get(&line).await?);
    let pods = house
        .kubectl
        .get(&format!(
            "pods -n {NAMESPACE} -l app.kubernetes.io/component=operator"
        ))
        .await?;
    let leader = names(pods["items"].as_array().map_or(&[], Vec::as_slice))
        .into_iter()
        .find(|pod| before.starts_with(pod.as_str()))
        .ok_or_else(|| E2eError::Unmet(format!("no pod is the holder {before}")))?;
    let began = Instant::now();
    house
        .kubectl
        .line(&format!(
            "delete pod {leader} -n {NAMESPACE} --grace-period=0 --force"
        ))
        .await?;
    post(house, SHOP_HOST, 200).await?;
    house
        .kubectl
        .until(&line, LIMIT, "held by another", |lease| {
            let now = holder(lease);
            !now.is_empty() && now != before
        })
        .await?;
    let took = began.elapsed();
    expect(took < Duration::from_secs(25), || {
        format!("the hand-over took {took:?}")
    })?;
    house.rolled_out(NAMESPACE, "wahook-operator").await?;
    Ok(format!("another one led after {:.1} s", took.as_secs_f64()))
}
