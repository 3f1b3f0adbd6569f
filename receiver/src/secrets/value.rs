//! One secret: bytes that are wiped when dropped and never printed, and the rules for a text that becomes
//! one.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::config::Fault;

/// Bytes that must stay secret. Wiped on drop; `Debug` tells the length only; comparison takes constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes `bytes` as they are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for the computation that needs them. Never log them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, for libraries that want it. `None` when they are not UTF-8.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

/// What a secret is for; each kind has its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Signs Meta's requests.
    AppSecret,
    /// Proves that a handshake is meant for this webhook.
    VerifyToken,
    /// Signs the answers to the operator's probes.
    ProbeKey,
    /// A user name or password for the broker: as short as its owner likes.
    Credential,
}

/// The fewest characters of a secret of ours. Meta's app secrets have 32.
const SHORTEST: usize = 16;

/// Values that examples show in a secret's place. Public, so they may be named in a message.
const PLACEHOLDERS: [&str; 7] = [
    "your-app-secret",
    "your-app-secret-from-meta-dashboard",
    "your-verify-token",
    "your-custom-verify-token",
    "your-custom-verify-token-min-16-chars",
    "your-webhook-verify-token",
    "replace-me-with-a-long-random-token",
];

/// A secret read from text, and what was odd but tolerated.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) secret: Secret,
    pub(super) warnings: Vec<Fault>,
}

/// Applies the rules of `kind` to the bytes of a file or a variable.
pub(super) fn parse(bytes: &[u8], kind: Kind) -> Result<Parsed, Fault> {
    let mut warnings = Vec::new();
    let bytes = without_mark(bytes, &mut warnings);
    let bytes = without_newline(bytes, &mut warnings);

    if bytes.is_empty() || bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::new("is blank", kind.fix()));
    }
    if bytes.contains(&0) {
        return Err(Fault::new(
            "holds a NUL byte",
            "Store the text itself, as UTF-8 and not as UTF-16",
        ));
    }
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Err(Fault::new(
            "has more than one line",
            "Store one secret per file, on one line",
        ));
    }
    if let Some(placeholder) = placeholder(bytes) {
        return Err(Fault::new(
            format!("is the placeholder {placeholder:?} of an example"),
            kind.fix(),
        ));
    }
    let length = std::str::from_utf8(bytes).map_or(bytes.len(), |text| text.chars().count());
    if kind != Kind::Credential && length < SHORTEST {
        return Err(Fault::new(
            format!("has {length} characters, at least {SHORTEST} are needed"),
            kind.fix(),
        ));
    }
    if kind == Kind::AppSecret && !is_like_metas(bytes) {
        warnings.push(Fault::new(
            "is not 32 lower-case hexadecimal digits as Meta's app secrets are",
            "Compare it with App settings, Basic, App secret; an access token is something else",
        ));
    } else if bytes[0].is_ascii_whitespace() || bytes[bytes.len() - 1].is_ascii_whitespace() {
        warnings.push(Fault::new(
            "starts or ends with a space",
            "Remove it unless it belongs to the secret",
        ));
    }
    Ok(Parsed {
        secret: Secret::new(bytes),
        warnings,
    })
}

impl Kind {
    fn fix(self) -> &'static str {
        match self {
            Self::AppSecret => "Copy it from Meta's App Dashboard: App settings, Basic, App secret",
            Self::VerifyToken => "Choose a longer random token: openssl rand -hex 16",
            Self::ProbeKey => "Use a longer random key: openssl rand -hex 32",
            Self::Credential => "Write the value, or remove the file",
        }
    }
}

/// Some editors put a byte order mark in front of UTF-8 text.
fn without_mark<'a>(bytes: &'a [u8], warnings: &mut Vec<Fault>) -> &'a [u8] {
    let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") else {
        return bytes;
    };
    warnings.push(Fault::new(
        "starts with a byte order mark, which was removed",
        "Save it as UTF-8 without one",
    ));
    rest
}

/// `echo` and most editors end a file with a newline. It is never part of a secret.
fn without_newline<'a>(bytes: &'a [u8], warnings: &mut Vec<Fault>) -> &'a [u8] {
    let Some(rest) = bytes.strip_suffix(b"\n") else {
        return bytes;
    };
    let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    warnings.push(Fault::new(
        "ends with a newline, which was removed",
        "Write it with printf %s instead of echo",
    ));
    rest
}

fn placeholder(bytes: &[u8]) -> Option<&'static str> {
    PLACEHOLDERS
        .into_iter()
        .find(|placeholder| bytes.eq_ignore_ascii_case(placeholder.as_bytes()))
}

fn is_like_metas(bytes: &[u8]) -> bool {
    bytes.len() == 32 && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEX: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn warnings(bytes: &[u8], kind: Kind) -> Vec<String> {
        let parsed = parse(bytes, kind).unwrap();
        parsed
            .warnings
            .into_iter()
            .map(|fault| crate::config::Problem::new("x", fault).problem)
            .collect()
    }

    #[test]
    fn newlines_are_stripped_with_a_warning() {
        assert!(warnings(HEX, Kind::AppSecret).is_empty());
        for end in [b"\n".as_slice(), b"\r\n"] {
            let file = [HEX, end].concat();
            assert_eq!(parse(&file, Kind::AppSecret).unwrap().secret.expose(), HEX);
            assert_eq!(
                warnings(&file, Kind::AppSecret),
                ["ends with a newline, which was removed"]
            );
        }
        let marked = [b"\xef\xbb\xbf".as_slice(), HEX].concat();
        assert_eq!(parse(&marked, Kind::AppSecret).unwrap().secret.expose(), HEX);
        assert_eq!(warnings(&marked, Kind::AppSecret).len(), 1);
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused() {
        for bytes in [
            b"".as_slice(),
            b"\n",
            b"                    ",
            b"too-short",
            b"0123456789abcdef\n0123456789abcdef",
            b"0123456789abcdef\n\n",
            b"0123456789abcdef\r",
            b"0123456789abcdef\0",
            b"your-app-secret-from-meta-dashboard\n",
            b"Your-Verify-Token",
        ] {
            for kind in [Kind::AppSecret, Kind::VerifyToken, Kind::ProbeKey] {
                assert!(parse(bytes, kind).is_err(), "{bytes:?}");
            }
        }
        assert!(parse(b"app", Kind::Credential).is_ok());
        assert!(parse(b"", Kind::Credential).is_err());
    }

    #[test]
    fn an_unusual_app_secret_only_warns() {
        for unusual in [
            b"0123456789ABCDEF0123456789ABCDEF".as_slice(),
            b"0123456789abcdef0",
            b"0123456789abcdef ",
        ] {
            assert_eq!(warnings(unusual, Kind::AppSecret).len(), 1);
        }
        assert!(warnings(b"an unusual but fine token", Kind::VerifyToken).is_empty());
        assert_eq!(
            warnings(b"a token with a space ", Kind::VerifyToken),
            ["starts or ends with a space"]
        );
    }

    #[test]
    fn debug_tells_the_length_only() {
        assert_eq!(format!("{:?}", Secret::new(HEX)), "Secret(32 bytes)");
    }
}
