//! What Prometheus answered, as series with names.

use serde_json::Value;

/// Points in time and their values. No value is `NaN`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) name: String,
    /// The labels, by name.
    pub(super) labels: Vec<(String, String)>,
    pub(super) points: Vec<(f64, f64)>,
}

/// The series of a panel, of all its queries, by name.
pub(super) fn series(targets: &Value, answers: &Value) -> Vec<Series> {
    let targets = targets.as_array().into_iter().flatten();
    let answers = answers.as_array().into_iter().flatten();
    targets
        .zip(answers)
        .flat_map(|(target, answer)| {
            let legend = target["legendFormat"].as_str().unwrap_or_default();
            let all = answer.as_array().into_iter().flatten();
            all.map(move |one| read(one, legend))
        })
        .collect()
}

fn read(one: &Value, legend: &str) -> Series {
    let labels: Vec<(String, String)> = one["metric"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let name = labels.iter().fold(legend.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    });
    let samples = one["values"].as_array().into_iter().flatten();
    let points = samples
        .chain(one.get("value"))
        .filter_map(|sample| Some((sample[0].as_f64()?, sample[1].as_str()?.parse().ok()?)))
        .filter(|(_, value): &(f64, f64)| value.is_finite())
        .collect();
    // What the answer has no label for is left out, as by Grafana.
    let name = if name.contains("{{") { String::new() } else { name };
    Series { name, labels, points }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn series_are_named_by_their_labels_and_hold_only_numbers() {
        let targets = json!([{ "legendFormat": "{{status}}, all" }, { "legendFormat": "now" }]);
        let answers = json!([
            [{ "metric": { "status": "error" }, "values": [[1, "2"], [2, "NaN"], [3, "4"]] }],
            [{ "metric": {}, "value": [5, "0.5"] }],
        ]);
        let series = series(&targets, &answers);
        assert_eq!(series.len(), 2);
        assert_eq!(series[0].name, "error, all");
        assert_eq!(series[0].points, [(1.0, 2.0), (3.0, 4.0)]);
        assert_eq!(series[1].points, [(5.0, 0.5)]);
    }
}
