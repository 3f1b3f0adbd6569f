//! JSON schemas for kubeconform, from what Kubernetes and others publish about their kinds.
//!
//! The usual schemas come from a web site that tests cannot depend on. These are made from the same source: the
//! `OpenAPI` document of a Kubernetes version, and definitions of other kinds. Each file is complete in itself and
//! strict: a field that its kind does not have is refused, and so is null.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

/// What the names of definitions begin with where they are referred to.
const REFERENCE: &str = "#/definitions/";
const METADATA: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/// The schemas of one Kubernetes version and of other kinds in it.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    /// By the path of their file.
    files: BTreeMap<String, Value>,
    /// What the files have in common.
    definitions: BTreeMap<String, Value>,
}

impl Schemas {
    /// Where kubeconform finds them below a directory. A kind of the core has its version for a group.
    pub const LOCATION: &'static str = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json";

    /// Every kind of a Kubernetes version.
    pub fn of(openapi: &Value) -> Self {
        let found = openapi["definitions"].as_object();
        let mut schemas = Self {
            definitions: found
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), named(name, schema)))
                .collect(),
            files: BTreeMap::new(),
        };
        for (name, schema) in found.into_iter().flatten() {
            let kinds = schema["x-kubernetes-group-version-kind"].as_array();
            // What is said of several kinds is no kind of its own, such as the options of a deletion.
            let Some([kind]) = kinds.map(Vec::as_slice) else {
                continue;
            };
            let text = |key: &str| kind[key].as_str().unwrap_or_default();
            let kind = Kind {
                group: text("group"),
                version: text("version"),
                name: text("kind"),
            };
            let body = schemas.definitions.get(name).cloned().unwrap_or_default();
            schemas.add(&kind, body);
        }
        schemas
    }

    /// And the kinds of custom resource definitions.
    #[must_use]
    pub fn with<'a>(mut self, definitions: impl IntoIterator<Item = &'a Value>) -> Self {
        for definition in definitions {
            let spec = &definition["spec"];
            for version in spec["versions"].as_array().into_iter().flatten() {
                let kind = Kind {
                    group: spec["group"].as_str().unwrap_or_default(),
                    version: version["name"].as_str().unwrap_or_default(),
                    name: spec["names"]["kind"].as_str().unwrap_or_default(),
                };
                let mut body = strict(&version["schema"]["openAPIV3Schema"]);
                for word in ["apiVersion", "kind"] {
                    body["properties"][word] = json!({"type": "string"});
                }
                // A definition says nothing about it: it is the same everywhere.
                body["properties"]["metadata"] = json!({"$ref": format!("{REFERENCE}{METADATA}")});
                self.add(&kind, body);
            }
        }
        self
    }

    fn add(&mut self, kind: &Kind<'_>, mut body: Value) {
        body["properties"]["apiVersion"] = json!({"const": kind.api_version()});
        body["properties"]["kind"] = json!({"const": kind.name});
        let mut required: BTreeSet<&str> = BTreeSet::from(["apiVersion", "kind"]);
        let other = body["required"].clone();
        required.extend(other.as_array().into_iter().flatten().filter_map(Value::as_str));
        body["required"] = json!(required);
        body["definitions"] = json!(self.reachable(&body));
        self.files.insert(kind.path(), body);
    }

    /// Every definition that a schema needs, directly or by way of others.
    fn reachable(&self, schema: &Value) -> BTreeMap<&str, &Value> {
        let mut found = BTreeMap::new();
        let mut wanted = references(schema);
        while let Some(name) = wanted.pop() {
            if let Some((name, schema)) = self.definitions.get_key_value(&name)
                && found.insert(name.as_str(), schema).is_none()
            {
                wanted.extend(references(schema));
            }
        }
        found
    }

    /// Writes every file below a directory.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        for (path, schema) in &self.files {
            let target = directory.join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(target, serde_json::to_vec(schema)?)?;
        }
        Ok(())
    }
}

/// What identifies a kind.
struct Kind<'a> {
    group: &'a str,
    version: &'a str,
    name: &'a str,
}

impl Kind<'_> {
    fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    fn path(&self) -> String {
        let group = if self.group.is_empty() {
            self.version
        } else {
            self.group
        };
        format!("{group}/{}_{}.json", self.name.to_lowercase(), self.version)
    }
}

/// A definition of Kubernetes by its name.
fn named(name: &str, schema: &Value) -> Value {
    if name == QUANTITY {
        // `cpu: 1` is as good as `cpu: "1"`.
        return json!({"type": ["string", "number"]});
    }
    strict(schema)
}

/// A schema as `OpenAPI` and Kubernetes write it, in plain JSON Schema, with unknown fields refused.
fn strict(schema: &Value) -> Value {
    let Some(source) = schema.as_object() else {
        return schema.clone();
    };
    let is_set = |word: &str| source.get(word) == Some(&Value::Bool(true));
    if source
        .get("format")
        .is_some_and(|format| format == "int-or-string")
        || is_set("x-kubernetes-int-or-string")
    {
        return json!({"type": ["string", "integer"]});
    }
    let mut target = Map::new();
    for (word, value) in source {
        let value = match word.as_str() {
            "properties" => Value::Object(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| (name.clone(), strict(schema)))
                    .collect(),
            ),
            "items" | "additionalProperties" => strict(value),
            "type" if is_set("nullable") => json!([value, "null"]),
            "type" | "required" | "enum" | "pattern" | "$ref" | "minimum" | "maximum" | "minLength"
            | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => value.clone(),
            // Descriptions, defaults, formats, and rules that say more than a schema can.
            _ => continue,
        };
        target.insert(word.clone(), value);
    }
    let is_open =
        is_set("x-kubernetes-preserve-unknown-fields") || source.contains_key("additionalProperties");
    if source.contains_key("properties") && !is_open {
        target.insert("additionalProperties".into(), Value::Bool(false));
    }
    if is_set("x-kubernetes-embedded-resource") {
        target.remove("additionalProperties");
    }
    Value::Object(target)
}

/// The names of the definitions that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => map
            .iter()
            .flat_map(|(word, value)| match value.as_str() {
                Some(text) if word == "$ref" => text
                    .strip_prefix(REFERENCE)
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Schemas {
        Schemas::of(&json!({"definitions": {
            METADATA: {"type": "object", "properties": {"name": {"type": "string", "description": "x"}}},
            "unused": {"type": "object"},
            "Tree": {"type": "object", "properties": {
                "children": {"type": "array", "items": {"$ref": "#/definitions/Tree"}},
                "port": {"type": "string", "format": "int-or-string"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            }},
            "Thing": {
                "type": "object",
                "required": ["spec"],
                "properties": {
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"},
                    "metadata": {"$ref": format!("{REFERENCE}{METADATA}")},
                    "spec": {"$ref": "#/definitions/Tree"},
                },
                "x-kubernetes-group-version-kind": [{"group": "apps", "version": "v1", "kind": "Thing"}],
            },
            "Options": {
                "properties": {},
                "x-kubernetes-group-version-kind": [
                    {"group": "", "version": "v1", "kind": "Options"},
                    {"group": "apps", "version": "v1", "kind": "Options"},
                ],
            },
        }}))
    }

    #[test]
    fn a_kind_is_a_strict_file_with_all_it_needs() {
        let schemas = small();
        assert_eq!(schemas.files.keys().collect::<Vec<_>>(), ["apps/thing_v1.json"]);
        let thing = &schemas.files["apps/thing_v1.json"];
        assert_eq!(thing["additionalProperties"], false);
        assert_eq!(thing["properties"]["apiVersion"]["const"], "apps/v1");
        assert_eq!(thing["required"], json!(["apiVersion", "kind", "spec"]));
        let definitions = thing["definitions"].as_object().unwrap();
        assert_eq!(definitions.keys().collect::<Vec<_>>(), ["Tree", METADATA]);
        let tree = &definitions["Tree"];
        assert_eq!(tree["additionalProperties"], false);
        assert_eq!(tree["properties"]["port"]["type"], json!(["string", "integer"]));
        let labels = &tree["properties"]["labels"]["additionalProperties"];
        assert_eq!(labels, &json!({"type": "string"}));
        assert_eq!(
            definitions[METADATA]["properties"]["name"],
            json!({"type": "string"})
        );
    }

    #[test]
    fn a_definition_of_others_is_as_strict() {
        let definition = json!({"spec": {
            "group": "example.com",
            "names": {"kind": "Own"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {
                    "spec": {"type": "object", "properties": {"open": {
                        "type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": true,
                    }}},
                },
            }}}],
        }});
        let schemas = small().with([&definition]);
        let own = &schemas.files["example.com/own_v1.json"];
        assert_eq!(own["additionalProperties"], false);
        let spec = &own["properties"]["spec"];
        assert_eq!(spec["additionalProperties"], false);
        assert_eq!(spec["properties"]["open"].get("additionalProperties"), None);
        assert_eq!(own["definitions"].as_object().unwrap().len(), 1, "its metadata");
    }
}
