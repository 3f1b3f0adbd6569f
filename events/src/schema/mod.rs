//! The contract as files: a JSON Schema for the data of each family, and one AsyncAPI document for all of them.
//!
//! Made from the same types that [`received`](crate::received) reads with, by `cargo xtask generate`. The schemas say what Meta
//! documents and are as lenient as the types: nothing but what an object means nothing without is required, a member may be
//! `null`, numbers may be strings, and what is not known is allowed everywhere.

mod asyncapi;
mod family;
mod loose;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

pub use self::asyncapi::document;
pub use self::family::of;
use crate::known::{DEAD_LETTER, FAMILIES};
use crate::samples::Generated;

/// Where the schemas are, relative to the directory of this crate.
const DIRECTORY: &str = "schema";

/// The families whose data has a schema: all but dead letters, whose data are bytes of any kind.
pub fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().copied().filter(|family| *family != DEAD_LETTER)
}

/// Every file: `schema/<family>.json` and `asyncapi.json`.
pub fn generated() -> Vec<Generated> {
    let file = |path: String, value: &Value| Generated {
        path,
        text: format!("{value:#}\n"),
    };
    let mut files: Vec<_> = families()
        .map(|family| file(format!("{DIRECTORY}/{family}.json"), &of(family)))
        .collect();
    files.push(file("asyncapi.json".to_owned(), &document()));
    files
}

/// One of the words that Meta documents, or the next one.
pub(crate) fn word(words: &[&str], about: &[&str]) -> Schema {
    let known = words.iter().zip(about).map(|(word, about)| {
        let about = about.trim();
        if about.is_empty() {
            json!({ "const": word })
        } else {
            json!({ "const": word, "description": about })
        }
    });
    let next = json!({ "type": "string", "description": "A word that is not documented yet." });
    let all: Vec<Value> = known.chain([next]).collect();
    json_schema!({ "anyOf": all })
}

/// A part of an object, described.
pub(crate) fn part<T: JsonSchema>(generator: &mut SchemaGenerator, about: &str) -> Schema {
    let shape = generator.subschema_for::<T>();
    // Beside a reference nothing else counts in this version of JSON Schema.
    json_schema!({ "description": about, "allOf": [shape] })
}
