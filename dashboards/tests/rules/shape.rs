//! The rules that Grafana's own linter has for dashboards, and some more. Where one is not kept, it says why.

use std::collections::BTreeSet;

use serde_json::Value;
use wahook_dashboards::all;

use super::{list, panels, queries, repository, text};

const SOURCE: &str = "${datasource}";
/// Windows that are no part of the time shown: the burn rates', which are those of the alerts.
const WINDOWS: [&str; 4] = ["5m", "30m", "1h", "6h"];
const UNITS: [&str; 7] = ["short", "s", "percentunit", "bytes", "binBps", "reqps", "ops"];

/// What stands in brackets.
fn windows(expr: &str) -> BTreeSet<&str> {
    // `[.]` is in a regular expression.
    expr.split('[')
        .skip(1)
        .filter_map(|rest| rest.split(']').next())
        .filter(|inside| *inside != ".")
        .collect()
}

#[test]
fn dashboards_are_told_apart_and_not_edited_in_place() {
    let dashboards = all();
    let mut seen = BTreeSet::new();
    for dashboard in &dashboards {
        let json = &dashboard.json;
        for key in ["uid", "title", "description"] {
            assert!(!text(&json[key]).is_empty(), "{}: {key}", dashboard.name);
            assert!(
                seen.insert(text(&json[key]).to_owned()) || key == "uid",
                "{}: {key}",
                dashboard.name
            );
        }
        // The name of the file and of the dashboard in links. A changed one breaks bookmarks.
        assert_eq!(json["uid"], dashboard.name);
        assert_eq!(json["editable"], false, "{}", dashboard.name);
        assert!(json["schemaVersion"].as_u64().unwrap() >= 39);
        assert!(json.get("id").is_none(), "{}: ids are Grafana's", dashboard.name);
    }
    assert_eq!(
        dashboards.map(|dashboard| dashboard.name),
        ["wahook-slo", "wahook-receiver", "wahook-fleet"]
    );
}

#[test]
fn variables_choose_the_data_source_the_job_and_the_webhook() {
    for dashboard in all() {
        let variables = list(&dashboard.json["templating"]["list"]);
        let names: Vec<_> = variables.iter().map(|one| text(&one["name"])).collect();
        // A job and an instance are what the linter asks for. An instance is a receiver here, of which one webhook has
        // many and which come and go: the webhook is what is chosen.
        assert_eq!(
            names,
            ["datasource", "job", "namespace", "webhook"],
            "{}",
            dashboard.name
        );
        assert_eq!(
            (&variables[0]["type"], &variables[0]["query"]),
            (&"datasource".into(), &"prometheus".into())
        );
        for variable in &variables[1..] {
            let name = &variable["name"];
            assert!(!text(&variable["label"]).is_empty(), "{name}");
            assert_eq!(variable["datasource"]["uid"], SOURCE, "{name}");
            assert_eq!(variable["multi"], true, "{name}");
            assert_eq!(variable["includeAll"], true, "{name}");
            assert_eq!(variable["allValue"], ".+", "{name}");
            assert!(
                text(&variable["query"]["query"]).starts_with("label_values("),
                "{name}"
            );
        }
    }
}

#[test]
fn every_panel_says_what_it_shows_in_which_unit_from_which_source() {
    for dashboard in all() {
        for (place, panel) in panels(&dashboard) {
            let description = text(&panel["description"]);
            assert!(!text(&panel["title"]).is_empty(), "{place}");
            assert!(
                description.len() > 15 && description.ends_with('.'),
                "{place}: {description}"
            );
            let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
            assert!(UNITS.contains(&unit), "{place}: {unit}");
            assert_eq!(panel["datasource"]["uid"], SOURCE, "{place}");
            let targets = list(&panel["targets"]);
            assert!(!targets.is_empty(), "{place}");
            for target in targets {
                assert_eq!(target["datasource"]["uid"], SOURCE, "{place}");
                assert!(!text(&target["legendFormat"]).is_empty(), "{place}");
            }
            let letters: BTreeSet<_> = targets.iter().map(|one| text(&one["refId"])).collect();
            assert_eq!(letters.len(), targets.len(), "{place}");
        }
    }
}

#[test]
fn ids_are_unique_and_panels_do_not_overlap() {
    for dashboard in all() {
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in list(&dashboard.json["panels"]) {
            assert!(
                ids.insert(panel["id"].as_u64().unwrap()),
                "{}: {}",
                dashboard.name,
                panel["id"]
            );
            let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(place("x") + place("w") <= 24, "{}: {panel}", dashboard.name);
            for x in place("x")..place("x") + place("w") {
                for y in place("y")..place("y") + place("h") {
                    assert!(taken.insert((x, y)), "{}: {}", dashboard.name, panel["title"]);
                }
            }
        }
    }
}

/// A window that is shorter than two scrapes shows nothing, one that is longer than a point's width too much.
#[test]
fn rates_are_over_the_window_that_grafana_computes() {
    for dashboard in all() {
        for (place, expr) in queries(&dashboard) {
            let is_burn = place.contains("Burn rate");
            for window in windows(&expr) {
                let is_shown = ["$__rate_interval", "$__range"].contains(&window);
                assert!(
                    is_shown || (is_burn && WINDOWS.contains(&window)),
                    "{place}: [{window}]"
                );
            }
            let is_counted = expr.contains("_total{") || expr.contains("_bucket{");
            assert!(
                !is_counted || expr.contains("rate(") || expr.contains("increase("),
                "{place}: {expr}"
            );
        }
    }
}

/// Every selector, so that two installations in one Prometheus are never mixed.
#[test]
fn every_selector_uses_the_variables() {
    for dashboard in all() {
        for (place, expr) in queries(&dashboard) {
            let selectors: Vec<_> = expr
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next())
                .collect();
            assert!(!selectors.is_empty(), "{place}: {expr}");
            for selector in selectors {
                assert!(selector.contains("job=~\"$job\""), "{place}: {selector}");
                let is_of_webhook = selector.contains("webhook=~\"$webhook\"");
                assert_eq!(
                    selector.contains("namespace=~\"$namespace\""),
                    is_of_webhook,
                    "{place}: {selector}"
                );
            }
        }
    }
}

/// Whoever sees a line crossed finds what to do.
#[test]
fn links_lead_to_runbooks_and_every_alert_has_a_panel() {
    let mut linked = BTreeSet::new();
    for dashboard in all() {
        for (place, panel) in panels(&dashboard) {
            for link in list(&panel["links"]) {
                let url = text(&link["url"]);
                let path = url
                    .strip_prefix("https://github.com/wahook/wahook/blob/main/")
                    .unwrap();
                assert!(repository(path).is_file(), "{place}: {url}");
                let alert = path.rsplit('/').next().unwrap().strip_suffix(".md").unwrap();
                assert!(text(&link["title"]).contains(alert), "{place}: {link}");
                linked.insert(alert.to_owned());
            }
        }
    }
    let subject = wahook_operator::build::alerts::Subject {
        namespace: "shop",
        name: "main",
        is_active: true,
        is_monitored: true,
    };
    let thresholds = wahook_operator::build::alerts::Thresholds::default();
    let mut alerts = wahook_operator::build::alerts::webhook(&subject, &thresholds);
    alerts.extend(wahook_operator::build::alerts::operator(&thresholds));
    let alerts: BTreeSet<_> = alerts.iter().map(|alert| alert.name.to_owned()).collect();
    assert_eq!(linked, alerts);
}

/// Meta's own numbers can be read off: lines in the graph, at bounds of buckets, where they are exact.
#[test]
fn the_latency_has_lines_where_meta_has_them() {
    let dashboards = all();
    let (_, panel) = panels(&dashboards[1])
        .into_iter()
        .find(|(_, panel)| panel["title"] == "Latency")
        .unwrap();
    let defaults = &panel["fieldConfig"]["defaults"];
    assert_eq!(defaults["custom"]["thresholdsStyle"]["mode"], "line");
    let lines: Vec<f64> = list(&defaults["thresholds"]["steps"])
        .iter()
        .filter_map(|step: &Value| step["value"].as_f64())
        .collect();
    assert_eq!(lines, [0.25, 1.0, 15.0]);
    for line in lines {
        assert!(
            wahook_receiver::metrics::LATENCY_BUCKETS.contains(&line),
            "{line}"
        );
    }
}
