//! Finds out why a signature does not match. Pure: bytes in, a report out.

use serde::de::IgnoredAny;

use super::header::{self, HeaderProblem};
use super::rewrites::{Escapes, Layout};
use crate::cli::secret_file::GivenSecret;
use crate::signature::{PREFIX, SignatureHeader, sign};

/// How many characters of a signature are shown: enough to compare, too few to replay.
const SHOWN: usize = 8;

/// What is known about the request.
#[derive(Debug)]
pub struct Question<'a> {
    /// The app secrets, the current one first.
    pub secrets: &'a [GivenSecret],
    /// The signature header as pasted.
    pub header: &'a str,
    /// The body as received.
    pub body: &'a [u8],
    /// The request's `Content-Length`, if known.
    pub content_length: Option<u64>,
}

/// What explains the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Header, body and secret belong together; the receiver accepts this request.
    Match {
        /// Position of the secret.
        secret: usize,
    },
    /// The signature is right, but the header's shape is not.
    HeaderAltered {
        /// Position of the secret.
        secret: usize,
    },
    /// No signature can be read from the header.
    HeaderUnreadable,
    /// The signer uses the secret with the white space that surrounds it in the file.
    SecretPadded {
        /// Position of the secret.
        secret: usize,
    },
    /// The file has white space or quotes around the secret that do not belong to it.
    SecretUntrimmed {
        /// Position of the secret.
        secret: usize,
    },
    /// The body was changed on the way, and this is how.
    BodyAltered {
        /// Position of the secret.
        secret: usize,
        /// What happened around the JSON tokens.
        layout: Layout,
        /// What happened inside the strings.
        escapes: Escapes,
    },
    /// There is no body.
    BodyEmpty,
    /// The body is gzip data.
    BodyCompressed,
    /// The body is shorter than its `Content-Length`.
    BodyTruncated {
        /// How many bytes are missing.
        missing: u64,
    },
    /// The body is longer than its `Content-Length`, and not just by bytes at the end.
    BodyTooLong {
        /// How many bytes are too many.
        extra: u64,
    },
    /// The JSON ends in the middle.
    BodyCutOff,
    /// The JSON has spaces that Meta does not send: it was parsed and written again.
    BodyRewritten,
    /// Nothing points at header or body: it is the secret.
    WrongSecret,
}

/// Why a signature matches or not, and the figures to compare by hand.
#[derive(Debug)]
pub struct Report {
    /// The first characters of the digits received.
    pub received: String,
    /// For each secret the first characters of the signature it makes.
    pub computed: Vec<String>,
    /// What is wrong with the header's shape.
    pub header_problems: Vec<HeaderProblem>,
    /// What explains it all.
    pub conclusion: Conclusion,
}

impl Report {
    /// Whether the receiver accepts this request.
    pub fn accepted(&self) -> bool {
        matches!(self.conclusion, Conclusion::Match { .. })
    }
}

/// Explains the signature.
pub fn explain(question: &Question<'_>) -> Report {
    let header = header::read(question.header);
    let conclusion = match &header.signature {
        Some(signature) => with_signature(question, signature, header.problems.is_empty()),
        None => Conclusion::HeaderUnreadable,
    };
    let first_digits = |secret: &GivenSecret| {
        let whole = sign(secret.loaded(), question.body);
        whole.trim_start_matches(PREFIX).chars().take(SHOWN).collect()
    };
    Report {
        received: header.prefix,
        computed: question.secrets.iter().map(first_digits).collect(),
        header_problems: header.problems,
        conclusion,
    }
}

fn with_signature(question: &Question<'_>, signature: &SignatureHeader, well_formed: bool) -> Conclusion {
    let signs = |secret: &GivenSecret| signature.signs(secret.loaded(), question.body);
    if let Some(secret) = question.secrets.iter().position(signs) {
        return if well_formed {
            Conclusion::Match { secret }
        } else {
            Conclusion::HeaderAltered { secret }
        };
    }
    other_secret(question, signature)
        .or_else(|| other_body(question, signature))
        .unwrap_or_else(|| symptom(question))
}

/// The signature of the very body under a secret that is spelt a little differently.
fn other_secret(question: &Question<'_>, signature: &SignatureHeader) -> Option<Conclusion> {
    question.secrets.iter().enumerate().find_map(|(secret, given)| {
        if signature.signs(&given.bytes, question.body) {
            return Some(Conclusion::SecretPadded { secret });
        }
        let trimmed = trimmed(&given.bytes);
        let differs = trimmed != given.loaded() && !trimmed.is_empty();
        (differs && signature.signs(trimmed, question.body)).then_some(Conclusion::SecretUntrimmed { secret })
    })
}

/// The secret without byte order mark, white space and quotes around it.
fn trimmed(secret: &[u8]) -> &[u8] {
    let secret = secret
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(secret)
        .trim_ascii();
    let quoted = |quote: u8| secret.strip_prefix(&[quote])?.strip_suffix(&[quote]);
    quoted(b'"').or_else(|| quoted(b'\'')).unwrap_or(secret)
}

/// The signature of a body from which this one was made by a change we know.
fn other_body(question: &Question<'_>, signature: &SignatureHeader) -> Option<Conclusion> {
    for layout in Layout::ALL {
        let Some(laid_out) = layout.undo(question.body, question.content_length) else {
            continue;
        };
        for escapes in Escapes::ALL {
            let Some(body) = escapes.undo(&laid_out) else {
                continue;
            };
            let signs = |secret: &GivenSecret| signature.signs(secret.loaded(), &body);
            if let Some(secret) = question.secrets.iter().position(signs) {
                return Some(Conclusion::BodyAltered {
                    secret,
                    layout,
                    escapes,
                });
            }
        }
    }
    None
}

/// What the body itself shows when no signature can be reproduced.
fn symptom(question: &Question<'_>) -> Conclusion {
    let body = question.body;
    if body.is_empty() {
        return Conclusion::BodyEmpty;
    }
    if body.starts_with(b"\x1f\x8b") {
        return Conclusion::BodyCompressed;
    }
    if let Some(announced) = question.content_length {
        let length = body.len() as u64;
        if length < announced {
            return Conclusion::BodyTruncated {
                missing: announced - length,
            };
        }
        if length > announced {
            return Conclusion::BodyTooLong {
                extra: length - announced,
            };
        }
    }
    match serde_json::from_slice::<IgnoredAny>(body) {
        Err(error) if error.is_eof() => Conclusion::BodyCutOff,
        Ok(_) if Layout::Spaced.undo(body.trim_ascii_end(), None).is_some() => Conclusion::BodyRewritten,
        _ => Conclusion::WrongSecret,
    }
}
