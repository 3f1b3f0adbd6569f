//! A digest of a JSON value that does not depend on how it was written: key order, white space and string escapes do not
//! change it, numbers count as they are spelled (so that two large numbers never look alike after rounding).

use std::borrow::Cow;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::shape::{Members, elements};

/// Below this depth a value counts by its bytes: every level is read once more, and no object of Meta's is that deep.
const MAX_DEPTH: usize = 64;

/// The digest of `raw` in canonical form.
pub(crate) fn digest(raw: &RawValue) -> [u8; 32] {
    let mut hasher = Sha256::new();
    write(raw, MAX_DEPTH, &mut hasher);
    hasher.finalize().into()
}

fn write(raw: &RawValue, depth: usize, out: &mut Sha256) {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') if depth > 0 => match Members::of(raw) {
            Some(Members(mut members)) => {
                // Stable: of repeated names the order stays, since it may mean something to the reader.
                members.sort_by(|a, b| a.0.cmp(&b.0));
                tagged(b'{', &(members.len() as u64).to_be_bytes(), out);
                for (name, value) in members {
                    tagged(b'k', name.as_bytes(), out);
                    write(value, depth - 1, out);
                }
            }
            None => tagged(b'?', text.as_bytes(), out),
        },
        Some(b'[') if depth > 0 => match elements(raw) {
            Some(list) => {
                tagged(b'[', &(list.len() as u64).to_be_bytes(), out);
                for value in list {
                    write(value, depth - 1, out);
                }
            }
            None => tagged(b'?', text.as_bytes(), out),
        },
        Some(b'"') => match serde_json::from_str::<Cow<'_, str>>(text) {
            Ok(string) => tagged(b's', string.as_bytes(), out),
            Err(_) => tagged(b'?', text.as_bytes(), out),
        },
        _ => tagged(b'l', text.as_bytes(), out),
    }
}

fn tagged(tag: u8, bytes: &[u8], out: &mut Sha256) {
    out.update([tag]);
    out.update((bytes.len() as u64).to_be_bytes());
    out.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> [u8; 32] {
        digest(&serde_json::from_str::<Box<RawValue>>(json).unwrap())
    }

    #[test]
    fn key_order_space_and_escapes_do_not_count() {
        let one = of(r#"{"a":1,"b":["x","caf\u00e9","a\/b"],"c":{"d":null,"e":true}}"#);
        let other = of(r#"{ "c": {"e":true, "d":null}, "b":["x","café","a/b"], "a":1 }"#);
        assert_eq!(one, other);
    }

    #[test]
    fn what_means_something_else_counts() {
        let base = of(r#"{"a":[1,2]}"#);
        for other in [
            r#"{"a":[2,1]}"#,
            r#"{"a":["1",2]}"#,
            r#"{"a":[1,2],"b":null}"#,
            r#"{"a":[[1],2]}"#,
        ] {
            assert_ne!(base, of(other), "{other}");
        }
        assert_ne!(
            of("12345678901234567890123"),
            of("12345678901234567890124"),
            "both round to one double"
        );
    }

    #[test]
    fn a_hundred_thousand_levels_are_read_without_a_stack_of_their_own() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(of(&deep), of(&deep));
    }
}
