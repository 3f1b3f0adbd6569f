//! `examples/compose.yaml`: what it starts the receiver with works, and what it names is there. Where there is Docker with compose,
//! that reads it too.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::{ReceiverOptions, ReceiverProcess};
use wahook_testbed::stream;

const SECRET: &str = "0b4f8d2c6a1e49d7b3f5c8e0a2d4f6b8";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn compose() -> Value {
    let text = std::fs::read_to_string(root().join("examples/compose.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

#[tokio::test]
async fn the_receiver_takes_a_message_with_that_configuration_and_those_secrets() {
    let compose = compose();
    let receiver = &compose["services"]["receiver"];
    assert_eq!(receiver["configs"][0]["source"], "receiver");
    let config = compose["configs"]["receiver"]["content"].as_str().unwrap();
    let broker = NatsServer::start().await.unwrap();
    // What is different outside of a container; each of these must have stood there.
    let mut yaml = config.to_owned();
    for (there, here) in [
        ("0.0.0.0:3000", "127.0.0.1:{port}"),
        ("0.0.0.0:9090", "127.0.0.1:{admin_port}"),
        ("/run/secrets", "{dir}/secrets"),
        ("nats://nats:4222", &broker.url()),
    ] {
        assert!(yaml.contains(there), "{there}");
        yaml = yaml.replace(there, here);
    }
    let mut options = ReceiverOptions::from_yaml(&yaml);
    for name in receiver["secrets"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        let value = match compose["secrets"][name]["environment"].as_str().unwrap() {
            "WHATSAPP_APP_SECRET" => SECRET,
            "WEBHOOK_VERIFY_TOKEN" => "a-token-of-thirty-two-characters",
            other => panic!("{other} is not explained in the file"),
        };
        options = options.file(&format!("secrets/{name}"), value);
    }
    let receiver = ReceiverProcess::start(options).await.unwrap();
    let body = wahook_events::samples::get("text").unwrap().body;
    let answer = receiver.meta(SECRET).unwrap().post(body).await.unwrap();
    assert_eq!(answer.status, 200);
    let client = broker.client().await.unwrap();
    let stored = stream::count(&client, "whatsapp_local_webhook").await.unwrap();
    assert_eq!(stored, 1);
}

/// Compose writes such configurations and secrets into the container, and refuses a service whose files cannot be written.
#[test]
fn what_is_written_into_a_service_can_be_written() {
    let compose = compose();
    for (name, service) in compose["services"].as_object().unwrap() {
        let written = |kind: &str| service[kind].as_array().is_some_and(|all| !all.is_empty());
        let read_only = service["read_only"].as_bool().unwrap_or_default();
        assert!(
            !(read_only && (written("configs") || written("secrets"))),
            "{name}"
        );
    }
}

#[test]
fn its_versions_are_those_of_the_chart() {
    let compose = compose();
    let values = std::fs::read_to_string(root().join("charts/wahook/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    let nats = values["nats"]["image"]["tag"].as_str().unwrap();
    assert_eq!(compose["services"]["nats"]["image"], format!("nats:{nats}"));
    let image = &values["receiver"]["image"];
    let receiver = format!(
        "{}/{}:{}",
        image["registry"].as_str().unwrap(),
        image["repository"].as_str().unwrap(),
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(compose["services"]["receiver"]["image"], receiver);
}

#[test]
fn docker_reads_it_where_there_is_docker() {
    let command = |arguments: &[&str]| {
        Command::new("docker")
            .arg("compose")
            .args(arguments)
            .env("WHATSAPP_APP_SECRET", SECRET)
            .env("WEBHOOK_VERIFY_TOKEN", "a-token-of-thirty-two-characters")
            .current_dir(root())
            .output()
    };
    if !command(&["version"]).is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: there is no docker with compose");
        return;
    }
    let output = command(&["--file", "examples/compose.yaml", "config", "--quiet"]).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
