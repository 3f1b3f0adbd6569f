//! The objects that the chart becomes.

use std::collections::BTreeSet;

use serde_json::Value;

/// What Helm printed, and the objects in it.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) objects: Vec<Value>,
}

/// The pods of one object.
#[derive(Debug)]
pub(crate) struct Pod {
    /// The object's kind and name.
    pub(crate) owner: String,
    pub(crate) metadata: Value,
    pub(crate) spec: Value,
}

impl Rendered {
    pub(crate) fn new(text: String) -> Self {
        let objects: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let objects = objects.into_iter().filter(|object| !object.is_null()).collect();
        Self { text, objects }
    }

    /// Every object of a kind.
    pub(crate) fn all(&self, kind: &str) -> Vec<&Value> {
        self.objects
            .iter()
            .filter(|object| object["kind"] == kind)
            .collect()
    }

    pub(crate) fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.all(kind)
            .into_iter()
            .find(|object| object["metadata"]["name"] == name)
    }

    pub(crate) fn get(&self, kind: &str, name: &str) -> &Value {
        self.find(kind, name)
            .unwrap_or_else(|| panic!("there is no {kind} {name}, only {:#?}", self.names()))
    }

    /// The operator's Deployment.
    pub(crate) fn operator(&self) -> &Value {
        self.get("Deployment", "wahook-operator")
    }

    /// Its container.
    pub(crate) fn container(&self) -> &Value {
        &self.operator()["spec"]["template"]["spec"]["containers"][0]
    }

    /// `Kind/name` of each object, hooks included.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.objects.iter().map(name).collect()
    }

    /// Every pod that would run, hooks included.
    pub(crate) fn pods(&self) -> Vec<Pod> {
        let pod = |object: &Value| {
            let template = match object["kind"].as_str()? {
                "Pod" => object,
                "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => &object["spec"]["template"],
                _ => return None,
            };
            Some(Pod {
                owner: name(object),
                metadata: template["metadata"].clone(),
                spec: template["spec"].clone(),
            })
        };
        self.objects.iter().filter_map(pod).collect()
    }
}

impl Pod {
    pub(crate) fn containers(&self) -> Vec<&Value> {
        let list = |key: &str| self.spec[key].as_array().into_iter().flatten();
        list("containers").chain(list("initContainers")).collect()
    }
}

fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}
