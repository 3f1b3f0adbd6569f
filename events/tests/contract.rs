//! The committed contract is what the code does: the golden file and the example events.
//!
//! With `WAHOOK_WRITE_GOLDEN=1` the files are written in place of the comparison.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use wahook_events::samples;

const HOW: &str = "run `cargo xtask generate`, then check that lines were only added";

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn writes() -> bool {
    std::env::var("WAHOOK_WRITE_GOLDEN").is_ok_and(|value| value == "1")
}

fn committed(path: &str) -> String {
    std::fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}; {HOW}"))
}

#[test]
fn no_line_of_the_contract_changed_and_none_is_missing() {
    let produced = samples::golden();
    if writes() {
        std::fs::create_dir_all(at("golden")).unwrap();
        return std::fs::write(at("golden/events.txt"), produced).unwrap();
    }
    let committed = committed("golden/events.txt");
    let (old, new): (HashSet<_>, HashSet<_>) = (committed.lines().collect(), produced.lines().collect());
    let gone: Vec<_> = committed.lines().filter(|line| !new.contains(line)).collect();
    assert!(
        gone.is_empty(),
        "the contract changed, which breaks consumers and deduplication. No longer produced:\n{}",
        gone.join("\n")
    );
    let missing: Vec<_> = produced.lines().filter(|line| !old.contains(line)).collect();
    assert!(
        missing.is_empty(),
        "the golden file lacks lines; {HOW}:\n{}",
        missing.join("\n")
    );
    assert_eq!(committed, produced, "the order of the golden file differs; {HOW}");
}

#[test]
fn the_examples_are_what_is_published() {
    let files = samples::generated();
    if writes() {
        for file in &files {
            std::fs::create_dir_all(at(&file.path).parent().unwrap()).unwrap();
            std::fs::write(at(&file.path), &file.text).unwrap();
        }
        return;
    }
    for file in &files {
        assert_eq!(
            committed(&file.path),
            file.text,
            "{} is out of date; {HOW}",
            file.path
        );
    }
    let examples: HashSet<_> = files.iter().map(|file| at(&file.path)).collect();
    for entry in std::fs::read_dir(at("examples")).unwrap() {
        let path = entry.unwrap().path();
        assert!(examples.contains(&path), "{} is not generated", path.display());
    }
}

#[test]
fn the_manual_shows_the_example_as_it_is() {
    let manual = committed("../docs/events.md");
    let example = committed("examples/messages.json");
    assert!(
        manual.contains(&example),
        "docs/events.md: put in examples/messages.json again"
    );
}

#[test]
fn every_sample_and_every_header_is_in_the_golden_file() {
    let golden = samples::golden();
    for sample in samples::ALL {
        let line = format!("\n{}#0 subject whatsapp.shop.main.", sample.name);
        assert!(golden.contains(&line), "{} gives no event", sample.name);
    }
    for header in [
        "Nats-Msg-Id",
        "ce-id",
        "ce-source",
        "ce-type",
        "ce-time",
        "wahook-family",
    ] {
        assert!(golden.contains(&format!(" header {header}: ")), "{header}");
    }
    let lines: Vec<_> = golden.lines().collect();
    let distinct: HashSet<_> = lines.iter().collect();
    assert_eq!(lines.len(), distinct.len(), "each line says one thing once");
}
