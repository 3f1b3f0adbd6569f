//! The bundled NATS: for getting started, with logins that are stable, and a disk that outlives the release.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use wahook_stream::covers;
use wahook_testbed::manual;

use crate::support::{EVERYTHING, NATS, Rendered, read, render};

fn secret(rendered: &Rendered, name: &str, key: &str) -> String {
    let text = rendered.get("Secret", name)["data"][key]
        .as_str()
        .unwrap_or_else(|| panic!("{name}: {key}"));
    let bytes = base64(text);
    String::from_utf8(bytes).unwrap()
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = alphabet.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn nothing_of_it_without_the_switch() {
    for object in render("{}").objects {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        assert!(!name.contains("nats"), "{name}");
        assert_ne!(object["kind"], "Secret");
    }
}

#[test]
fn it_says_that_it_is_for_getting_started() {
    let comment = read("charts/wahook/values.yaml");
    let (before, _) = comment.split_once("\nnats:\n").unwrap();
    let comment = before.rsplit("\n\n").next().unwrap();
    assert!(
        comment.contains("getting started") && comment.contains("production"),
        "{comment}"
    );
}

#[test]
fn one_server_and_a_disk_that_stays() {
    let rendered = render(NATS);
    let spec = &rendered.get("StatefulSet", "wahook-nats")["spec"];
    assert_eq!(spec["replicas"], 1);
    let retention = &spec["persistentVolumeClaimRetentionPolicy"];
    assert_eq!(
        (&retention["whenDeleted"], &retention["whenScaled"]),
        (&"Retain".into(), &"Retain".into())
    );
    let claim = &spec["volumeClaimTemplates"][0]["spec"];
    assert_eq!(claim["resources"]["requests"]["storage"], "10Gi");
    assert!(claim.get("storageClassName").is_none());
    let rendered = render(EVERYTHING);
    let claim = &rendered.get("StatefulSet", "wahook-nats")["spec"]["volumeClaimTemplates"][0]["spec"];
    assert_eq!(claim["storageClassName"], "fast");
}

/// A field of a claim that follows the chart's version could not be upgraded: it is immutable.
#[test]
fn an_upgrade_of_the_chart_alone_restarts_no_broker() {
    let rendered = render(NATS);
    let set = rendered.get("StatefulSet", "wahook-nats");
    let version = format!("wahook-{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(set["metadata"]["labels"]["helm.sh/chart"], version.as_str());
    assert!(!set["spec"].to_string().contains(&version));
    let with = |values: &str| {
        let rendered = render(values);
        let set = rendered.get("StatefulSet", "wahook-nats");
        set["spec"]["template"]["metadata"]["annotations"]["wahook.dev/configuration"].clone()
    };
    assert_ne!(
        with(NATS),
        with(&NATS.replace("abc", "xyz")),
        "another password has to be read"
    );
    assert_ne!(
        with(NATS),
        with(&NATS.replace("enabled: true", "enabled: true, maxPayload: 2097152"))
    );
}

#[test]
fn the_server_reads_its_configuration() {
    let server = wahook_testbed::nats::nats_server().unwrap();
    for values in [NATS, EVERYTHING] {
        let rendered = render(values);
        let directory = tempfile::tempdir().unwrap();
        let text = rendered.get("ConfigMap", "wahook-nats")["data"]["nats.conf"]
            .as_str()
            .unwrap()
            .to_owned();
        let file = directory.path().join("nats.conf");
        fs::write(&file, &text).unwrap();
        fs::write(
            directory.path().join("auth.conf"),
            secret(&rendered, "wahook-nats-auth", "auth.conf"),
        )
        .unwrap();
        let output = Command::new(&server)
            .arg("-t")
            .arg("-c")
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(render(NATS).text.contains("sync_interval: \"always\""));
}

#[test]
fn each_user_has_a_password_of_its_own_which_is_in_its_secrets() {
    let rendered = render(EVERYTHING);
    let users = secret(&rendered, "wahook-nats-auth", "auth.conf");
    let mut passwords = BTreeSet::new();
    for user in ["operator", "receivers", "consumers", "bots"] {
        let name = format!("wahook-nats-{user}");
        assert_eq!(secret(&rendered, &name, "nats.user"), user);
        let password = secret(&rendered, &name, "nats.password");
        assert!(
            users.contains(&format!("user: {user}\n    password: \"{password}\"")),
            "{user}"
        );
        assert!(!password.contains("abcdefgh"), "the password all are made from");
        passwords.insert(password);
        let places: Vec<&Value> = rendered
            .all("Secret")
            .into_iter()
            .filter(|object| object["metadata"]["name"] == name.as_str())
            .map(|object| &object["metadata"]["namespace"])
            .collect();
        let expected: &[&str] = if user == "operator" {
            &["house"]
        } else {
            &["house", "shop", "books"]
        };
        assert!(
            places
                .iter()
                .map(|place| place.as_str().unwrap())
                .eq(expected.iter().copied()),
            "{user}: {places:?}"
        );
    }
    assert_eq!(passwords.len(), 4);
    assert!(users.contains("\"hooks.>\""), "the prefix of subjects");
}

/// What a block of permissions lets a user publish.
fn publishes(permissions: &str) -> Vec<&str> {
    let (_, list) = permissions.split_once("publish: [").unwrap();
    list.split(']')
        .next()
        .unwrap()
        .split('"')
        .skip(1)
        .step_by(2)
        .collect()
}

#[test]
fn a_bot_may_do_all_that_is_documented_but_publish_events() {
    let users = secret(&render(NATS), "wahook-nats-auth", "auth.conf");
    let granted = publishes(users.split_once("user: bots").unwrap().1);
    let manual = manual::permissions("A bot").unwrap();
    let needed = publishes(&manual);
    let missing: Vec<_> = needed
        .into_iter()
        .filter(|needed| !granted.iter().any(|granted| covers(granted, needed)))
        .collect();
    assert_eq!(missing, ["whatsapp.shop.orders.>"]);
}

#[test]
fn with_a_secret_of_ones_own_no_secret_is_made() {
    let rendered = render("nats: {enabled: true, auth: {existingSecret: mine}}");
    assert!(rendered.all("Secret").is_empty());
    assert!(rendered.all("Pod").is_empty(), "helm test has no login");
    let spec = rendered.get("StatefulSet", "wahook-nats")["spec"]["template"]["spec"].to_string();
    assert!(spec.contains("\"name\":\"mine\""), "{spec}");
    let operator = &rendered.operator()["spec"]["template"]["spec"]["volumes"][0];
    assert_eq!(operator["secret"]["secretName"], "mine");
}

#[test]
fn it_is_reached_by_clients_alone_and_calls_nobody() {
    let rendered = render(NATS);
    let spec = &rendered.get("NetworkPolicy", "wahook-nats")["spec"];
    assert_eq!(spec["ingress"].as_array().unwrap().len(), 1);
    assert_eq!(spec["ingress"][0]["ports"][0]["port"], "nats");
    // An empty list would be a difference to the API server, which keeps none.
    assert!(spec["egress"].is_null());
    assert_eq!(spec["policyTypes"], serde_json::json!(["Ingress", "Egress"]));
    let ports = rendered.get("Service", "wahook-nats")["spec"]["ports"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(ports, 1, "the monitor's port is for probes");
}
