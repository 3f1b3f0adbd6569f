//! `wahook-receiver verify-signature`: every diagnosis, from the command line to the sentence printed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "verify_signature/bodies.rs"]
mod bodies;

use std::path::PathBuf;

use clap::Parser;
use wahook_receiver::cli::verify_signature::run;
use wahook_receiver::cli::{Cli, Command, UsageError};
use wahook_receiver::signature::sign;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";

/// As Meta sends it: compact, escaped.
const BODY: &str = concat!(
    r#"{"object":"whatsapp_business_account","entry":[{"id":"100000000000001","changes":[{"value":"#,
    r#"{"text":"private caf\u00e9 \ud83d\ude00","mime_type":"image\/jpeg"},"field":"messages"}]}]}"#
);

/// What one run printed.
struct Outcome {
    code: u8,
    out: String,
}

impl Outcome {
    /// Asserts the exit code and that the output contains each piece.
    #[track_caller]
    fn says(&self, code: u8, pieces: &[&str]) {
        for piece in pieces {
            assert!(self.out.contains(piece), "expected {piece:?} in:\n{}", self.out);
        }
        assert_eq!(self.code, code, "{}", self.out);
    }
    #[track_caller]
    fn says_right(&self) {
        self.says(0, &["the signature is right"]);
    }
}

fn run_line(line: &[&str], stdin: &[u8]) -> Result<Outcome, UsageError> {
    let cli = Cli::try_parse_from(["wahook-receiver", "verify-signature"].iter().chain(line)).unwrap();
    let Some(Command::VerifySignature(args)) = cli.command else {
        panic!("another command was parsed")
    };
    let mut out = Vec::new();
    let code = run(&args, stdin, &mut out)?;
    Ok(Outcome {
        code,
        out: String::from_utf8(out).unwrap(),
    })
}

/// Runs the command with these secret files' contents, and checks that nothing private is printed.
#[track_caller]
fn verify_with(secrets: &[&str], header: &str, body: &[u8], more: &[&str]) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (1..)
        .zip(secrets)
        .map(|(number, secret)| {
            let path = directory.path().join(format!("secret-{number}"));
            std::fs::write(&path, secret).unwrap();
            path
        })
        .collect();
    let mut line = vec!["--header", header];
    line.extend(
        files
            .iter()
            .flat_map(|file| ["--secret-file", file.to_str().unwrap()]),
    );
    line.extend(more);
    let outcome = run_line(&line, body).unwrap();

    for secret in secrets {
        assert!(
            !outcome.out.contains(secret.trim()),
            "a secret is printed:\n{}",
            outcome.out
        );
        let right = sign(secret.trim().as_bytes(), body);
        assert!(
            !outcome.out.contains(&right[7..24]),
            "more of a signature than its start is printed"
        );
    }
    assert!(
        !outcome.out.contains("private"),
        "the body is printed:\n{}",
        outcome.out
    );
    outcome
}

#[track_caller]
fn verify(header: &str, body: &[u8]) -> Outcome {
    verify_with(&[SECRET], header, body, &[])
}

fn header() -> String {
    sign(SECRET.as_bytes(), BODY.as_bytes())
}

fn digits() -> String {
    header()["sha256=".len()..].to_owned()
}

#[test]
fn a_right_signature() {
    let outcome = verify(&header(), BODY.as_bytes());
    let start = &digits()[..8];
    outcome.says(
        0,
        &[
            "the signature is right",
            "accepts this request",
            &format!("received   {start}..."),
        ],
    );
    outcome.says(
        0,
        &[
            &format!("computed   {start}..."),
            &format!("body       {} bytes", BODY.len()),
        ],
    );
}

#[test]
fn the_body_may_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), BODY).unwrap();
    let more = ["--body", file.path().to_str().unwrap()];
    verify_with(&[SECRET], &header(), b"", &more).says_right();
}

#[test]
fn a_wrong_secret() {
    let outcome = verify(&sign(OTHER.as_bytes(), BODY.as_bytes()), BODY.as_bytes());
    outcome.says(
        1,
        &[
            "no secret given here made this signature",
            "App Dashboard, Settings > Basic > App Secret",
        ],
    );
}

#[test]
fn a_secret_that_is_no_app_secret() {
    let outcome = verify_with(&["my-verify-token-123"], &header(), BODY.as_bytes(), &[]);
    outcome.says(1, &["32 lower-case hex digits", "verify token"]);
}

#[test]
fn the_second_secret() {
    let outcome = verify_with(&[OTHER, SECRET], &header(), BODY.as_bytes(), &[]);
    outcome.says(
        0,
        &["made with secret 2", "not with secret 1", "keep both secrets"],
    );
}

#[test]
fn a_line_break_after_the_secret_is_ignored_and_noted() {
    for ending in ["\n", "\r\n"] {
        let outcome = verify_with(&[&format!("{SECRET}{ending}")], &header(), BODY.as_bytes(), &[]);
        outcome.says(
            0,
            &["the signature is right", "ends with a line break", "(32 bytes)"],
        );
    }
}

#[test]
fn the_sender_signs_with_the_line_break() {
    let secret = format!("{SECRET}\n");
    let signature = sign(secret.as_bytes(), BODY.as_bytes());
    let outcome = verify_with(&[&secret], &signature, BODY.as_bytes(), &[]);
    outcome.says(1, &["including the line break", "printf instead of echo"]);
}

#[test]
fn spaces_or_quotes_around_the_secret() {
    for file in [
        format!(" {SECRET}  \n"),
        format!("\"{SECRET}\""),
        format!("'{SECRET}'\n"),
        format!("\u{feff}{SECRET}"),
        format!("{SECRET}\n\n"),
    ] {
        let outcome = verify_with(&[&file], &header(), BODY.as_bytes(), &[]);
        outcome.says(1, &["spaces or quotes around it in the file", "bare secret"]);
    }
}

#[test]
fn headers_that_were_changed() {
    let digits = digits();
    let table = [
        (digits.clone(), "does not begin with `sha256=`"),
        (format!("sha256={}", digits.to_uppercase()), "upper case"),
        (format!("SHA256={digits}"), "`sha256=` is not lower case"),
        (format!("hmac={digits}"), "something other than `sha256=`"),
        (format!(" sha256={digits} "), "spaces or quotes around it"),
        (format!("\"sha256={digits}\""), "spaces or quotes around it"),
        (format!("sha256={digits}, sha256={digits}"), "several values"),
    ];
    for (header, problem) in table {
        verify(&header, BODY.as_bytes()).says(1, &[problem, "the header was changed on its way"]);
    }
}

#[test]
fn headers_that_hold_no_signature() {
    let digits = digits();
    let table = [
        (String::new(), "it is empty"),
        (
            "sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12".to_owned(),
            "SHA-1",
        ),
        (
            "X-Hub-Signature: sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12".to_owned(),
            "use X-Hub-Signature-256",
        ),
        (
            format!("sha256={}", &digits[..63]),
            "63 characters after `sha256=`, not 64",
        ),
        (
            format!("sha256={digits}ab"),
            "66 characters after `sha256=`, not 64",
        ),
        ("sha256=".to_owned(), "0 characters after"),
        (format!("sha256={}zz", &digits[..62]), "no hex digits"),
    ];
    for (header, problem) in table {
        verify(&header, BODY.as_bytes()).says(1, &[problem, "no X-Hub-Signature-256"]);
    }
}

#[test]
fn a_header_pasted_with_its_name_is_understood() {
    for name in [
        "X-Hub-Signature-256: ",
        "x-hub-signature-256:",
        "X-HUB-SIGNATURE-256 : ",
    ] {
        verify(&format!("{name}{}", header()), BODY.as_bytes()).says_right();
    }
}

fn error_text(line: &[&str]) -> String {
    match run_line(line, b"") {
        Ok(outcome) => panic!("expected an error:\n{}", outcome.out),
        Err(error) => error.to_string(),
    }
}

#[test]
fn usage_errors_name_the_next_step() {
    let missing = error_text(&["--secret-file", "no/such/file", "--header", "x"]);
    assert!(
        missing.contains("no/such/file") && missing.contains("Check the path"),
        "{missing}"
    );

    let blank = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(blank.path(), " \n").unwrap();
    let path = blank.path().to_str().unwrap();
    let blank = error_text(&["--secret-file", path, "--header", "x"]);
    assert!(blank.contains("holds no secret"), "{blank}");

    assert!(
        Cli::try_parse_from(["wahook-receiver", "verify-signature"]).is_err(),
        "--header is needed"
    );
}
