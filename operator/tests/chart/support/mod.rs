//! The chart, rendered, and what is looked for in it.

mod helm;
mod rendered;

use std::path::{Path, PathBuf};

use clap::Parser as _;
use wahook_operator::cli::{Cli, Command, render as command};

pub(crate) use helm::{Helm, NAMESPACE};
pub(crate) use rendered::{Pod, Rendered};

use serde_json::Value;

/// Values for the bundled NATS.
pub(crate) const NATS: &str = "nats: {enabled: true, auth: {password: abcdefghijklmnopqrstuvwxyz0123456789}}";

/// Values in which every switch is on and every list has something.
pub(crate) const EVERYTHING: &str = include_str!("everything.yaml");

/// The kinds that a cluster has on top of its own where [`EVERYTHING`] is installed.
pub(crate) const MONITORING: &str = "monitoring.coreos.com/v1/ServiceMonitor";

/// A directory or file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Rendered by Helm 4 in the newest Kubernetes that is supported.
pub(crate) fn render(values: &str) -> Rendered {
    Helm::four().render(values)
}

/// The texts of a list.
pub(crate) fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap_or_else(|| panic!("no list: {list}"))
        .iter()
        .map(|item| item.as_str().unwrap_or_else(|| panic!("no text: {item}")))
        .collect()
}

/// What `wahook-operator render` makes of a file, with everything allowed.
pub(crate) fn operator_render(path: &Path) -> String {
    let words = [
        "wahook-operator",
        "render",
        "--nats-servers=nats://n:4222",
        "--allow-images=*",
        "--allow-nats-servers=*",
        "--allow-issuers=*",
        "--allow-annotations=*",
        "--allow-labels=*",
        "--allow-env=*",
        "-f",
        path.to_str().unwrap(),
    ];
    let Command::Render(args) = Cli::try_parse_from(words).unwrap().command else {
        panic!("another command")
    };
    let mut out = Vec::new();
    assert!(command::run(&args, std::io::empty(), &mut out, std::io::sink()).unwrap());
    String::from_utf8(out).unwrap()
}
