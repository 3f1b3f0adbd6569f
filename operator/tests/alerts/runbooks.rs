//! Every alert has a runbook with four headings, and no runbook is left over.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::every;

const HEADINGS: [&str; 4] = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"];

#[test]
fn alerts_and_runbooks_belong_together() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../monitoring/runbooks");
    let found: BTreeSet<String> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted: BTreeSet<String> = every().iter().map(|alert| format!("{}.md", alert.name)).collect();
    assert_eq!(found, wanted);
    for name in found {
        let page = fs::read_to_string(directory.join(&name)).unwrap();
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{name}");
        assert_eq!(
            page.lines().next().unwrap(),
            format!("# {}", name.trim_end_matches(".md"))
        );
        let (_, rest) = page.split_once("```sh\n").unwrap();
        let (block, _) = rest.split_once("```").unwrap();
        for line in block.lines() {
            let program = line.split(' ').next().unwrap();
            assert!(
                ["kubectl", "nats", "wahook-receiver"].contains(&program),
                "{name}: {line}"
            );
        }
    }
}
