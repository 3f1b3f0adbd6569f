//! Reads a signature header as a person pasted it, and says what is wrong with it.
//!
//! The receiver itself accepts one exact shape only. This reader also understands broken ones, to
//! tell "the proxy changed the header" from "the signature is wrong".

use std::fmt;

use crate::signature::{PREFIX, SignatureHeader};

/// What keeps the receiver from accepting the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderProblem {
    /// There is nothing in it.
    Empty,
    /// White space or quotes surround the value.
    Surrounded,
    /// Several signatures in one value.
    SeveralValues,
    /// `sha1=`: the value of the older `X-Hub-Signature`.
    Sha1,
    /// `sha256=` is missing.
    PrefixMissing,
    /// `sha256=` is spelt with upper-case letters.
    PrefixCase,
    /// Something other than `sha256=` stands before the digits.
    OtherScheme,
    /// There are not 64 digits.
    Length(usize),
    /// Something in it is no hex digit.
    NotHex,
    /// Some hex digits are upper case.
    UpperCase,
}

impl fmt::Display for HeaderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Surrounded => f.write_str("it has spaces or quotes around it"),
            Self::SeveralValues => f.write_str("it holds several values; Meta sends one"),
            Self::Sha1 => {
                f.write_str("it is the SHA-1 signature from X-Hub-Signature; use X-Hub-Signature-256")
            }
            Self::PrefixMissing => f.write_str("it does not begin with `sha256=`"),
            Self::PrefixCase => f.write_str("its `sha256=` is not lower case"),
            Self::OtherScheme => f.write_str("something other than `sha256=` stands before the digits"),
            Self::Length(length) => write!(f, "it has {length} characters after `sha256=`, not 64"),
            Self::NotHex => f.write_str("it holds characters that are no hex digits"),
            Self::UpperCase => f.write_str("its hex digits are upper case; Meta sends lower case"),
        }
    }
}

/// A pasted header, read as far as possible.
#[derive(Debug)]
pub struct PastedHeader {
    /// Empty when the receiver would accept the shape.
    pub problems: Vec<HeaderProblem>,
    /// The signature, if one can be made out despite the problems.
    pub signature: Option<SignatureHeader>,
    /// The first characters of the digits, to compare with.
    pub prefix: String,
}

/// Reads the value, also when the header's name was pasted with it.
pub fn read(pasted: &str) -> PastedHeader {
    let pasted = without_name(pasted);
    let mut problems = Vec::new();

    let mut value = pasted.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    if value.len() != pasted.len() {
        problems.push(HeaderProblem::Surrounded);
    }
    if let Some((first, _)) = value.split_once(',') {
        problems.push(HeaderProblem::SeveralValues);
        value = first.trim_end();
    }
    let digits = match value.split_once('=') {
        Some(("sha256", digits)) => digits,
        Some((scheme, digits)) => {
            problems.push(match scheme.to_ascii_lowercase().as_str() {
                "sha256" => HeaderProblem::PrefixCase,
                "sha1" => HeaderProblem::Sha1,
                _ => HeaderProblem::OtherScheme,
            });
            digits
        }
        None if value.is_empty() => {
            problems.push(HeaderProblem::Empty);
            value
        }
        None => {
            problems.push(HeaderProblem::PrefixMissing);
            value
        }
    };
    // A SHA-1 signature and an empty value are explained already; their digits add nothing.
    let explained = problems
        .iter()
        .any(|p| matches!(p, HeaderProblem::Sha1 | HeaderProblem::Empty));
    if !explained {
        problems.extend(digit_problem(digits));
    }
    let lower = format!("{PREFIX}{}", digits.to_ascii_lowercase());
    PastedHeader {
        problems,
        signature: SignatureHeader::from_value(lower.as_bytes()),
        prefix: digits.chars().filter(|c| !c.is_control()).take(8).collect(),
    }
}

fn digit_problem(digits: &str) -> Option<HeaderProblem> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Some(HeaderProblem::NotHex)
    } else if digits.len() != 64 {
        Some(HeaderProblem::Length(digits.len()))
    } else if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some(HeaderProblem::UpperCase)
    } else {
        None
    }
}

/// Drops `X-Hub-Signature-256:` from the front; it is how people copy headers.
fn without_name(pasted: &str) -> &str {
    match pasted.split_once(':') {
        Some((name, value)) if name.trim().to_ascii_lowercase().starts_with("x-hub-signature") => {
            value.trim()
        }
        _ => pasted,
    }
}
