//! The manifests of `examples/` are resources that work.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::support::{children, generous, parsed};

#[test]
fn every_example_becomes_children() {
    let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"));
    let files = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut found = 0;
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for mut document in documents
            .into_iter()
            .filter(|document| document["kind"] == "WhatsAppWebhook")
        {
            found += 1;
            if document["metadata"]["namespace"].is_null() {
                document["metadata"]["namespace"] = "shop".into();
            }
            let children = children(&parsed(&document), &generous());
            assert!(children.len() > 5, "{}: {children:#?}", path.display());
        }
    }
    assert!(found > 0, "{} has no WhatsAppWebhook", directory.display());
}
