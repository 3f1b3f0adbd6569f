//! What Prometheus answered.

use serde_json::Value;

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
