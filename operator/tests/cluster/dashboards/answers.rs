//! What Prometheus answered.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use wahook_testbed::monitoring::Prometheus;

/// How many points a line has, at most.
const POINTS: u64 = 120;

/// The answer to a query: as it is now, or over these last seconds.
pub async fn ask(prometheus: &Prometheus, query: &str, is_now: bool, seconds: u64) -> Value {
    if is_now {
        return prometheus.query(query).await.unwrap();
    }
    let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let begin = end.saturating_sub(Duration::from_secs(seconds));
    let [begin, end] = [begin, end].map(|time| time.as_secs().to_string());
    let step = (seconds / POINTS).max(1).to_string();
    let parameters = [
        ("query", query),
        ("start", &begin),
        ("end", &end),
        ("step", &step),
    ];
    let data = prometheus.get("/api/v1/query_range", &parameters).await.unwrap();
    data["result"].clone()
}

/// The series of an answer.
pub struct Answers<'a>(&'a [Value]);

impl<'a> Answers<'a> {
    pub fn new(answer: &'a Value) -> Self {
        Self(answer.as_array().map_or(&[], Vec::as_slice))
    }

    /// Whether a series holds a number: 0 divided by 0 is none.
    pub fn has_numbers(&self) -> bool {
        let is_number = |sample: &Value| {
            let number = sample[1].as_str().and_then(|text| text.parse::<f64>().ok());
            number.is_some_and(f64::is_finite)
        };
        self.0.iter().any(|series| {
            let many = series["values"].as_array().into_iter().flatten();
            many.chain(series.get("value")).any(is_number)
        })
    }
}

#[test]
fn nothing_and_no_number_are_no_data() {
    let has = |text: &str| Answers::new(&serde_json::from_str(text).unwrap()).has_numbers();
    assert!(!has("[]"));
    assert!(!has(r#"[{"value": [1, "NaN"]}]"#));
    assert!(!has(r#"[{"values": [[1, "+Inf"], [2, "NaN"]]}]"#));
    assert!(has(r#"[{"value": [1, "0"]}]"#));
    assert!(has(r#"[{"values": [[1, "NaN"], [2, "1.5"]]}]"#));
}
