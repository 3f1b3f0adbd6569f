//! What became of the body on its way.

use super::{BODY, OTHER, SECRET, header, verify, verify_with};
use wahook_receiver::signature::sign;

/// The signature of `sent`, checked against what became of it.
#[track_caller]
fn changed(sent: &str, received: &[u8], pieces: &[&str]) {
    let outcome = verify(&sign(SECRET.as_bytes(), sent.as_bytes()), received);
    outcome.says(1, &["the body is not what was signed with secret 1"]);
    outcome.says(1, pieces);
}

#[test]
fn a_body_whose_escapes_were_changed() {
    let decoded = BODY.replace(r"\u00e9", "é").replace(r"\ud83d\ude00", "😀");
    let without_slash = BODY.replace(r"\/", "/");
    let plain = decoded.replace(r"\/", "/");
    let raw_bytes = "hash the raw bytes";
    changed(
        BODY,
        decoded.as_bytes(),
        &[r"\uXXXX escapes were replaced by their characters", raw_bytes],
    );
    changed(
        BODY,
        without_slash.as_bytes(),
        &[r"\/ was replaced by /", raw_bytes],
    );
    changed(
        BODY,
        plain.as_bytes(),
        &[r"\uXXXX and \/ escapes were replaced", raw_bytes],
    );
    changed(
        &decoded,
        BODY.as_bytes(),
        &[r"characters were replaced by \uXXXX", raw_bytes],
    );
    changed(
        &without_slash,
        BODY.as_bytes(),
        &[r"/ was replaced by \/", raw_bytes],
    );
    changed(
        &plain,
        BODY.as_bytes(),
        &[r"characters were replaced by \uXXXX and \/", raw_bytes],
    );
    changed(
        r#"{"a":"\u003Cb\u0040\u0025 \u00e9"}"#,
        "{\"a\":\"<b@% é\"}".as_bytes(),
        &["also of < % @"],
    );
}

#[test]
fn a_body_whose_layout_was_changed() {
    let with = |ending: &str| format!("{BODY}{ending}").into_bytes();
    changed(
        BODY,
        &with("\n"),
        &["a line break was added at the end", "byte for byte"],
    );
    changed(BODY, &with("\r\n"), &["a line break was added at the end"]);
    changed(
        &format!("{BODY}\n"),
        BODY.as_bytes(),
        &["the line break at the end was lost"],
    );
    changed(
        BODY,
        format!("\u{feff}{BODY}").as_bytes(),
        &["a byte order mark was added"],
    );
    changed(
        "{\n\"a\":1\n}",
        b"{\r\n\"a\":1\r\n}",
        &["line feeds became CR LF"],
    );
    changed(
        "{\r\n\"a\":1\r\n}",
        b"{\n\"a\":1\n}",
        &["CR LF became line feeds"],
    );
}

#[test]
fn a_pretty_printed_body() {
    let pretty = BODY.replace(':', ": ").replace(',', ",\n  ");
    changed(
        BODY,
        pretty.as_bytes(),
        &["spaces or line breaks were added between the JSON tokens"],
    );
    let also_decoded = pretty
        .replace(r"\u00e9", "é")
        .replace(r"\ud83d\ude00", "😀")
        .replace(r"\/", "/");
    changed(
        BODY,
        also_decoded.as_bytes(),
        &["between the JSON tokens, and", "replaced by their characters"],
    );
}

#[test]
fn a_body_that_was_parsed_and_written_again() {
    // The keys are in another order: what was signed cannot be told any more.
    let rewritten = "{\"entry\": [], \"object\": \"whatsapp_business_account\"}";
    let outcome = verify(&header(), rewritten.as_bytes());
    outcome.says(
        1,
        &["parsed and written again", "cannot be told", "hash the raw bytes"],
    );
}

#[test]
fn a_body_that_was_cut_off() {
    let cut = &BODY.as_bytes()[..100];
    verify(&header(), cut).says(1, &["cut off", "JSON ends in the middle", "size limits"]);
    let length = BODY.len().to_string();
    let outcome = verify_with(&[SECRET], &header(), cut, &["--content-length", &length]);
    let missing = format!("{} bytes of its Content-Length are missing", BODY.len() - 100);
    outcome.says(1, &[&missing]);
}

#[test]
fn a_body_with_bytes_after_its_length() {
    let length = BODY.len().to_string();
    let longer = format!("{BODY}<!-- proxy -->");
    let outcome = verify_with(
        &[SECRET],
        &header(),
        longer.as_bytes(),
        &["--content-length", &length],
    );
    outcome.says(1, &["bytes were added after the announced Content-Length"]);
    let another = format!("{}<!-- proxy -->", BODY.replace("field", "other"));
    let outcome = verify_with(
        &[SECRET],
        &header(),
        another.as_bytes(),
        &["--content-length", &length],
    );
    outcome.says(1, &["14 bytes longer than its Content-Length"]);
}

#[test]
fn a_compressed_body() {
    verify(&header(), b"\x1f\x8b\x08\x00\x00\x00\x00\x00").says(1, &["gzip", "gunzip"]);
}

#[test]
fn an_empty_body() {
    verify(&header(), b"").says(1, &["the body is empty", "--body FILE"]);
}

#[test]
fn the_second_secret_and_a_changed_body() {
    let outcome = verify_with(&[OTHER, SECRET], &header(), format!("{BODY}\n").as_bytes(), &[]);
    outcome.says(
        1,
        &["not what was signed with secret 2", "a line break was added"],
    );
}

#[test]
fn a_body_that_is_no_text_is_no_problem() {
    let body = [0xff, 0x00, 0xfe];
    verify(&sign(SECRET.as_bytes(), &body), &body).says_right();
    verify(&header(), &body).says(1, &["no secret given here"]);
}
