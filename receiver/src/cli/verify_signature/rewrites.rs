//! What proxies, frameworks and editors do to a body, undone.
//!
//! Meta signs the bytes it sends: compact JSON in which non-ASCII characters are escaped as
//! lower-case `\uXXXX`, and in some products `/`, `<`, `%` and `@` too (Meta, Messenger Platform:
//! Webhooks, "Validating payloads"). Whoever parses and writes that JSON again changes the bytes.

use std::fmt::{self, Write};

/// How the body's layout may have been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Not at all.
    Same,
    /// A line break was added at the end.
    NewlineAdded,
    /// The line break at the end was lost.
    NewlineLost,
    /// A byte order mark was added in front.
    BomAdded,
    /// Line feeds became CR LF.
    LfToCrLf,
    /// CR LF became line feeds.
    CrLfToLf,
    /// Spaces or line breaks were added between the JSON tokens.
    Spaced,
    /// Bytes were added after the announced length.
    BytesAdded,
}

/// How the escapes in the body's strings may have been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// Not at all.
    Same,
    /// `\uXXXX` became the characters themselves.
    UnicodeDecoded,
    /// `\/` became `/`.
    SlashDecoded,
    /// Both of these.
    BothDecoded,
    /// Both of these, and `\u003C`, `\u0025`, `\u0040` became `<`, `%`, `@`.
    AllDecoded,
    /// Characters became `\uXXXX`.
    UnicodeEncoded,
    /// `/` became `\/`.
    SlashEncoded,
    /// Both of these.
    BothEncoded,
}

impl Layout {
    pub(super) const ALL: [Self; 8] = [
        Self::Same,
        Self::NewlineAdded,
        Self::NewlineLost,
        Self::BomAdded,
        Self::LfToCrLf,
        Self::CrLfToLf,
        Self::Spaced,
        Self::BytesAdded,
    ];

    /// The body before this change; `None` if this cannot have happened to it.
    pub(super) fn undo(self, body: &[u8], content_length: Option<u64>) -> Option<Vec<u8>> {
        match self {
            Self::Same => Some(body.to_vec()),
            Self::NewlineAdded => {
                let line = body.strip_suffix(b"\n")?;
                Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
            }
            Self::NewlineLost => Some([body, b"\n"].concat()),
            Self::BomAdded => body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec),
            Self::LfToCrLf => replaced(body, "\r\n", "\n"),
            Self::CrLfToLf => (!body.contains(&b'\r')).then(|| replaced(body, "\n", "\r\n"))?,
            Self::Spaced => compact(body),
            Self::BytesAdded => {
                let length = usize::try_from(content_length?).ok()?;
                body.get(..length)
                    .filter(|kept| kept.len() < body.len())
                    .map(<[u8]>::to_vec)
            }
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "nothing",
            Self::NewlineAdded => "a line break was added at the end",
            Self::NewlineLost => "the line break at the end was lost",
            Self::BomAdded => "a byte order mark was added in front",
            Self::LfToCrLf => "line feeds became CR LF",
            Self::CrLfToLf => "CR LF became line feeds",
            Self::Spaced => "spaces or line breaks were added between the JSON tokens",
            Self::BytesAdded => "bytes were added after the announced Content-Length",
        })
    }
}

impl Escapes {
    pub(super) const ALL: [Self; 8] = [
        Self::Same,
        Self::UnicodeDecoded,
        Self::SlashDecoded,
        Self::BothDecoded,
        Self::AllDecoded,
        Self::UnicodeEncoded,
        Self::SlashEncoded,
        Self::BothEncoded,
    ];

    /// The body before this change; `None` if this cannot have happened to it.
    pub(super) fn undo(self, body: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(body).ok()?;
        let before = match self {
            Self::Same => return Some(body.to_vec()),
            Self::UnicodeDecoded => escape(text, |c| !c.is_ascii()),
            Self::SlashDecoded => escape(text, |c| c == '/'),
            Self::BothDecoded => escape(text, |c| !c.is_ascii() || c == '/'),
            Self::AllDecoded => escape(text, |c| !c.is_ascii() || matches!(c, '/' | '<' | '%' | '@')),
            Self::UnicodeEncoded => unescape(text, true, false),
            Self::SlashEncoded => unescape(text, false, true),
            Self::BothEncoded => unescape(text, true, true),
        };
        (before != text).then(|| before.into_bytes())
    }
}

impl fmt::Display for Escapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "nothing",
            Self::UnicodeDecoded => r"\uXXXX escapes were replaced by their characters",
            Self::SlashDecoded => r"\/ was replaced by /",
            Self::BothDecoded => r"\uXXXX and \/ escapes were replaced by their characters",
            Self::AllDecoded => r"\uXXXX and \/ escapes, also of < % @, were replaced by their characters",
            Self::UnicodeEncoded => r"characters were replaced by \uXXXX escapes",
            Self::SlashEncoded => r"/ was replaced by \/",
            Self::BothEncoded => r"characters were replaced by \uXXXX and \/ escapes",
        })
    }
}

fn replaced(body: &[u8], from: &str, to: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    text.contains(from).then(|| text.replace(from, to).into_bytes())
}

/// Escapes the chosen characters as Meta does; what is escaped already stays as it is.
fn escape(text: &str, chosen: impl Fn(char) -> bool) -> String {
    // Writing to a string cannot fail.
    let mut escaped = String::with_capacity(text.len() * 2);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => escaped.extend(std::iter::once('\\').chain(characters.next())),
            '/' if chosen('/') => escaped.push_str(r"\/"),
            // Meta's own example: ASCII in upper-case hex, everything else in lower case.
            ascii @ ('<' | '%' | '@') if chosen(ascii) => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(ascii));
            }
            other if chosen(other) => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Replaces `\uXXXX` and `\/` by their characters, where the result is JSON that means the same.
fn unescape(text: &str, unicode: bool, slash: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        if slash && rest.starts_with(r"\/") {
            plain.push('/');
            rest = &rest[2..];
        } else if let Some((character, length)) = unicode.then(|| unicode_escape(rest)).flatten() {
            plain.push(character);
            rest = &rest[length..];
        } else {
            // Both characters of any other escape, so that the second is not read as a first one.
            let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            plain.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    plain + rest
}

/// The character that one escape (or a surrogate pair of them) stands for, and its length in bytes.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(r"\u")?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    let (units, length) = match first {
        0xd800..=0xdbff => ([first, unit(6)?], 12),
        _ => ([first, 0], 6),
    };
    let character = char::decode_utf16(units).next()?.ok()?;
    let must_stay = character.is_control() || matches!(character, '"' | '\\');
    (!must_stay).then_some((character, length))
}

/// The JSON without white space between its tokens; `None` if there is none, or it is no JSON.
fn compact(body: &[u8]) -> Option<Vec<u8>> {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).ok()?;
    let (mut in_string, mut escaped) = (false, false);
    let mut kept = Vec::with_capacity(body.len());
    for &byte in body {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        kept.push(byte);
    }
    (kept.len() < body.len()).then_some(kept)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_as_meta_documents_them() {
        let undo = |escapes: Escapes, body: &str| {
            escapes
                .undo(body.as_bytes())
                .map(|b| String::from_utf8(b).unwrap())
        };
        assert_eq!(
            undo(Escapes::UnicodeDecoded, "\"äöå\"").unwrap(),
            r#""\u00e4\u00f6\u00e5""#
        );
        assert_eq!(
            undo(Escapes::UnicodeDecoded, "\"😀\"").unwrap(),
            r#""\ud83d\ude00""#
        );
        assert_eq!(
            undo(Escapes::AllDecoded, "\"</%@é\"").unwrap(),
            r#""\u003C\/\u0025\u0040\u00e9""#
        );
        assert_eq!(
            undo(Escapes::SlashDecoded, r#""a/b\/c\\/d""#).unwrap(),
            r#""a\/b\/c\\\/d""#
        );
        assert_eq!(
            undo(Escapes::BothEncoded, r#""\ud83d\ude00\/\u00e9""#).unwrap(),
            "\"😀/é\""
        );
        assert_eq!(
            undo(
                Escapes::UnicodeEncoded,
                r#""\\u00e9 \u0022 \u005c \u0007 \ud83d""#
            ),
            None
        );
        assert_eq!(undo(Escapes::SlashDecoded, r#""nothing""#), None);
    }

    #[test]
    fn only_white_space_between_tokens_goes() {
        let spaced = b"{ \"a b\" : [1, 2 ,\n\"\\\" x \\\\\" ]\t}\n";
        assert_eq!(compact(spaced).unwrap(), br#"{"a b":[1,2,"\" x \\"]}"#);
        assert_eq!(compact(br#"{"a":" "}"#), None);
        assert_eq!(compact(b"{ not json }"), None);
    }

    proptest! {
        /// Escaping and unescaping are inverse on strings without escapes, and keep the JSON's meaning.
        #[test]
        fn escapes_round_trip(text in "[^\\p{Cc}\"\\\\]{0,40}") {
            let json = format!("\"{text}\"");
            let escaped = escape(&json, |c| !c.is_ascii() || c == '/');
            prop_assert_eq!(&serde_json::from_str::<String>(&escaped).unwrap(), &text);
            prop_assert_eq!(unescape(&escaped, true, true), json);
        }

        /// Nothing a person can paste makes a rewrite panic.
        #[test]
        fn rewrites_are_total(body in "(\\\\|u|/|[0-9a-f]|\"|é|😀| |\\n){0,40}", length in any::<u64>()) {
            for layout in Layout::ALL {
                layout.undo(body.as_bytes(), Some(length));
            }
            for escapes in Escapes::ALL {
                escapes.undo(body.as_bytes());
            }
        }
    }
}
