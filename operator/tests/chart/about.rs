//! What Artifact Hub and people read about the chart.

use serde_json::Value;
use wahook_operator::cli::Cli;

use crate::support::{NATS, Rendered, read, render, repository, yaml};

fn chart() -> Value {
    yaml(&read("charts/wahook/Chart.yaml"))
}

/// An annotation of Artifact Hub that is YAML in a text.
fn annotation(chart: &Value, name: &str) -> Value {
    let text = chart["annotations"][format!("artifacthub.io/{name}")].as_str();
    yaml(text.unwrap_or_else(|| panic!("there is no {name}")))
}

#[test]
fn the_chart_has_the_programs_version() {
    use clap::CommandFactory as _;
    let chart = chart();
    let version = Cli::command().get_version().unwrap().to_owned();
    assert_eq!(
        (&chart["version"], &chart["appVersion"]),
        (&version.as_str().into(), &version.as_str().into())
    );
    assert_eq!(
        (&chart["apiVersion"], &chart["type"]),
        (&"v2".into(), &"application".into())
    );
    for key in [
        "description",
        "home",
        "sources",
        "keywords",
        "maintainers",
        "kubeVersion",
    ] {
        assert!(chart.get(key).is_some(), "{key}");
    }
}

/// Artifact Hub's rules: <https://artifacthub.io/docs/topics/annotations/helm/>.
#[test]
fn annotations_are_what_artifact_hub_takes() {
    let chart = chart();
    let plain = |name: &str| {
        chart["annotations"][format!("artifacthub.io/{name}")]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let categories = [
        "ai-machine-learning",
        "database",
        "integration-delivery",
        "monitoring-logging",
        "networking",
        "security",
        "storage",
        "streaming-messaging",
        "skip-prediction",
    ];
    assert!(categories.contains(&plain("category").as_str()));
    assert_eq!(plain("license"), "Apache-2.0");
    for name in ["operator", "prerelease"] {
        assert!(["true", "false"].contains(&plain(name).as_str()), "{name}");
    }
    let levels = [
        "Basic Install",
        "Seamless Upgrades",
        "Full Lifecycle",
        "Deep Insights",
        "Auto Pilot",
    ];
    assert!(levels.contains(&plain("operatorCapabilities").as_str()));
    for change in annotation(&chart, "changes").as_array().unwrap() {
        let kinds = ["added", "changed", "deprecated", "removed", "fixed", "security"];
        assert!(kinds.contains(&change["kind"].as_str().unwrap()), "{change}");
        assert!(change["description"].is_string(), "{change}");
    }
    for link in annotation(&chart, "links").as_array().unwrap() {
        let url = link["url"].as_str().unwrap();
        assert!(link["name"].is_string() && url.starts_with("https://"), "{link}");
    }
    let known = [
        "category",
        "license",
        "operator",
        "operatorCapabilities",
        "prerelease",
        "crds",
        "crdsExamples",
        "images",
        "links",
        "changes",
        "signKey",
        "recommendations",
        "screenshots",
        "containsSecurityUpdates",
    ];
    for key in chart["annotations"].as_object().unwrap().keys() {
        let name = key
            .strip_prefix("artifacthub.io/")
            .unwrap_or_else(|| panic!("{key}"));
        assert!(known.contains(&name), "{key}");
    }
}

#[test]
fn the_definition_in_the_annotations_is_the_one_in_the_chart() {
    let chart = chart();
    let listed = &annotation(&chart, "crds")[0];
    let definition = yaml(&read("crds/whatsappwebhooks.yaml"));
    assert_eq!(listed["name"], definition["metadata"]["name"]);
    assert_eq!(listed["kind"], definition["spec"]["names"]["kind"]);
    assert_eq!(listed["version"], definition["spec"]["versions"][0]["name"]);
    let examples = annotation(&chart, "crdsExamples");
    for example in examples.as_array().unwrap() {
        let resource: wahook_crds::WhatsAppWebhook = serde_json::from_value(example.clone()).unwrap();
        assert!(!resource.spec.meta.app_secrets.is_empty());
    }
}

#[test]
fn the_images_in_the_annotations_are_those_that_run() {
    let listed = annotation(&chart(), "images");
    let mut listed: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["image"].as_str().unwrap())
        .collect();
    listed.sort_unstable();
    let rendered = render(NATS);
    let pods = rendered.pods();
    let mut run: Vec<&str> = pods
        .iter()
        .flat_map(|pod| pod.containers())
        .map(|container| container["image"].as_str().unwrap())
        .collect();
    run.sort_unstable();
    assert_eq!(listed, run);
}

/// A page that is linked and not there helps nobody.
#[test]
fn links_into_the_repository_lead_somewhere() {
    for page in ["charts/wahook/README.md", "charts/wahook/Chart.yaml"] {
        let text = read(page);
        let prefix = "https://github.com/wahook/wahook/";
        let links = text
            .split(prefix)
            .skip(1)
            .filter_map(|rest| rest.split([')', '\n', '#', ' ']).next());
        for link in links {
            let Some(path) = link
                .strip_prefix("blob/main/")
                .or_else(|| link.strip_prefix("tree/main/"))
            else {
                continue;
            };
            assert!(repository(path).exists(), "{page}: {link}");
        }
    }
}

/// What a person pastes has to work.
#[test]
fn the_first_command_of_the_readme_renders() {
    let page = read("charts/wahook/README.md");
    let command: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("helm install"))
        .take(2)
        .collect();
    let sets: Vec<&str> = command
        .iter()
        .flat_map(|line| line.split("--set ").skip(1))
        .map(str::trim)
        .collect();
    assert!(sets.len() >= 3, "{command:?}");
    let mut values = serde_json::json!({});
    for set in sets {
        let (path, value) = set.trim_end_matches('\\').trim().split_once('=').unwrap();
        let value = match value {
            "true" => true.into(),
            text if text.contains("openssl rand -hex 24") => "0a".repeat(24).into(),
            text => Value::from(text),
        };
        *values.pointer_mut("").unwrap() = merged(values.clone(), path, value);
    }
    let rendered: Rendered = render(&values.to_string());
    rendered.get("StatefulSet", "wahook-nats");
}

fn merged(mut values: Value, path: &str, value: Value) -> Value {
    let mut place = &mut values;
    for key in path.split('.') {
        place = &mut place[key];
    }
    *place = value;
    values
}
