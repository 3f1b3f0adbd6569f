//! JSON for human eyes: other white space, otherwise the same bytes in the same order.

/// Indents JSON by two spaces and ends it with a newline. Strings and numbers stay as they are spelled.
pub(super) fn indent(json: &str) -> String {
    let mut out = String::with_capacity(2 * json.len());
    let mut depth = 0;
    let (mut in_string, mut escaped) = (false, false);
    let mut tokens = json
        .chars()
        .filter(move |&c| {
            let keep = in_string || !c.is_ascii_whitespace();
            in_string ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            keep
        })
        .peekable();
    let (mut in_string, mut escaped) = (false, false);
    while let Some(c) = tokens.next() {
        let outside = !in_string;
        in_string ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        match c {
            '{' | '[' if outside => {
                out.push(c);
                if tokens.peek() == Some(&(if c == '{' { '}' } else { ']' })) {
                    out.extend(tokens.next());
                } else {
                    depth += 1;
                    newline(depth, &mut out);
                }
            }
            '}' | ']' if outside => {
                depth -= 1;
                newline(depth, &mut out);
                out.push(c);
            }
            ',' if outside => {
                out.push(c);
                newline(depth, &mut out);
            }
            ':' if outside => out.push_str(": "),
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn newline(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_changes() {
        let json = r#"{"a":[1.0 ,{} , [ ]],"b\"{,:}":"\u00e9 \\","c":{"d" : null}}"#;
        let expected = r#"{
  "a": [
    1.0,
    {},
    []
  ],
  "b\"{,:}": "\u00e9 \\",
  "c": {
    "d": null
  }
}
"#;
        assert_eq!(indent(json), expected);
        assert_eq!(indent(expected), expected);
    }
}
