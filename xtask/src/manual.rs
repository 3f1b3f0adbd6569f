//! Holds the manual and the runbooks against the repository: their links lead somewhere, the tests they name exist, and the
//! fields they ask the resource for are in its definition.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Its pages with commands, and those that lead to them.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut paths = vec![root.join("README.md")];
    for directory in ["docs", "monitoring/runbooks"] {
        for entry in fs::read_dir(root.join(directory)).unwrap() {
            paths.push(entry.unwrap().path());
        }
    }
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// What a heading is called in an address.
fn slug(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().chars();
    letters
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then(|| letter.to_ascii_lowercase()),
        })
        .collect()
}

/// Where the links of a page lead, but for those to elsewhere.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.starts_with("http") && !link.contains(' '))
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for (path, text) in pages() {
        for link in links(&text) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !place.is_empty() {
                let there = fs::read_to_string(&target).unwrap();
                let is_there = there
                    .lines()
                    .any(|line| line.starts_with('#') && slug(line) == place);
                assert!(is_there, "{}: {link} has no such heading", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} links were found");
}

/// The tests that a page names: between backticks, `FILE.rs::NAME`.
fn tests(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|word| word.split_once("::"))
        .filter(|(file, _)| {
            file.contains("/tests/") && Path::new(file).extension().is_some_and(|ending| ending == "rs")
        })
}

#[test]
fn every_row_about_durability_names_tests_that_exist() {
    rows_name_tests("docs/durability.md", "## What fails, and what comes of it");
}

#[test]
fn every_row_about_hostile_clients_names_tests_that_exist() {
    rows_name_tests("docs/hostile-clients.md", "# What hostile clients get");
}

fn rows_name_tests(page: &str, heading: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join(page)).unwrap();
    let (_, table) = page.split_once(heading).unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .collect();
    assert!(rows.len() > 20, "only {} rows were found", rows.len());
    for row in rows {
        let named: Vec<_> = tests(row).collect();
        assert!(!named.is_empty(), "no test is named: {row}");
        for (file, name) in named {
            let source =
                fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("{file} is not there"));
            let (before, _) = source
                .split_once(&format!("fn {name}()"))
                .unwrap_or_else(|| panic!("{file} has no {name}"));
            let above = before.trim_end().trim_end_matches("async").trim_end();
            let attribute = above.lines().last().unwrap_or_default();
            assert!(
                attribute.contains("test") && !above.ends_with("#[ignore]"),
                "{name} is no test: {attribute}"
            );
        }
    }
}

/// The paths that a line asks a webhook for, such as `status.stream.name`.
fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(['{', ' '])
        .filter_map(|part| part.strip_prefix('.'))
        .filter(|part| part.starts_with("status.") || part.starts_with("spec."))
        .map(|part| part.split(['[', '}', '\'', '"', '`']).next().unwrap_or_default())
}

#[test]
fn every_field_that_is_asked_for_exists() {
    let definition = serde_json::to_value(wahook_crds::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut checked = 0;
    for (path, text) in pages() {
        // A command goes on behind a backslash.
        for line in text.replace("\\\n", " ").lines() {
            if !line.contains("get whatsappwebhooks.wahook.dev") {
                continue;
            }
            for field in fields(line) {
                assert!(has(schema, field), "{}: {field}: {line}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} fields were found");
}

fn has(schema: &Value, field: &str) -> bool {
    let found = field
        .split('.')
        .try_fold(schema, |schema, name| schema["properties"].get(name));
    found.is_some()
}

#[test]
fn a_field_that_is_not_there_is_noticed() {
    let definition = serde_json::to_value(wahook_crds::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    assert!(has(schema, "status.callbackUrl") && has(schema, "spec.meta.appSecrets"));
    assert!(!has(schema, "status.callbackURL") && !has(schema, "spec.meta.appSecret"));
    let line = "get x --output 'jsonpath={.status.stream.name}{\" \"}{.spec.meta[0]}'";
    assert_eq!(
        fields(line).collect::<Vec<_>>(),
        ["status.stream.name", "spec.meta"]
    );
    assert_eq!(slug("### 403 at the verification"), "403-at-the-verification");
}
