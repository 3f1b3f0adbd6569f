//! The definition itself: what people, `kubectl` and the API server need of it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::schema;
use wahook_crds::conditions::ConditionType;
use wahook_crds::{crd, crd_yaml};

/// Calls `look` with every schema below and its path.
fn walk(schema: &Value, path: &str, look: &mut dyn FnMut(&str, &Value)) {
    look(path, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        walk(field, &format!("{path}.{name}"), look);
    }
    for (keyword, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(keyword).filter(|inner| inner.is_object()) {
            walk(inner, &format!("{path}{mark}"), look);
        }
    }
}

fn all() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    walk(&schema(), "", &mut |path, schema| {
        found.push((path.to_owned(), schema.clone()));
    });
    assert!(found.len() > 150, "the walk sees the whole schema");
    found
}

#[test]
fn the_committed_file_is_the_generated_one() {
    let committed = include_str!("../whatsappwebhooks.yaml");
    let generated = crd_yaml().unwrap();
    assert!(
        committed == generated,
        "crds/whatsappwebhooks.yaml is not what the types say: run `cargo xtask generate`"
    );
    assert_eq!(generated, crd_yaml().unwrap(), "the text differs from run to run");
}

#[test]
fn the_committed_file_reads_back() {
    let read: Value = serde_saphyr::from_str(include_str!("../whatsappwebhooks.yaml")).unwrap();
    let numbers_alike = |value: &Value| value.to_string().replace(".0,", ",").replace(".0}", "}");
    assert_eq!(
        numbers_alike(&read),
        numbers_alike(&serde_json::to_value(crd()).unwrap())
    );
}

/// Client-side apply stores the whole definition in an annotation of at most 256 KiB.
#[test]
fn the_definition_fits_an_annotation() {
    let size = serde_json::to_string(&crd()).unwrap().len();
    assert!(size < 256 * 1024, "{size} bytes");
}

#[test]
fn every_field_is_described() {
    for (path, schema) in all() {
        let is_value_of_list_or_map = path.ends_with("[]") || path.ends_with("{}");
        if is_value_of_list_or_map && schema["type"] != "object" {
            continue;
        }
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(description.trim().len() > 3, "{path} has no description");
        assert!(!description.contains("Auto-generated"), "{path}");
    }
}

/// A default that is not mentioned is not found by `kubectl explain`.
#[test]
fn every_default_is_described() {
    for (path, schema) in all() {
        let shown = match &schema["default"] {
            Value::Null | Value::Object(_) | Value::Array(_) => continue,
            Value::String(text) if text.is_empty() => "Empty by default".to_owned(),
            Value::String(text) => format!("`{text}` by default"),
            Value::Bool(value) => format!("`{value}` by default"),
            Value::Number(number) => format!("{number} by default"),
        };
        let description = schema["description"].as_str().unwrap_or_default();
        let one_line = description.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains(&shown), "{path} does not say {shown:?}");
    }
}

/// Since Kubernetes 1.34 others are warned about, and JSON has no unsigned numbers.
#[test]
fn only_formats_that_kubernetes_knows() {
    for (path, schema) in all() {
        if let Some(format) = schema["format"].as_str() {
            assert!(
                ["int32", "int64", "date-time"].contains(&format),
                "{path} has format {format}"
            );
        }
        let is_spec =
            path.starts_with(".spec") && !path.contains("nodeAffinity") && !path.contains("tolerations");
        if schema["type"] == "integer" && is_spec {
            assert!(
                schema["minimum"].is_number() && schema["maximum"].is_number(),
                "{path} has no bounds"
            );
        }
    }
}

/// Without bounds the API server refuses a definition whose rules could become expensive.
#[test]
fn what_rules_look_at_is_bounded() {
    for (path, schema) in all().into_iter().filter(|(path, _)| path.starts_with(".spec")) {
        if path.contains("nodeAffinity") || path.contains("tolerations[]") {
            continue;
        }
        let bound = match schema["type"].as_str() {
            Some("string") if schema["enum"].is_null() => "maxLength",
            Some("array") => "maxItems",
            Some("object") if schema["additionalProperties"].is_object() => "maxProperties",
            _ => continue,
        };
        assert!(schema[bound].is_number(), "{path} has no {bound}");
    }
}

#[test]
fn no_reference_leaves_the_namespace_but_a_gateways() {
    let namespaces: Vec<_> = all()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.ends_with(".namespace") || path.ends_with(".namespaces"))
        .collect();
    assert_eq!(namespaces, [".spec.endpoint.gateway.parentRefs[].namespace"]);
}

#[test]
fn conditions_are_merged_by_type() {
    let conditions = &schema()["properties"]["status"]["properties"]["conditions"];
    assert_eq!(conditions["x-kubernetes-list-type"], "map");
    assert_eq!(conditions["x-kubernetes-list-map-keys"], json!(["type"]));
    let described = conditions["description"].as_str().unwrap();
    for kind in ConditionType::ALL {
        assert!(described.contains(kind.as_str()), "{kind} is not mentioned");
    }
}

#[test]
fn null_counts_as_absent() {
    for (path, schema) in all() {
        assert!(
            schema["nullable"].is_null() && schema["anyOf"].is_null() && schema["oneOf"].is_null(),
            "{path}"
        );
    }
}

#[test]
fn every_rule_has_a_message_on_one_line() {
    let mut rules = 0;
    for (path, schema) in all() {
        for rule in schema["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let message = rule["message"].as_str().unwrap_or_default();
            assert!(!message.is_empty() && !message.contains('\n'), "{path}: {rule}");
            // The field that the message names is the one the rule is on, or one of an object's.
            let field = path.trim_start_matches(".spec.").replace("[]", "");
            let last = field.rsplit('.').next().unwrap_or_default();
            assert!(
                message.contains(last) || schema["type"] == "object",
                "{path} has a message that does not name it: {message}"
            );
            rules += 1;
        }
    }
    assert!(rules > 60, "{rules}");
}

#[test]
fn names_and_subresources() {
    let crd = serde_json::to_value(crd()).unwrap();
    assert_eq!(crd["metadata"]["name"], "whatsappwebhooks.wahook.dev");
    assert_eq!(
        crd["spec"]["names"],
        json!({
            "kind": "WhatsAppWebhook", "plural": "whatsappwebhooks", "singular": "whatsappwebhook",
            "shortNames": ["waw"], "categories": ["wahook"],
        })
    );
    let version = &crd["spec"]["versions"][0];
    assert_eq!(version["name"], "v1alpha1");
    assert_eq!(
        version["subresources"],
        json!({
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.receiver.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        })
    );
}

#[test]
fn columns() {
    let crd = serde_json::to_value(crd()).unwrap();
    let columns = crd["spec"]["versions"][0]["additionalPrinterColumns"]
        .as_array()
        .unwrap()
        .clone();
    let (wide, always): (Vec<_>, Vec<_>) = columns.iter().partition(|column| column["priority"] == 1);
    let shown = |columns: Vec<&Value>| -> Vec<String> {
        columns
            .iter()
            .map(|column| {
                format!(
                    "{} {}",
                    column["name"].as_str().unwrap(),
                    column["jsonPath"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(
        shown(always),
        [
            r#"Ready .status.conditions[?(@.type=="Ready")].status"#,
            r#"Reason .status.conditions[?(@.type=="Ready")].reason"#,
            "URL .status.callbackUrl",
            "Up .status.readyReplicas",
            "Receivers .status.replicas",
            "Age .metadata.creationTimestamp",
        ]
    );
    assert_eq!(
        shown(wide),
        [
            r#"Receiving .status.conditions[?(@.type=="Receiving")].reason"#,
            r#"Endpoint .status.conditions[?(@.type=="EndpointReady")].reason"#,
            "Stream .status.stream.name",
            "Secrets .status.secretGeneration",
            "Certificate Until .status.certificate.notAfter",
        ]
    );
}
