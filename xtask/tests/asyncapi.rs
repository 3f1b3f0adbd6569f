//! The AsyncAPI document passes AsyncAPI's own parser, with the schemas it refers to. Installs the parser from npm, once.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use wahook_testbed::room;

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

fn validate(document: &Path) -> Output {
    let home = room::install("asyncapi-validator", &events().join("validator")).unwrap();
    Command::new("node")
        .arg("validate.mjs")
        .arg(document)
        .current_dir(home)
        .output()
        .unwrap()
}

#[test]
fn the_document_passes_asyncapis_own_parser_and_a_broken_one_does_not() {
    let document = events().join("asyncapi.json").canonicalize().unwrap();
    let outcome = validate(&document);
    let said = String::from_utf8_lossy(&outcome.stdout);
    let complaint = String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success(), "{said}{complaint}");
    assert!(said.contains(" channels, "), "{said}");

    let broken = tempfile::tempdir().unwrap();
    let broken = broken.path().join("asyncapi.json");
    let text = fs::read_to_string(&document).unwrap();
    fs::write(
        &broken,
        text.replace(r#""action": "receive""#, r#""action": "dance""#),
    )
    .unwrap();
    let outcome = validate(&broken);
    assert!(!outcome.status.success());
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(said.contains("error operations/"), "{said}");
}
