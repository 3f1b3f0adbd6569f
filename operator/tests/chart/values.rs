//! Every key of the values is in the schema and in the README's table, and no object takes a key that is not there.

use serde_json::Value;

use crate::support::{read, yaml};

/// Objects whose keys are a user's to choose.
fn is_free(schema: &Value) -> bool {
    schema["properties"]
        .as_object()
        .is_none_or(serde_json::Map::is_empty)
}

fn paths(values: &Value, prefix: &str, found: &mut Vec<String>) {
    for (key, value) in values.as_object().into_iter().flatten() {
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        paths(value, &path, found);
        found.push(path);
    }
}

#[test]
fn the_table_has_every_key_once() {
    let page = read("charts/wahook/README.md");
    let mut keys = Vec::new();
    paths(&yaml(&read("charts/wahook/values.yaml")), "", &mut keys);
    assert!(keys.len() > 100, "{}", keys.len());
    for key in &keys {
        let row = format!("| `{key}` | ");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with(&row)).collect();
        let [row] = rows.as_slice() else {
            panic!("{key}: {rows:?}")
        };
        let meaning = row.trim_end_matches('|').rsplit(" | ").next().unwrap().trim();
        assert!(meaning.len() > 5, "{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, keys.len(), "the table has keys that are not there");
}

#[test]
fn the_schema_has_every_key_and_refuses_others() {
    let schema: Value = serde_json::from_str(&read("charts/wahook/values.schema.json")).unwrap();
    let values = yaml(&read("charts/wahook/values.yaml"));
    check(&schema, &values, "");
}

fn check(schema: &Value, values: &Value, path: &str) {
    assert!(schema["description"].is_string(), "{path} is not described");
    let Some(values) = values.as_object() else {
        return;
    };
    for (key, value) in values {
        check(&schema["properties"][key], value, &format!("{path}.{key}"));
    }
    // A parent chart puts its own keys into `global`; requests and limits may name any resource.
    let open = [
        ".global",
        ".resources.requests",
        ".resources.limits",
        ".nats.resources.requests",
        ".nats.resources.limits",
    ];
    if !is_free(schema) && !open.contains(&path) {
        assert_eq!(schema["additionalProperties"], false, "{path} takes any key");
        assert_eq!(
            schema["properties"].as_object().unwrap().len(),
            values.len(),
            "{path}"
        );
    }
}
