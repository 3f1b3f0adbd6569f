//! The receiver's configuration file.

use super::{Target, texts};

pub(super) const TARGET: Target = Target {
    name: "config",
    about: "a configuration file: settings, or problems that each name a place and say what to do",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        include_str!("../../../receiver/tests/config_versions/0.1.0.yaml"),
        "identity: {namespace: shop, webhook: main}\nstream: {name: EVENTS}\n",
        "a: &a [*a, *a]\nb: {<<: *a}\n",
        "limits: {bodyBytes: 3Mi, headerTimeout: 1h30m, connections: 1e3}\n",
        "--- \n--- \n%YAML 1.1\n",
    ])
}

fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match wahook_receiver::config::parse(text) {
        Ok(read) => assert!(wahook_receiver::config::parse(text).is_ok_and(|again| again == read)),
        Err(error) => {
            let told = error.to_string();
            assert!(!told.trim().is_empty());
            assert!(
                told.len() < 20 * text.len() + 16 * 1024,
                "{} bytes of problems",
                told.len()
            );
        }
    }
}
