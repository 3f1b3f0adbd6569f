//! Plans to the JSON that Grafana reads.

use serde_json::{Value, json};
use wahook_operator::build::alerts::RUNBOOKS;

use crate::Plan;
use crate::panel::{Kind, Panel, Row};

/// Grafana's grid.
const COLUMNS: u8 = 24;
/// The JSON model of Grafana 10; newer ones read it.
const SCHEMA: u8 = 39;
/// What all dashboards are found by.
const TAG: &str = "wahook";

/// The dashboard.
pub(crate) fn json(plan: &Plan) -> Value {
    json!({
        "uid": plan.uid,
        "title": plan.title,
        "description": plan.description,
        "tags": [TAG, "whatsapp"],
        "schemaVersion": SCHEMA,
        "editable": false,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "timezone": "browser",
        "annotations": { "list": [] },
        "links": [{
            "type": "dashboards",
            "title": "Wahook",
            "tags": [TAG],
            "asDropdown": true,
            "includeVars": true,
            "keepTime": true,
        }],
        "templating": { "list": variables(&plan.listed_by) },
        "panels": panels(&plan.rows),
    })
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn variables(listed_by: &str) -> Vec<Value> {
    let choice = |name: &str, label: &str, query: String| {
        json!({
            "type": "query",
            "name": name,
            "label": label,
            "datasource": source(),
            "definition": query,
            "query": { "query": query, "refId": "variable" },
            "refresh": 2,
            "sort": 1,
            "multi": true,
            "includeAll": true,
            "allValue": ".+",
            "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
        })
    };
    vec![
        json!({
            "type": "datasource",
            "name": "datasource",
            "label": "Data source",
            "query": "prometheus",
            "current": {},
        }),
        choice("job", "Job", "label_values(wahook_build_info, job)".to_owned()),
        choice(
            "namespace",
            "Namespace",
            format!("label_values({listed_by}{{job=~\"$job\", webhook!=\"\"}}, namespace)"),
        ),
        choice(
            "webhook",
            "Webhook",
            format!(
                "label_values({listed_by}{{job=~\"$job\", namespace=~\"$namespace\", webhook!=\"\"}}, webhook)"
            ),
        ),
    ]
}

/// From left to right, as many as fit, row by row.
fn panels(rows: &[Row]) -> Vec<Value> {
    let mut all = Vec::new();
    let mut y = 0;
    for row in rows {
        all.push(json!({
            "id": row.id,
            "type": "row",
            "title": row.title,
            "collapsed": false,
            "panels": [],
            "gridPos": { "x": 0, "y": y, "w": COLUMNS, "h": 1 },
        }));
        y += 1;
        let (mut x, mut line) = (0, 0);
        for panel in &row.panels {
            if x + panel.width > COLUMNS {
                (x, y, line) = (0, y + line, 0);
            }
            let height = height(panel.kind);
            let place = json!({ "x": x, "y": y, "w": panel.width, "h": height });
            all.push(self::panel(panel, &place));
            x += panel.width;
            line = line.max(height);
        }
        y += line;
    }
    all
}

const fn height(kind: Kind) -> u16 {
    match kind {
        Kind::Stat => 4,
        _ => 8,
    }
}

fn panel(panel: &Panel, place: &Value) -> Value {
    let links: Vec<_> = panel
        .alerts
        .iter()
        .map(|alert| {
            json!({
                "title": format!("Runbook: {alert}"),
                "url": format!("{RUNBOOKS}/{alert}.md"),
                "targetBlank": true,
            })
        })
        .collect();
    json!({
        "id": panel.id,
        "type": kind(panel.kind),
        "title": panel.title,
        "description": panel.description,
        "datasource": source(),
        "gridPos": place,
        "links": links,
        "targets": targets(panel),
        "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel) },
        "options": options(panel),
        "transformations": if panel.kind == Kind::Table { table(panel) } else { json!([]) },
    })
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Stat => "stat",
        Kind::Lines | Kind::Areas => "timeseries",
        Kind::Heatmap => "heatmap",
        Kind::Table => "table",
    }
}

fn targets(panel: &Panel) -> Vec<Value> {
    let is_now = matches!(panel.kind, Kind::Stat | Kind::Table);
    let format = match panel.kind {
        Kind::Heatmap => "heatmap",
        Kind::Table => "table",
        _ => "time_series",
    };
    ('A'..='Z')
        .zip(&panel.queries)
        .map(|(letter, query)| {
            json!({
                "refId": letter,
                "datasource": source(),
                "editorMode": "code",
                "expr": query.expr,
                "legendFormat": query.legend,
                "format": format,
                "instant": is_now,
                "range": !is_now,
            })
        })
        .collect()
}

fn defaults(panel: &Panel) -> Value {
    let steps: Vec<_> = panel
        .steps
        .iter()
        .map(|step| json!({ "value": step.from.map(number), "color": step.colour }))
        .collect();
    let mut defaults = json!({
        "unit": panel.unit.name(),
        "thresholds": { "mode": "absolute", "steps": steps },
    });
    if !panel.is_signed && !panel.is_logarithmic {
        defaults["min"] = json!(0);
    }
    if let Some(most) = panel.most {
        defaults["max"] = number(most);
    }
    match panel.kind {
        Kind::Stat => defaults["color"] = json!({ "mode": "thresholds" }),
        Kind::Lines | Kind::Areas => {
            let is_stacked = panel.kind == Kind::Areas;
            let has_lines = panel.steps.len() > 1;
            defaults["color"] = json!({ "mode": "palette-classic" });
            defaults["custom"] = json!({
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": if is_stacked { 30 } else { 0 },
                "showPoints": "never",
                "scaleDistribution": if panel.is_logarithmic {
                    json!({ "type": "log", "log": 10 })
                } else {
                    json!({ "type": "linear" })
                },
                "stacking": { "mode": if is_stacked { "normal" } else { "none" }, "group": "A" },
                "thresholdsStyle": { "mode": if has_lines { "line" } else { "off" } },
            });
        }
        Kind::Heatmap | Kind::Table => {}
    }
    defaults
}

fn overrides(panel: &Panel) -> Vec<Value> {
    let fixed = |(name, colour): &(&str, &str)| {
        json!({
            "matcher": { "id": "byName", "options": name },
            "properties": [{ "id": "color", "value": { "mode": "fixed", "fixedColor": colour } }],
        })
    };
    panel.colours.iter().map(fixed).collect()
}

/// Whole numbers without a point, as every other writer of JSON has them.
fn number(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "asked before")]
    if number.fract() == 0.0 && number.abs() < 1e15 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

fn options(panel: &Panel) -> Value {
    match panel.kind {
        Kind::Stat => json!({
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "textMode": "auto",
            "orientation": "auto",
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
        }),
        Kind::Lines | Kind::Areas => json!({
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Heatmap => json!({
            "calculate": false,
            "cellGap": 1,
            "color": { "mode": "scheme", "scheme": "Blues", "steps": 32 },
            "yAxis": { "unit": panel.unit.name() },
            "legend": { "show": true },
            "tooltip": { "mode": "single", "yHistogram": true },
        }),
        Kind::Table => json!({ "showHeader": true, "cellHeight": "sm" }),
    }
}

/// The labels as columns and one row for each webhook, whatever the number of queries: their values stand side by side.
fn table(panel: &Panel) -> Value {
    let names: serde_json::Map<_, _> = ('A'..='Z')
        .zip(&panel.queries)
        .map(|(letter, query)| {
            let name = if panel.queries.len() == 1 {
                "Value".to_owned()
            } else {
                format!("Value #{letter}")
            };
            (name, json!(query.legend))
        })
        .collect();
    json!([
        { "id": "merge", "options": {} },
        { "id": "organize", "options": { "excludeByName": { "Time": true }, "renameByName": names } },
    ])
}
