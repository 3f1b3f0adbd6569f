//! The alerts as the monitoring mixin imports them.

use serde_json::json;
use wahook_operator::build::alerts::{Subject, Thresholds};
use wahook_operator::build::prometheus_rule::{file, operator_file};

/// What the mixin puts the names of its configuration in place of.
const PLACE: Subject<'_> = Subject {
    namespace: "the-namespace-of-the-webhook",
    name: "the-name-of-the-webhook",
    is_active: true,
    is_monitored: true,
};

/// Path from the root of the workspace and content of each file.
pub(super) fn files() -> [(&'static str, String); 2] {
    let thresholds = Thresholds::default();
    [
        (
            "monitoring/mixin/alerts/webhook.json",
            format!("{:#}\n", json!(file(&PLACE, &thresholds))),
        ),
        (
            "monitoring/mixin/alerts/operator.json",
            format!("{:#}\n", json!(operator_file(&thresholds))),
        ),
    ]
}
