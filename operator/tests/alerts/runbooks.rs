//! Every alert has a runbook with four headings, and no runbook is left over. Their queries are right.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use wahook_receiver::metrics::{Definition, Metrics};

use super::every;
use super::metrics::{asked, exported, is_exported};
use super::promtool::promtool;

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
        // What they are and that they run is `cargo xtask e2e` and xtask/src/e2e/pages.rs.
        let (_, diagnosis) = page.split_once("## Diagnosis").unwrap();
        let (diagnosis, mitigation) = diagnosis.split_once("## Mitigation").unwrap();
        assert!(diagnosis.contains("```sh\n"), "{name}: nothing to look with");
        assert!(mitigation.len() > 100, "{name}: too little to do");
    }
}

/// The queries of a page, with their lines.
fn queries(page: &str) -> Vec<(usize, String)> {
    let mut queries = Vec::new();
    let mut lines = page.lines().zip(1..);
    while let Some((fence, line)) = lines.next() {
        if fence.starts_with("```") {
            let block: Vec<&str> = lines
                .by_ref()
                .map(|(text, _)| text)
                .take_while(|text| *text != "```")
                .collect();
            if fence == "```promql" {
                queries.push((line, block.join(" ")));
            }
        }
    }
    queries
}

/// What a query groups by.
fn grouped(query: &str) -> impl Iterator<Item = &str> {
    query
        .split("by (")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .flat_map(|list| list.split(','))
        .map(str::trim)
}

/// The labels of the series of these metrics, when all are the receiver's: the operator's do not say theirs.
fn labels(asked: &BTreeSet<&str>) -> Option<BTreeSet<&'static str>> {
    // What Prometheus adds, and what buckets have.
    let mut labels = BTreeSet::from(["namespace", "webhook", "pod", "le"]);
    for name in asked {
        let series = |definition: &&Definition| {
            name.strip_prefix(definition.name)
                .is_some_and(|rest| ["", "_bucket", "_count", "_sum"].contains(&rest))
        };
        let definition = Metrics::describe().iter().find(series)?;
        labels.extend(definition.labels);
    }
    Some(labels)
}

#[test]
fn every_query_is_one_and_asks_for_what_is_exported() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manual = ["on-call", "register-with-meta", "troubleshooting"];
    let mut pages: Vec<_> = manual.map(|name| root.join(format!("docs/{name}.md"))).into();
    for entry in fs::read_dir(root.join("monitoring/runbooks")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    let exported = exported();
    let mut rules = Vec::new();
    for path in pages {
        for (line, query) in queries(&fs::read_to_string(&path).unwrap()) {
            let at = format!("{}:{line}: {query}", path.display());
            let asked = asked(&query);
            assert!(!asked.is_empty(), "{at}");
            for name in &asked {
                assert!(is_exported(name, &exported), "{at}: {name}");
            }
            let has = labels(&asked);
            for label in grouped(&query) {
                assert!(
                    has.as_ref().is_none_or(|has| has.contains(label)),
                    "{at}: no label {label}"
                );
            }
            // The name of the rule is what promtool says when a query is wrong.
            let place = path.file_stem().unwrap().to_str().unwrap().replace('-', "_");
            rules.push(json!({ "record": format!("{place}:{line}"), "expr": query }));
        }
    }
    assert!(rules.len() > 25, "only {} queries were found", rules.len());
    let directory = TempDir::new().unwrap();
    let file = json!({ "groups": [{ "name": "pages", "rules": rules }] });
    fs::write(directory.path().join("pages.yaml"), file.to_string()).unwrap();
    promtool(
        &["check", "rules", "--lint=none"],
        &["pages.yaml".to_owned()],
        directory.path(),
    );
}
