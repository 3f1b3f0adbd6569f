//! `wahook-receiver verify-signature`: explains why a signature is right or wrong.
//!
//! Shows lengths and the first characters of signatures, never a secret, a whole signature or a
//! word of the body.

pub mod explain;
pub mod header;
pub mod rewrites;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use self::explain::{Conclusion, Question, Report, explain};
use self::rewrites::{Escapes, Layout};
use super::UsageError;
use super::secret_file::{self, GivenSecret};

const EXAMPLES: &str = "\
Examples:
  A body that was saved byte for byte, and the header that came with it:
    wahook-receiver verify-signature --secret-file app-secret \\
      --header 'sha256=5f1d...' < body.json

  During a rotation of the app secret, the new one first:
    wahook-receiver verify-signature --secret-file new --secret-file old \\
      --header 'sha256=5f1d...' --body body.json

Exit codes: 0 the receiver accepts this request, 1 it does not, 2 the command was used wrongly.";

/// Explain why a signature matches a body, or why not
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifySignatureArgs {
    /// File that holds the app secret; repeat it for further secrets (default: `WHATSAPP_APP_SECRET`)
    #[arg(long = "secret-file", value_name = "FILE")]
    pub secret_files: Vec<PathBuf>,

    /// The X-Hub-Signature-256 header of the request
    #[arg(long, value_name = "HEADER", allow_hyphen_values = true)]
    pub header: String,

    /// The body of the request, byte for byte as it was received; `-` reads standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub body: PathBuf,

    /// The Content-Length of the request, to notice a body that was cut off
    #[arg(long, value_name = "BYTES")]
    pub content_length: Option<u64>,
}

/// Runs the command. The exit code is 0 when the receiver would accept the request, else 1.
///
/// # Errors
/// [`UsageError`] when a secret or the body cannot be read, or the result cannot be printed.
pub fn run(args: &VerifySignatureArgs, stdin: impl Read, mut out: impl Write) -> Result<u8, UsageError> {
    let secrets = secret_file::read_all(&args.secret_files)?;
    let body = read_body(&args.body, stdin)?;
    let question = Question {
        secrets: &secrets,
        header: &args.header,
        body: &body,
        content_length: args.content_length,
    };
    let report = explain(&question);
    print(&report, &question, &mut out)?;
    Ok(u8::from(!report.accepted()))
}

fn read_body(path: &Path, mut stdin: impl Read) -> Result<Vec<u8>, UsageError> {
    let mut body = Vec::new();
    let read = if path == Path::new("-") {
        stdin.read_to_end(&mut body).map(drop)
    } else {
        std::fs::read(path).map(|bytes| body = bytes)
    };
    read.map_err(|source| UsageError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(body)
}

fn print(report: &Report, question: &Question<'_>, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "received   {}...", report.received)?;
    for (number, (secret, computed)) in (1..).zip(question.secrets.iter().zip(&report.computed)) {
        let length = secret.loaded().len();
        writeln!(
            out,
            "computed   {computed}...   with secret {number}: {} ({length} bytes)",
            secret.name
        )?;
    }
    writeln!(out, "body       {} bytes", question.body.len())?;
    for problem in &report.header_problems {
        writeln!(out, "header     {problem}")?;
    }
    for secret in question
        .secrets
        .iter()
        .filter(|secret| secret.loaded().len() != secret.bytes.len())
    {
        writeln!(
            out,
            "note       {} ends with a line break; the receiver ignores it",
            secret.name
        )?;
    }
    writeln!(out)?;
    writeln!(out, "Result: {}", result(report, question.secrets))?;
    writeln!(out, "Next:   {}", next_step(report.conclusion, question.secrets))
}

/// The conclusion in one sentence.
fn result(report: &Report, secrets: &[GivenSecret]) -> String {
    let named = |position: usize| {
        let name = secrets.get(position).map_or("?", |secret| secret.name.as_str());
        format!("secret {} ({name})", position + 1)
    };
    match report.conclusion {
        Conclusion::Match { secret: 0 } => format!("the signature is right, made with {}.", named(0)),
        Conclusion::Match { secret } => {
            format!("the signature is right, but made with {}, not with {}.", named(secret), named(0))
        }
        Conclusion::HeaderAltered { secret } => {
            format!("the signature is right for {}, but the header was changed on its way.", named(secret))
        }
        Conclusion::HeaderUnreadable => "the header is no X-Hub-Signature-256.".to_owned(),
        Conclusion::SecretPadded { secret } => {
            format!("the sender signs with {} including the line break at its end.", named(secret))
        }
        Conclusion::SecretUntrimmed { secret } => {
            format!("{} is right but for the spaces or quotes around it in the file.", named(secret))
        }
        Conclusion::BodyAltered { secret, layout, escapes } => {
            format!("the body is not what was signed with {}: {}.", named(secret), change(layout, escapes))
        }
        Conclusion::BodyEmpty => "the body is empty, so it is not what was signed.".to_owned(),
        Conclusion::BodyCompressed => "the body is gzip data; the signature covers what was in it.".to_owned(),
        Conclusion::BodyTruncated { missing } => {
            format!("the body is cut off: {missing} bytes of its Content-Length are missing.")
        }
        Conclusion::BodyTooLong { extra } => {
            format!("the body is {extra} bytes longer than its Content-Length.")
        }
        Conclusion::BodyCutOff => "the body is cut off: its JSON ends in the middle.".to_owned(),
        Conclusion::BodyRewritten => {
            "the body has spaces between its JSON tokens, which Meta does not send: it was parsed and written again. \
             The bytes that were signed cannot be told from it."
                .to_owned()
        }
        Conclusion::WrongSecret => "no secret given here made this signature for this body.".to_owned(),
    }
}

fn change(layout: Layout, escapes: Escapes) -> String {
    match (layout, escapes) {
        (_, Escapes::Same) => layout.to_string(),
        (Layout::Same, _) => escapes.to_string(),
        _ => format!("{layout}, and {escapes}"),
    }
}

/// What to do about it.
fn next_step(conclusion: Conclusion, secrets: &[GivenSecret]) -> &'static str {
    match conclusion {
        Conclusion::Match { secret: 0 } => "nothing; the receiver accepts this request.",
        Conclusion::Match { .. } => {
            "keep both secrets configured until Meta signs with the first; then remove the other."
        }
        Conclusion::HeaderAltered { .. } | Conclusion::HeaderUnreadable => {
            "copy the value exactly as it arrived, `sha256=` and 64 lower-case digits. If it arrived like this, \
             find the proxy that changes headers."
        }
        Conclusion::SecretPadded { .. } => {
            "remove the line break where the sender's secret is stored (printf instead of echo)."
        }
        Conclusion::SecretUntrimmed { .. } => {
            "write the bare secret into the file: printf %s \"$SECRET\" > file."
        }
        Conclusion::BodyAltered {
            layout: Layout::BytesAdded,
            ..
        } => "find what appends to the body, or how it was saved.",
        Conclusion::BodyAltered {
            escapes: Escapes::Same,
            ..
        } => {
            "save the body byte for byte (an editor or a shell may have changed it). If it arrived like this, find \
             the proxy that rewrites bodies."
        }
        Conclusion::BodyRewritten => {
            "hash the raw bytes of the request before anything parses them, then check again: the secret may be wrong \
             as well."
        }
        Conclusion::BodyAltered { .. } => {
            "hash the raw bytes of the request before anything parses them, and turn off body rewriting in proxies."
        }
        Conclusion::BodyEmpty => "pass the body with --body FILE or on standard input.",
        Conclusion::BodyCompressed => {
            "check the unpacked bytes (gunzip), and find the proxy that compresses requests: Meta does not."
        }
        Conclusion::BodyTruncated { .. } | Conclusion::BodyCutOff => {
            "save the whole body, and check the body size limits and time-outs of every proxy."
        }
        Conclusion::BodyTooLong { .. } => "check that header, length and body come from the same request.",
        Conclusion::WrongSecret
            if secrets
                .iter()
                .any(|secret| !looks_like_app_secret(secret.loaded())) =>
        {
            "use the app secret: 32 lower-case hex digits, in Meta's App Dashboard under Settings > Basic. What was \
             given has another shape; it may be a verify token or an access token."
        }
        Conclusion::WrongSecret => {
            "compare with Meta's App Dashboard, Settings > Basic > App Secret, of the very app whose webhook this \
             is, and check that header and body come from the same request."
        }
    }
}

fn looks_like_app_secret(secret: &[u8]) -> bool {
    secret.len() == 32
        && secret
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
