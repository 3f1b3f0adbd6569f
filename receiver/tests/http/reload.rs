//! The configuration file, followed by the running receiver.

use std::time::Duration;

use serde_json::Value;
use wahook_testbed::log::Waited;

use crate::common_http::{SOON, TOKEN, house, post, text_message, text_message_to};

/// How soon a change of the file must be in use.
const TAKEN_OVER: Duration = Duration::from_secs(2);

fn generation(status: &Value) -> u64 {
    status["configuration"]["generation"].as_u64().unwrap()
}

#[tokio::test]
async fn limits_follow_the_file() {
    let plan = house("reload-limits");
    let house = plan.clone().open().await;
    let body = text_message("reload-limits", &"x".repeat(3000));
    assert_eq!(house.raw(post("", &body)).await.status, 401);
    house.reconfigure(
        &plan
            .clone()
            .limit("bodyBytes", "2Ki")
            .limit("badSignaturesPerMinute", 1),
    );
    let took = house.status_when(|status| generation(status) == 2).await;
    assert!(took < TAKEN_OVER, "{took:?}");
    assert_eq!(house.meta().post(body.clone()).await.unwrap().status, 413);
    // Whether the failure before still counts depends on the time the file took.
    house.raw(post("", "{}")).await;
    assert_eq!(
        house.raw(post("", "{}")).await.status,
        429,
        "two failures within a minute"
    );
    house.reconfigure(&plan);
    house.status_when(|status| generation(status) == 3).await;
    house.store(body).await;
    assert_eq!(
        house.status().await["configuration"]["restartNeeded"],
        Value::Array(Vec::new())
    );
}

#[tokio::test]
async fn phone_number_ids_follow_the_file() {
    let (ours, foreign) = ("315005501000001", "315005501000002");
    let plan = house("reload-numbers");
    let house = plan.clone().open().await;
    house.store(text_message_to(foreign, "numbers-1", "hello")).await;
    house.reconfigure(&plan.clone().line(&format!("phoneNumberIds: [\"{ours}\"]")));
    house.status_when(|status| generation(status) == 2).await;
    house.store(text_message_to(foreign, "numbers-2", "hello")).await;
    house.store(text_message_to(ours, "numbers-3", "hello")).await;
    house.reconfigure(
        &plan
            .clone()
            .line(&format!("phoneNumberIds: [\"{ours}\", \"{foreign}\"]")),
    );
    house.status_when(|status| generation(status) == 3).await;
    // Stored in quarantine before, and so not swallowed now that its number is listed.
    house.store(text_message_to(foreign, "numbers-2", "hello")).await;
    assert_eq!(
        house.subjects().await,
        [
            format!("{foreign}.messages.text"),
            format!("{foreign}.quarantine.text"),
            format!("{ours}.messages.text"),
            format!("{foreign}.messages.text"),
        ]
    );
}

#[tokio::test]
async fn the_log_level_follows_the_file() {
    let plan = house("reload-level").log_level("info");
    let house = plan.clone().open().await;
    let log = house.receiver.log();
    house.store(text_message("level-1", "hello")).await;
    assert!(!log.contains("answered a delivery"));
    house.reconfigure(&plan.clone().log_level("debug"));
    house.status_when(|status| generation(status) == 2).await;
    house.store(text_message("level-2", "hello")).await;
    assert_eq!(log.wait_for("answered a delivery", SOON).await, Waited::Found);
    house.reconfigure(&plan.clone().log_level("error"));
    house.status_when(|status| generation(status) == 3).await;
    house.meta().post("not json").await.unwrap();
    house.store(text_message("level-3", "hello")).await;
    house.reconfigure(&plan.log_level("info"));
    house.status_when(|status| generation(status) == 4).await;
    // A line that comes last: had one been written before it, it would have been read by then.
    house.meta().handshake(TOKEN, "1").await.unwrap();
    assert!(log.says("the subscription handshake succeeded").await);
    let text = log.text();
    assert_eq!(text.matches("answered a delivery").count(), 1, "{text}");
    assert!(!text.contains("stored as a dead letter"), "{text}");
}

#[tokio::test]
async fn a_bad_file_keeps_the_last_good_one_and_says_every_problem() {
    let plan = house("reload-bad").limit("bodyBytes", "4Ki");
    let house = plan.clone().open().await;
    let error = |status: &Value| {
        status["configuration"]["lastError"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    house.reconfigure(
        &plan
            .clone()
            .limit("bodyBytes", "lots")
            .limit("publishDeadline", "1h"),
    );
    let took = house.status_when(|status| !error(status).is_empty()).await;
    assert!(took < TAKEN_OVER, "{took:?}");
    let told = error(&house.status().await);
    assert!(
        told.contains("limits.bodyBytes") && told.contains("limits.publishDeadline"),
        "{told}"
    );
    for (n, bad) in ["limits: [", "limits: 3", "\u{0}", "a: 1\na: 2"]
        .into_iter()
        .enumerate()
    {
        house.receiver.replace_file("config.yaml", bad).unwrap();
        house
            .status_when(|status| status["configuration"]["refused"] == n + 2)
            .await;
        assert!(error(&house.status().await).contains("line "), "{bad:?}");
        assert_eq!(
            house
                .meta()
                .post(text_message("bad", &"x".repeat(5000)))
                .await
                .unwrap()
                .status,
            413
        );
    }
    assert_eq!(house.receiver.admin("/readyz").await.unwrap().0, 200);
    std::fs::remove_file(house.receiver.directory().join("config.yaml")).unwrap();
    house
        .status_when(|status| error(status).contains("cannot be read"))
        .await;
    house.store(text_message("reload-bad", "hello")).await;
    house
        .metric_reaches("whatsapp_webhook_config_reload_failures_total", 6)
        .await;

    house.reconfigure(&plan);
    house.status_when(|status| error(status).is_empty()).await;
    assert_eq!(generation(&house.status().await), 1, "nothing changed in the end");
}

#[tokio::test]
async fn unknown_keys_warn_and_harm_nothing() {
    let plan = house("reload-unknown");
    let with_unknown = plan
        .clone()
        .limit("invented", 7)
        .line("alsoInvented: {deep: [1]}");
    let house = with_unknown.open().await;
    let keys = &house.status().await["configuration"]["unknownKeys"];
    assert_eq!(keys, &serde_json::json!(["limits.invented", "alsoInvented"]));
    for key in ["limits.invented", "alsoInvented"] {
        assert!(house.receiver.log().says(key).await, "{key}");
    }
    house.store(text_message("reload-unknown", "hello")).await;
    house.reconfigure(&plan.clone().limit("later", 7));
    house
        .status_when(|status| status["configuration"]["unknownKeys"] == serde_json::json!(["limits.later"]))
        .await;
    assert!(house.receiver.log().says("limits.later").await);
}

#[tokio::test]
async fn a_setting_that_needs_a_restart_is_named_on_the_status_page() {
    let plan = house("reload-restart");
    let house = plan.clone().open().await;
    let changed = plan
        .clone()
        .http("path: /elsewhere")
        .shutdown("endpointLag: 3s")
        .limit("bodyBytes", "4Ki");
    house.reconfigure(&changed);
    house.status_when(|status| generation(status) == 2).await;
    let status = house.status().await;
    assert_eq!(
        status["configuration"]["restartNeeded"],
        serde_json::json!(["http.path", "shutdown.endpointLag"])
    );
    // The rest of the same file is in use.
    assert_eq!(
        house
            .meta()
            .post(text_message("restart", &"x".repeat(5000)))
            .await
            .unwrap()
            .status,
        413
    );
    house.store(text_message("reload-restart", "hello")).await;
    assert!(house.receiver.log().says("need a restart").await);
    house.reconfigure(&plan);
    house
        .status_when(|status| status["configuration"]["restartNeeded"] == serde_json::json!([]))
        .await;
}
