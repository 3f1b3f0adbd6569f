//! The same event, read in three languages: the same record.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bot::Language;

/// What Meta's documentation does not promise, beside one event of each family.
const ODD: &str = include_str!("../golden/odd.jsonl");

/// The lines that are read.
fn events() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../events/examples");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let examples = files.iter().map(|path| {
        let example: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        json!({"headers": example["headers"], "data": example["data"]}).to_string()
    });
    examples.chain(ODD.lines().map(str::to_owned)).collect()
}

fn records(language: Language, events: &[String]) -> String {
    let mut child = language
        .command()
        .arg("record")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = events.join("\n") + "\n";
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success(), "{language:?}");
    let mut records = String::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        // Spelled alike, whatever each language puts between the members.
        let record: Value = serde_json::from_str(line).unwrap();
        let _ = writeln!(records, "{record}");
    }
    records
}

#[test]
fn every_language_reads_the_same() {
    let events = events();
    for language in Language::ALL {
        let records = records(language, &events);
        assert_eq!(records.lines().count(), events.len(), "{language:?}");
        insta::with_settings!({
            snapshot_path => "../golden",
            prepend_module_to_snapshot => false,
            description => "One event of each family, then golden/odd.jsonl, as every language reads them",
            omit_expression => true,
        }, {
            insta::assert_snapshot!("records", records);
        });
    }
}
