//! The same JSON in another spelling: other key order, other white space, other escapes.

use std::fmt::Write as _;

use serde_json::Value;

/// The same body, spelled as differently as JSON allows.
pub(crate) fn respell(body: &str) -> String {
    let mut out = String::from(" \n");
    write(&serde_json::from_str(body).unwrap(), &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            out.push_str("{\t");
            // `serde_json` sorts the members; here they come in reverse.
            for (place, (name, value)) in members.iter().rev().enumerate() {
                out.push_str(if place > 0 { "\n , " } else { "" });
                string(name, out);
                out.push_str("  : ");
                write(value, out);
            }
            out.push_str(" }");
        }
        Value::Array(list) => {
            out.push('[');
            for (place, value) in list.iter().enumerate() {
                out.push_str(if place > 0 { ",\r\n" } else { " " });
                write(value, out);
            }
            out.push(']');
        }
        Value::String(text) => string(text, out),
        other => write!(out, "{other}").unwrap(),
    }
}

/// Every second character as an escape, so that members are named differently too.
fn string(text: &str, out: &mut String) {
    out.push('"');
    for (place, c) in text.chars().enumerate() {
        if place % 2 == 0 || c.is_control() || matches!(c, '"' | '\\') {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04X}").unwrap();
            }
        } else {
            out.push(c);
        }
    }
    out.push('"');
}

#[test]
fn another_spelling_means_the_same() {
    let body = r#"{"b":[1,"caf\u00e9 \ud83d\ude00",{"x":null}],"a":"\"\\"}"#;
    let other = respell(body);
    assert_ne!(body, other);
    let parse = |body: &str| serde_json::from_str::<Value>(body).unwrap();
    assert_eq!(parse(body), parse(&other));
}
