//! Starting by hand: help, every problem at once, a port in use, and the guide's variables alone.

use std::net::TcpListener;
use std::time::Duration;

use wahook_testbed::log::Waited;
use wahook_testbed::meta::raw_http;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::{ReadyWhen, ReceiverOptions, ReceiverProcess};

use crate::common_http::{SECRET, SOON, TOKEN, text_message};

fn options() -> ReceiverOptions {
    ReceiverOptions::default().binary(env!("CARGO_BIN_EXE_wahook-receiver"))
}

/// Runs until it ends by itself: its exit code and what it said.
async fn run(options: ReceiverOptions) -> (i32, String) {
    let receiver = ReceiverProcess::start(options.ready_when(ReadyWhen::Spawned))
        .await
        .unwrap();
    let code = receiver.wait(SOON).await.unwrap().expect("an exit code");
    receiver.log().wait_until_closed(SOON).await;
    (code, receiver.log().text())
}

#[tokio::test]
async fn help_says_how_to_start_and_where_each_value_comes_from() {
    for argument in ["--help", "-h"] {
        let (code, text) = run(options().arg(argument)).await;
        assert_eq!(code, 0);
        for told in [
            "Examples:",
            "--config",
            "--env-file",
            "--ensure-stream",
            "WEBHOOK_VERIFY_TOKEN",
            "WHATSAPP_APP_SECRET",
            "NATS_URL",
        ] {
            assert!(text.contains(told), "{argument} does not tell {told}: {text}");
        }
    }
    let (code, text) = run(options().arg("--version")).await;
    assert_eq!(
        (code, text.trim()),
        (0, concat!("wahook-receiver ", env!("CARGO_PKG_VERSION")))
    );
    let (code, text) = run(options().arg("--cofnig")).await;
    assert_eq!(code, 2);
    assert!(
        text.contains("--config"),
        "a slip of the finger is corrected: {text}"
    );
}

#[tokio::test]
async fn all_problems_of_the_environment_are_told_at_once_with_names_and_fixes() {
    let started = options()
        .env("PORT", "three thousand")
        .env("ADMIN_PORT", "99999")
        .env("NATS_URL", "http://broker")
        .env("WHATSAPP_APP_SECRET", "canary-short")
        .env("WEBHOOK_VERIFY_TOKEN", "");
    let (code, text) = run(started).await;
    assert_eq!(code, 1);
    assert!(text.contains("5 problems"), "{text}");
    for (name, fix) in [
        ("PORT: ", "Use 0 to 65535"),
        ("ADMIN_PORT: ", "Use 0 to 65535"),
        ("NATS_URL: ", "nats://"),
        ("WHATSAPP_APP_SECRET: has 12 characters", "App Dashboard"),
        ("WEBHOOK_VERIFY_TOKEN: ", "openssl rand -hex 16"),
    ] {
        let line = text.lines().find(|line| line.trim_start().starts_with(name));
        assert!(
            line.is_some_and(|line| line.contains(fix)),
            "{name} {fix}: {text}"
        );
    }
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn nothing_set_at_all_names_both_secrets() {
    let (code, text) = run(options()).await;
    assert_eq!(code, 1);
    for name in [
        "WHATSAPP_APP_SECRET: is not set",
        "WEBHOOK_VERIFY_TOKEN: is not set",
    ] {
        assert!(text.contains(name), "{text}");
    }
}

#[tokio::test]
async fn the_guides_placeholders_are_refused_as_secrets() {
    let started = options()
        .env("WHATSAPP_APP_SECRET", "your-app-secret-from-meta-dashboard")
        .env("WEBHOOK_VERIFY_TOKEN", "your-custom-verify-token-min-16-chars");
    let (code, text) = run(started).await;
    assert_eq!(code, 1);
    assert_eq!(text.matches("is the placeholder").count(), 2, "{text}");
}

#[tokio::test]
async fn all_problems_of_the_file_are_told_at_once_and_no_value_of_a_secret() {
    let yaml = "
identity: {namespace: \"not a name\", webhook: shop}
http: {listen: \"127.0.0.1\", path: webhook}
nats: {servers: [\"nats://user:canary-password@:x\"]}
stream: {window: 200h, maxAge: 1h}
limits: {bodyBytes: 3MB, publishDeadline: 1m}
phoneNumberIds: [\"+1 555 0100077\"]
";
    let (code, text) =
        run(ReceiverOptions::from_yaml(yaml).binary(env!("CARGO_BIN_EXE_wahook-receiver"))).await;
    assert_eq!(code, 1);
    for name in [
        "identity.namespace",
        "http.listen",
        "http.path",
        "nats.servers[0]",
        "stream.window",
        "limits.bodyBytes",
        "limits.publishDeadline",
        "phoneNumberIds[0]",
        "WHATSAPP_APP_SECRET",
        "WEBHOOK_VERIFY_TOKEN",
    ] {
        assert!(
            text.contains(&format!("\n  {name}: ")),
            "{name} is not told: {text}"
        );
    }
    assert!(!text.contains("canary") && !text.contains("0100077"), "{text}");

    let (code, text) = run(options().arg("--config").arg("{dir}/nowhere.yaml")).await;
    assert_eq!(code, 1);
    assert!(
        text.contains("nowhere.yaml: cannot be read") && text.contains("--config"),
        "{text}"
    );
}

#[tokio::test]
async fn a_port_in_use_names_the_address_and_the_fix() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let by_hand = || {
        ReceiverOptions::by_hand(SECRET, TOKEN, "nats://127.0.0.1:9")
            .binary(env!("CARGO_BIN_EXE_wahook-receiver"))
    };
    for name in ["PORT", "ADMIN_PORT"] {
        let (code, text) = run(by_hand().env(name, &port.to_string())).await;
        assert_eq!(code, 1);
        assert!(
            text.contains(&format!("cannot listen on 127.0.0.1:{port}")),
            "{name}: {text}"
        );
        assert!(text.contains("free the port or choose another"), "{name}: {text}");
    }
    let same = by_hand().env("PORT", "3000").env("ADMIN_PORT", "3000");
    let (code, text) = run(same).await;
    assert_eq!(code, 1);
    assert!(
        text.contains("ADMIN_PORT: has the same port as the webhook"),
        "{text}"
    );
}

#[tokio::test]
async fn by_hand_with_the_guides_variables_it_serves_on_loopback() {
    let broker = NatsServer::start().await.unwrap();
    let started = ReceiverOptions::by_hand(SECRET, TOKEN, &broker.url())
        .binary(env!("CARGO_BIN_EXE_wahook-receiver"))
        .arg("--ensure-stream");
    let receiver = ReceiverProcess::start(started).await.unwrap();
    let answer = receiver
        .meta(SECRET)
        .unwrap()
        .post(text_message("by-hand", "hello"))
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    let answer = receiver
        .meta(SECRET)
        .unwrap()
        .handshake(TOKEN, "7")
        .await
        .unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "7"));
    let serving = format!("http://127.0.0.1:{}/webhook", receiver.address().port());
    assert_eq!(receiver.log().wait_for(&serving, SOON).await, Waited::Found);
    assert!(
        receiver.log().text().starts_with("20"),
        "text for people: {}",
        receiver.log().text()
    );

    // Loopback only: nothing listens on the machine's other addresses.
    for port in [receiver.address().port(), receiver.admin_address().port()] {
        let other = std::net::SocketAddr::from(([127, 0, 0, 2], port));
        assert!(
            raw_http(other, b"GET /health HTTP/1.1\r\n\r\n", Duration::from_secs(1))
                .await
                .is_err()
        );
    }
    assert_eq!(receiver.stop().await.unwrap(), Some(0));
}

#[tokio::test]
async fn an_env_file_in_the_guides_form_does_and_the_environment_wins() {
    let broker = NatsServer::start().await.unwrap();
    let file = format!(
        "# .env - Add this file to .gitignore!\nWEBHOOK_VERIFY_TOKEN={TOKEN}\nWHATSAPP_APP_SECRET={SECRET}\nNATS_URL={}\nPORT=1\n",
        broker.url()
    );
    let started = options()
        .file(".env", file)
        .arg("--env-file")
        .arg(".env")
        .arg("--ensure-stream")
        .env("PORT", "{port}")
        .env("ADMIN_PORT", "{admin_port}");
    let receiver = ReceiverProcess::start(started).await.unwrap();
    let answer = receiver
        .meta(SECRET)
        .unwrap()
        .post(text_message("env-file", "hello"))
        .await
        .unwrap();
    assert_eq!(answer.status, 200);

    let bad_line = options()
        .file(".env", "GOOD=1\nBAD LINE canary-value\n")
        .arg("--env-file")
        .arg(".env");
    let (code, text) = run(bad_line).await;
    assert_eq!(code, 1);
    assert!(text.contains("the entry after GOOD is not NAME=value"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}
