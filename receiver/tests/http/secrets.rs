//! Secret files as people and Kubernetes write them, followed by the running receiver.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::Value;
use wahook_testbed::process::ReadyWhen;

use crate::common_http::{House, OTHER_SECRET, SECRET, TOKEN, house, text_message};

/// How soon a change of a file must be in use.
const TAKEN_OVER: Duration = Duration::from_secs(2);

/// Posts a message signed with `secret`; its status.
async fn try_secret(house: &House, secret: &str, id: &str) -> u16 {
    house
        .meta_with(secret)
        .post(text_message(id, "hello"))
        .await
        .unwrap()
        .status
}

fn warnings(status: &Value) -> String {
    status["secrets"]["warnings"].to_string()
}

fn last_error(status: &Value) -> &str {
    status["secrets"]["lastError"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_newline_at_the_end_is_not_part_of_the_secret_and_is_warned_about() {
    for (n, end) in ["\n", "\r\n"].into_iter().enumerate() {
        let name = format!("secrets-newline-{n}");
        let plan = house(&name)
            .secret("app-secret-1", format!("{SECRET}{end}"))
            .secret("verify-token", format!("{TOKEN}{end}"));
        let house = plan.open().await;
        assert_eq!(try_secret(&house, SECRET, "newline").await, 200, "{end:?}");
        assert_eq!(
            house.meta().handshake(TOKEN, "1").await.unwrap().status,
            200,
            "{end:?}"
        );
        let warnings = warnings(&house.status().await);
        for file in ["app-secret-1", "verify-token"] {
            assert!(
                warnings.contains(&format!("{file}: ends with a newline")),
                "{warnings}"
            );
        }
        assert!(
            house
                .receiver
                .log()
                .says("ends with a newline, which was removed")
                .await
        );
    }
}

#[tokio::test]
async fn a_secret_unlike_metas_works_and_warns() {
    let unusual = "A secret of another kind, 40 characters.";
    let house = house("secrets-unusual")
        .secret("app-secret-1", unusual)
        .open()
        .await;
    assert_eq!(try_secret(&house, unusual, "unusual").await, 200);
    let warnings = warnings(&house.status().await);
    assert!(
        warnings.contains("is not 32 lower-case hexadecimal digits"),
        "{warnings}"
    );
    assert!(!house.receiver.log().contains(unusual) && !warnings.contains(unusual));
}

#[tokio::test]
async fn a_file_that_is_no_secret_leaves_the_receiver_unready_until_it_is_one() {
    let cases: [(&str, &[u8], &str); 7] = [
        ("blank", b"", "is blank"),
        ("newline", b"\n", "is blank"),
        ("spaces", b"                                ", "is blank"),
        (
            "short",
            b"0123456789abcde",
            "has 15 characters, at least 16 are needed",
        ),
        (
            "placeholder",
            b"your-app-secret-from-meta-dashboard",
            "is the placeholder",
        ),
        (
            "lines",
            b"5f0c6bd0a1e94d7fb2c83e6a9d14c07e\nc1d2e3f4",
            "has more than one line",
        ),
        ("nul", b"5f0c6bd0a1e94d7f\0", "holds a NUL byte"),
    ];
    let first = cases[0].1;
    let plan = house("secrets-bad").secret("app-secret-1", first);
    let house = plan.ready_when(ReadyWhen::Live).open().await;
    for (name, content, problem) in cases {
        house.replace_secret("app-secret-1", content);
        let took = house
            .status_when(|status| last_error(status).contains(problem))
            .await;
        assert!(took < TAKEN_OVER, "{name}: {took:?}");
        let (ready, reasons) = house.receiver.admin("/readyz").await.unwrap();
        assert_eq!(ready, 503, "{name}");
        assert!(
            reasons.contains("app-secret-1") && reasons.contains(problem),
            "{name}: {reasons}"
        );
        assert_eq!(
            try_secret(&house, &String::from_utf8_lossy(content), "bad").await,
            503,
            "{name}"
        );
    }
    house.replace_secret("app-secret-1", SECRET);
    let took = house.status_when(|status| status["ready"] == true).await;
    assert!(took < TAKEN_OVER, "{took:?}");
    assert_eq!(house.receiver.admin("/readyz").await.unwrap().0, 200);
    // The connection to NATS is made anew with what the files hold; a delivery in that moment is 503 and comes again.
    let started = Instant::now();
    while try_secret(&house, SECRET, "healed").await != 200 {
        assert!(started.elapsed() < TAKEN_OVER);
    }
    assert_eq!(house.stored().await.len(), 1);
}

#[tokio::test]
async fn secrets_missing_at_the_start_heal_when_they_appear() {
    let plan = house("secrets-missing")
        .without_secret("app-secret-1")
        .without_secret("verify-token");
    let house = plan.ready_when(ReadyWhen::Live).open().await;
    let (ready, reasons) = house.receiver.admin("/readyz").await.unwrap();
    assert_eq!(ready, 503);
    assert!(reasons.contains("app-secret-1: is missing"), "{reasons}");
    assert!(reasons.contains("verify-token: is missing"), "{reasons}");
    assert_eq!(house.receiver.admin("/livez").await.unwrap().0, 200);
    assert_eq!(house.meta().handshake("", "1").await.unwrap().status, 403);
    assert_eq!(try_secret(&house, SECRET, "missing").await, 503);

    house.replace_secret("app-secret-1", SECRET);
    house
        .status_when(|status| !last_error(status).contains("app-secret-1"))
        .await;
    assert_eq!(
        house.receiver.admin("/readyz").await.unwrap().0,
        503,
        "the token is still missing"
    );
    house.replace_secret("verify-token", TOKEN);
    let took = house.status_when(|status| status["ready"] == true).await;
    assert!(took < TAKEN_OVER, "{took:?}");
    assert_eq!(try_secret(&house, SECRET, "missing").await, 200);
    assert_eq!(house.meta().handshake(TOKEN, "1").await.unwrap().status, 200);
    assert_eq!(house.metric("whatsapp_webhook_secret_generation", &[]).await, 1);
}

#[tokio::test]
async fn a_bad_new_file_keeps_the_last_good_secret_and_says_so() {
    let house = house("secrets-last-good").open().await;
    for (n, bad) in ["", "short", "your-app-secret"].into_iter().enumerate() {
        house.replace_secret("app-secret-1", bad);
        let took = house
            .status_when(|status| last_error(status).contains("app-secret-1"))
            .await;
        assert!(took < TAKEN_OVER, "{took:?}");
        assert_eq!(try_secret(&house, SECRET, &format!("last-good-{n}")).await, 200);
        assert_eq!(house.receiver.admin("/readyz").await.unwrap().0, 200);
        // Back to good: the complaint goes, the generation stays.
        house.replace_secret("app-secret-1", SECRET);
        house
            .status_when(|status| status["secrets"]["lastError"].is_null())
            .await;
        assert_eq!(house.status().await["secrets"]["generation"], 1);
    }
    std::fs::remove_file(house.receiver.directory().join("secrets/app-secret-1")).unwrap();
    house
        .status_when(|status| last_error(status).contains("app-secret-1: is missing"))
        .await;
    assert_eq!(try_secret(&house, SECRET, "last-good-removed").await, 200);
    assert!(house.receiver.log().says("the last good ones stay").await);
    house
        .metric_reaches("whatsapp_webhook_config_reload_failures_total", 4)
        .await;
}

#[tokio::test]
async fn a_symlink_swap_as_kubernetes_does_it_takes_over_in_time() {
    let plan = house("secrets-symlink")
        .without_secret("app-secret-1")
        .without_secret("verify-token");
    let house = plan
        .secret("..v1/app-secret-1", SECRET)
        .secret("..v1/verify-token", TOKEN)
        .secret("..v2/app-secret-1", OTHER_SECRET)
        .secret("..v2/verify-token", "another-token-of-the-tests")
        .ready_when(ReadyWhen::Live)
        .open()
        .await;
    let directory = house.receiver.directory().join("secrets");
    let swap = |version: &str| {
        symlink(version, directory.join("..data_tmp")).unwrap();
        std::fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
    };
    swap("..v1");
    for file in ["app-secret-1", "verify-token"] {
        symlink(format!("..data/{file}"), directory.join(file)).unwrap();
    }
    house.status_when(|status| status["ready"] == true).await;
    assert_eq!(try_secret(&house, SECRET, "symlink-1").await, 200);

    swap("..v2");
    let took = house
        .status_when(|status| status["secrets"]["generation"] == 2)
        .await;
    assert!(took < TAKEN_OVER, "{took:?}");
    assert_eq!(try_secret(&house, OTHER_SECRET, "symlink-2").await, 200);
    assert_eq!(try_secret(&house, SECRET, "symlink-3").await, 401);
    let meta = house.meta();
    assert_eq!(
        meta.handshake("another-token-of-the-tests", "1")
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(meta.handshake(TOKEN, "1").await.unwrap().status, 403);
}
