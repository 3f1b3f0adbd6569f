//! The schema and the table of the chart's values, from the comments in its `values.yaml`.
//!
//! The comment above a key is its description. A line `# @schema {...}` in it is JSON that is merged into the key's schema. Types
//! are those of the defaults, and no object takes a key that is not there, unless `@schema` says so.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// A key of `values.yaml`.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    path: Vec<String>,
    description: String,
    schema: Map<String, Value>,
    default: Value,
}

/// What is wrong with `values.yaml`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValuesError {
    /// It is no YAML.
    #[error("it cannot be read: {0}")]
    Yaml(#[from] serde_saphyr::Error),
    /// A key stands without a comment.
    #[error("line {line}: write a comment above {key:?}: it becomes the key's description")]
    Undescribed {
        /// Where.
        line: usize,
        /// Which key.
        key: String,
    },
    /// What follows `@schema` is no JSON object.
    #[error("line {line}: what follows @schema is no JSON object: {source}")]
    Schema {
        /// Where.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line is neither a comment nor `key:` with a value on the same line.
    #[error("line {line}: write `key: value` on one line, two spaces deeper than what it belongs to")]
    Line {
        /// Where.
        line: usize,
    },
}

/// `values.schema.json`.
pub(super) fn schema(values: &str) -> Result<String, ValuesError> {
    let mut root = object("The values of the chart wahook.");
    root.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    for key in read(values)? {
        insert(&mut root, &key.path, &key);
    }
    Ok(format!("{:#}\n", Value::Object(root)))
}

/// The rows of the table, with its head.
pub(super) fn table(values: &str) -> Result<String, ValuesError> {
    let mut table = "| value | default | meaning |\n|---|---|---|\n".to_owned();
    for key in read(values)? {
        let default = match &key.default {
            Value::Object(map) if !map.is_empty() => String::new(),
            other => format!("`{other}`"),
        };
        let meaning = key.description.replace('|', "\\|");
        // Writing to a string does not fail.
        let _ = writeln!(table, "| `{}` | {default} | {meaning} |", key.path.join("."));
    }
    Ok(table)
}

fn read(text: &str) -> Result<Vec<Key>, ValuesError> {
    let defaults: Value = serde_saphyr::from_str(text)?;
    let mut keys = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let (mut words, mut schema) = (Vec::new(), Map::new());
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let content = line.trim_start();
        let depth = (line.len() - content.len()) / 2;
        if let Some(comment) = content.strip_prefix('#') {
            match comment.trim().strip_prefix("@schema ") {
                Some(json) => {
                    schema = serde_json::from_str(json)
                        .map_err(|source| ValuesError::Schema { line: number, source })?;
                }
                None => words.push(comment.trim()),
            }
            continue;
        }
        let (comment, demanded) = (words.join(" "), std::mem::take(&mut schema));
        words.clear();
        if content.is_empty() {
            continue;
        }
        let name = name(content).filter(|_| depth <= path.len());
        let name = name.ok_or(ValuesError::Line { line: number })?;
        if comment.is_empty() {
            let key = name.to_owned();
            return Err(ValuesError::Undescribed { line: number, key });
        }
        path.truncate(depth);
        path.push(name.to_owned());
        let default = path.iter().try_fold(&defaults, |value, key| value.get(key));
        keys.push(Key {
            path: path.clone(),
            description: comment,
            schema: demanded,
            default: default.cloned().ok_or(ValuesError::Line { line: number })?,
        });
    }
    Ok(keys)
}

fn name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then_some(name)
}

fn object(description: &str) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("type".into(), json!("object"));
    object.insert("description".into(), json!(description));
    object.insert("additionalProperties".into(), json!(false));
    object.insert("properties".into(), json!({}));
    object
}

fn insert(parent: &mut Map<String, Value>, path: &[String], key: &Key) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let properties = parent.entry("properties").or_insert_with(|| json!({}));
    let Some(properties) = properties.as_object_mut() else {
        return;
    };
    if rest.is_empty() {
        properties.insert(name.clone(), Value::Object(leaf(key)));
    } else if let Some(child) = properties.get_mut(name).and_then(Value::as_object_mut) {
        insert(child, rest, key);
    }
}

fn leaf(key: &Key) -> Map<String, Value> {
    let mut schema = match &key.default {
        Value::Object(_) => object(&key.description),
        other => {
            let kind = match other {
                Value::Bool(_) => "boolean",
                Value::Number(_) => "integer",
                Value::Array(_) => "array",
                _ => "string",
            };
            let mut schema = Map::new();
            schema.insert("type".into(), json!(kind));
            schema.insert("description".into(), json!(key.description));
            schema
        }
    };
    schema.insert("default".into(), key.default.clone());
    schema.extend(key.schema.clone());
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: &str = r#"# About the file.

# An image
# of something.
image:
  # Its tag.
  # @schema {"minLength": 1}
  tag: "1"
  # Copies | more.
  # @schema {"minimum": 1}
  copies: 2
# Labels.
# @schema {"additionalProperties": {"type": "string"}}
labels: {}
# Names.
names: []
"#;

    #[test]
    fn a_schema_with_every_key_and_no_other() {
        let schema: Value = serde_json::from_str(&schema(VALUES).unwrap()).unwrap();
        assert_eq!(schema["additionalProperties"], false);
        let image = &schema["properties"]["image"];
        assert_eq!(image["additionalProperties"], false);
        assert_eq!(image["description"], "An image of something.");
        let tag = json!({"type": "string", "description": "Its tag.", "minLength": 1, "default": "1"});
        assert_eq!(image["properties"]["tag"], tag);
        assert_eq!(image["properties"]["copies"]["type"], "integer");
        let labels = &schema["properties"]["labels"];
        assert_eq!(labels["additionalProperties"], json!({"type": "string"}));
        assert_eq!(schema["properties"]["names"]["type"], "array");
    }

    #[test]
    fn a_table_with_every_key() {
        let table = table(VALUES).unwrap();
        let rows: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(rows.len(), 5);
        assert_eq!(rows[0], "| `image` |  | An image of something. |");
        assert_eq!(rows[2], "| `image.copies` | `2` | Copies \\| more. |");
        assert_eq!(rows[3], "| `labels` | `{}` | Labels. |");
    }

    #[test]
    fn what_cannot_be_described_is_refused_by_its_line() {
        for (text, part) in [
            ("a: 1\n", "line 1: write a comment above \"a\""),
            ("# A.\na: 1\n\nb: 1\n", "line 4: write a comment above \"b\""),
            ("# A.\n# @schema {\na: 1\n", "line 2: what follows @schema"),
            ("# A.\na:\n  - 1\n", "line 3: write `key: value`"),
        ] {
            let error = schema(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
