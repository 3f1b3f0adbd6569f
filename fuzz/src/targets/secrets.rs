//! A directory of secrets.

use std::fs;

use wahook_receiver::secrets::{Load, SecretSet, SecretsSource};

use super::{Target, texts};

pub(super) const TARGET: Target = Target {
    name: "secrets",
    about: "a directory of secrets, one file a line: a set, what is missing, or problems, and no content in any of them",
    seeds,
    run,
};

const FILES: [&str; 9] = [
    "app-secret-1",
    "app-secret-2",
    "verify-token",
    "probe-key",
    "nats.creds",
    "nats.nkey",
    "nats.user",
    "nats.password",
    "nats-ca.crt",
];

fn seeds() -> Vec<Vec<u8>> {
    let secret = "0123456789abcdef0123456789abcdef";
    texts(&[
        &format!("app-secret-1\x1f{secret}\x1everify-token\x1fqwertyuiopasdfghjkl\n"),
        &format!(
            "app-secret-1\x1f{secret}\n\x1eapp-secret-2\x1f{secret}\x1everify-token\x1fqwerty uiop\x1eprobe-key\x1f\x00\x01"
        ),
        "nats.user\x1freceiver\x1enats.password\x1f\r\n",
        "nats.creds\x1f-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------\n",
        "nats-ca.crt\x1f-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    ])
}

fn run(data: &[u8]) {
    let Ok(dir) = tempfile::tempdir() else {
        return;
    };
    let mut contents = Vec::new();
    for piece in data.split(|byte| *byte == 0x1e) {
        let mut halves = piece.splitn(2, |byte| *byte == 0x1f);
        let (Some(name), Some(content)) = (halves.next(), halves.next()) else {
            continue;
        };
        let Some(file) = FILES.iter().find(|file| file.as_bytes() == name) else {
            continue;
        };
        if fs::write(dir.path().join(file), content).is_ok() {
            contents.push(String::from_utf8_lossy(content).trim().to_owned());
        }
    }
    let load = SecretSet::load(&SecretsSource::directory(dir.path()));
    let told = match &load {
        Load::Invalid(problems) => format!(
            "{problems:?} {}",
            problems.iter().map(ToString::to_string).collect::<String>()
        ),
        other => format!("{other:?}"),
    };
    // Shorter ones may be a part of our own words.
    for content in contents.iter().filter(|content| content.len() >= 16) {
        assert!(!told.contains(content.as_str()), "a secret was shown");
    }
}
