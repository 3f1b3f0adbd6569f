//! The alerts as plain rule files, for a Prometheus without its operator.

use wahook_operator::build::alerts::{RuleFile, Subject, Thresholds};
use wahook_operator::build::prometheus_rule::{file, operator_file};

const HEAD: &str = "# Written by `cargo xtask generate` from operator/src/build/alerts. Do not edit.\n";

/// Path from the root of the workspace and content of each file.
pub(super) fn files() -> Result<[(&'static str, String); 3], serde_saphyr::ser_error::Error> {
    // The file is a pattern: whoever takes it puts the names of a webhook in.
    let example = Subject {
        namespace: "shop",
        name: "main",
        is_active: true,
        is_monitored: true,
    };
    let thresholds = Thresholds::default();
    Ok([
        (
            "monitoring/rules/webhook.example.yaml",
            text(&file(&example, &thresholds))?,
        ),
        (
            "charts/wahook/files/operator-alerts.yaml",
            text(&operator_file(&thresholds))?,
        ),
        (
            "monitoring/rules/operator.yaml",
            text(&operator_file(&thresholds))?,
        ),
    ])
}

fn text(rules: &RuleFile) -> Result<String, serde_saphyr::ser_error::Error> {
    let text = serde_saphyr::to_string(rules)?;
    Ok(format!("{HEAD}{}\n", text.trim_end()))
}
